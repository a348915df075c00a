"""A disk with a cache that loses what was not synced when the power goes."""

from __future__ import annotations

import errno
import random
import threading
import time

SLOW = 0.004
"""Seconds that a sync takes at most, so that the power may go meanwhile."""


SECTOR = 512
"""Bytes that a disk writes at once."""


class _File:
    """``durable`` and ``written`` differ in the bytes from ``begin`` to ``end`` only."""

    __slots__ = ("at", "begin", "durable", "end", "written")

    def __init__(self) -> None:
        self.durable = bytearray()
        self.written = bytearray()
        self.at = self.begin = self.end = 0

    def write(self, content: bytes) -> None:
        end = self.at + len(content)
        self.written[self.at : end] = content
        self.begin, self.end = (
            (self.at, end) if self.begin == self.end else (min(self.begin, self.at), max(self.end, end))
        )
        self.at = end

    def sync(self) -> None:
        self.durable[self.begin : self.end] = self.written[self.begin : self.end]
        self.begin = self.end = 0


class CachedDisk:
    """A :class:`~shoufu.gateways.door_controller.files.Layer` in memory, as unkind as a disk may be.

    :meth:`power_cut` keeps of each file what was synced, and of the rest a random beginning, its last bytes sometimes
    wrong, or some sectors and others not; of changes of names since the last sync of the folder each may have happened
    or not. Handles of before the cut are dead. ``lying``: sync does nothing, which a drill must notice.
    """

    def __init__(self, chance: random.Random, lying: bool = False) -> None:
        self._chance = chance
        self._lying = lying
        self._lock = threading.Lock()
        self._now: dict[str, _File] = {}
        self._durable: dict[str, _File] = {}
        self._handles: dict[int, _File] = {}
        self._next = 0
        self.cuts = 0
        self.bytes_lost = 0

    def names(self) -> list[str]:
        """Names in the folder."""
        with self._lock:
            return list(self._now)

    def read(self, name: str) -> bytes:
        """Content as seen before a power cut; FileNotFoundError."""
        with self._lock:
            if name not in self._now:
                raise FileNotFoundError(name)
            return bytes(self._now[name].written)

    def create(self, name: str, fresh: bool) -> int:
        """A new, empty file under this name."""
        with self._lock:
            if fresh and name in self._now:
                raise FileExistsError(name)
            self._now[name] = file = _File()
            self._next += 1
            self._handles[self._next] = file
            return self._next

    def _file(self, handle: int) -> _File:
        try:
            return self._handles[handle]
        except KeyError:
            raise OSError(errno.EIO, "the power was cut") from None

    def write(self, handle: int, content: bytes) -> None:
        """Into the cache."""
        with self._lock:
            self._file(handle).write(content)

    def rewind(self, handle: int) -> None:
        """The next write begins at the beginning."""
        with self._lock:
            self._file(handle).at = 0

    def sync(self, handle: int) -> None:
        """When it returns, what was written survives; it takes its time."""
        time.sleep(self._chance.random() * SLOW)
        with self._lock:
            file = self._file(handle)
            if not self._lying:
                file.sync()

    def close(self, handle: int) -> None:
        """Give the handle back; syncs nothing."""
        with self._lock:
            self._handles.pop(handle, None)

    def rename(self, name: str, to: str) -> None:
        """In the cache."""
        with self._lock:
            self._now[to] = self._now.pop(name)

    def unlink(self, name: str) -> None:
        """In the cache."""
        with self._lock:
            self._now.pop(name, None)

    def sync_folder(self) -> None:
        """From now on the names survive."""
        with self._lock:
            if not self._lying:
                self._durable = dict(self._now)

    def power_cut(self) -> None:
        """The power goes; what is left is what the next start finds."""
        with self._lock:
            self.cuts += 1
            self._handles = {}
            names = dict(self._durable)
            for name in {*self._now, *self._durable}:
                if self._now.get(name) is self._durable.get(name) or self._chance.random() < 0.5:
                    continue
                if name in self._now:
                    names[name] = self._now[name]
                else:
                    del names[name]
            for file in {id(file): file for file in names.values()}.values():
                self._tear(file)
            self._now = names
            self._durable = dict(names)

    def _tear(self, file: _File) -> None:
        tail = bytes(file.written[file.begin : file.end])
        kept = self._beginning(tail) if self._chance.random() < 0.5 else self._sectors(tail, file)
        self.bytes_lost += len(tail) - len(kept)
        file.durable[file.begin : file.begin + len(kept)] = kept
        file.written = bytearray(file.durable)
        file.begin = file.end = 0

    def _beginning(self, tail: bytes) -> bytes:
        kept = bytearray(tail[: self._chance.randint(0, len(tail))])
        if kept and self._chance.random() < 0.5:
            kept[-1] ^= 0xFF
        return bytes(kept)

    def _sectors(self, tail: bytes, file: _File) -> bytes:
        """Each sector as it was written or as it was before; where there was nothing before, zeros."""
        before = bytes(file.durable[file.begin : file.end]).ljust(len(tail), b"\0")
        parts = []
        for start in range(0, len(tail), SECTOR):
            part = tail if self._chance.random() < 0.5 else before
            parts.append(part[start : start + SECTOR])
        return b"".join(parts)
