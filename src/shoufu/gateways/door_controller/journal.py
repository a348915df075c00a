"""The durable queue of events: an append-only log in segments, one fsync for all that waits.

A segment ``q-<number>`` is a row of records: length u32, CRC-32 u32, MessagePack of :class:`Entry`. A torn tail (its
CRC does not fit) ends the segment; a controller never writes behind one, since it begins a new segment at each start.
Segments are removed when all their entries were acknowledged; what comes again after a power cut is sent again, and
the server knows it by its id. See docs/decisions/0007-doors-keep-their-own-journal.md.
"""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from .files import Appender, Files

PREFIX = "q-"
PER_SEGMENT = 1_000
WINDOW = 2_000
"""Entries held in memory; a door that is alone for a month has more, and a small box has no room for them."""
_HEAD = struct.Struct(">II")


class Entry(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One event. ``body``: the observation as JSON; ``effect``: what it left in the controller's memory."""

    boot: int
    sequence: int
    t: float
    body: bytes
    effect: dict[str, Any] | None = None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Entry).decode
Told = Callable[[], None]


class Journal:
    """Append from the event loop; the callback of each entry runs in the loop once the entry is on the disk."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._segment: Appender | None = None
        self._number = 0
        self._in_segment = 0
        self._fresh: list[tuple[bytes, Entry, Told | None]] = []
        self._wake = asyncio.Event()
        self._window: deque[tuple[int, Entry]] = deque()
        self._unloaded = 0
        self._next = (0, 0)
        self.some = asyncio.Event()
        """Set while entries wait for their acknowledgement."""
        self._left: dict[int, int] = {}
        self._written: dict[int, int] = {}
        self.failure = ""
        """Why the disk could not be written last; empty when all is well."""
        self.on_remove: Callable[[], None] | None = None
        """Called before a segment is removed: write down what it left in memory."""

    def open(self) -> Iterator[Entry]:
        """Read what is there: all entries, oldest first. Go through all of them before anything else is asked."""
        for name in self._files.names():
            if not name.startswith(PREFIX) or not name[len(PREFIX) :].isdigit():
                continue
            # Entries that were acknowledged before may be back: they are sent again, and known by their ids.
            number = int(name[len(PREFIX) :])
            self._number = max(self._number, number)
            found = read_segment(self._files.read(name) or b"")
            if not found:
                self._files.remove(name)
                continue
            self._left[number] = self._written[number] = len(found)
            self._unloaded += len(found)
            self.some.set()
            yield from found

    @property
    def waiting(self) -> int:
        """Entries on the disk that the server has not acknowledged."""
        return len(self._window) + self._unloaded

    def append(self, entry: Entry, told: Told | None = None) -> None:
        """Queue an entry; ``told`` is called once it is durable, or once the disk has refused it."""
        self._fresh.append((frame(entry), entry, told))
        self._wake.set()

    @property
    def unwritten(self) -> int:
        """Entries that are not yet on the disk."""
        return len(self._fresh)

    async def run(self) -> None:
        """Write until cancelled. A disk that refuses holds up nobody: callbacks run, and writing is tried again."""
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._fresh:
                await self._write(loop)

    async def _write(self, loop: asyncio.AbstractEventLoop) -> None:
        batch, self._fresh = self._fresh, []
        content = b"".join([one[0] for one in batch])
        try:
            if self._segment is None or self._in_segment >= PER_SEGMENT:
                await loop.run_in_executor(self._pool, self._begin)
            await loop.run_in_executor(self._pool, self._put, content)
        except OSError as error:
            self.failure = error.strerror or str(error)
            self._segment = None
            for _, _, told in batch:
                if told:
                    told()
            self._fresh = [(content, entry, None) for content, entry, _ in batch] + self._fresh
            loop.call_later(1.0, self._wake.set)
            return
        self.failure = ""
        self._in_segment += len(batch)
        self._take(batch)
        self.some.set()

    def _take(self, batch: list[tuple[bytes, Entry, Told | None]]) -> None:
        """Count what was written; keep it at hand while all before it is, and there is room."""
        number = self._number
        self._left[number] = self._left.get(number, 0) + len(batch)
        self._written[number] = self._written.get(number, 0) + len(batch)
        if self._unloaded or len(self._window) + len(batch) > WINDOW:
            self._unloaded += len(batch)
        else:
            self._window.extend((number, entry) for _, entry, _ in batch)
            self._next = (number, self._written[number])
        for _, _, told in batch:
            if told:
                told()

    def _begin(self) -> None:
        if self._segment is not None:
            self._segment.close()
        self._segment = None
        self._number += 1
        self._segment = self._files.append(f"{PREFIX}{self._number:012d}")
        self._in_segment = 0

    def _put(self, content: bytes) -> None:
        assert self._segment is not None
        self._segment.write(content)
        self._segment.sync()

    def head(self, count: int) -> list[Entry]:
        """The oldest entries that wait for their acknowledgement."""
        if not self._window and self._unloaded:
            self._load()
        return [self._window[index][1] for index in range(min(count, len(self._window)))]

    def _load(self) -> None:
        for number in sorted(self._left):
            begin = self._next[1] if number == self._next[0] else 0
            if number < self._next[0] or begin >= self._written[number]:
                continue
            content = self._files.read(f"{PREFIX}{number:012d}") or b""
            # The segment being written may hold more than is synced; that is not for others yet.
            found = read_segment(content)[begin : self._written[number]]
            missing = self._written[number] - begin - len(found)
            if missing:
                # The disk has lost what it had: nothing brings that back, and the rest must not wait for it.
                self.failure = f"{missing} events of {PREFIX}{number:012d} cannot be read"
                self._left[number] -= missing
            self._window.extend((number, entry) for entry in found)
            self._unloaded -= len(found) + missing
            self._next = (number, self._written[number])
            if len(self._window) >= PER_SEGMENT:
                return

    def acknowledge(self, count: int) -> None:
        """The oldest ``count`` entries are in the server's log."""
        for _ in range(count):
            number, _ = self._window.popleft()
            self._left[number] -= 1
            if self._left[number] == 0 and number != self._number:
                self._drop(number)
        if not self.waiting:
            self.some.clear()

    def _drop(self, number: int) -> None:
        if self.on_remove:
            self.on_remove()
        del self._left[number], self._written[number]
        self._files.remove(f"{PREFIX}{number:012d}")

    def close(self) -> None:
        """Stop the thread; entries not yet written are written here."""
        self._pool.shutdown(wait=True)
        if self._fresh:
            if self._segment is None:
                self._begin()
            self._put(b"".join([one[0] for one in self._fresh]))
            self._fresh = []
        if self._segment is not None:
            self._segment.close()
            self._segment = None

    def abandon(self) -> None:
        """Stop the thread and write nothing more, as a power cut does."""
        self._fresh = []
        self._pool.shutdown(wait=False, cancel_futures=True)


def frame(entry: Entry) -> bytes:
    """The bytes of an entry in a segment."""
    content = _encode(entry)
    return _HEAD.pack(len(content), zlib.crc32(content)) + content


def read_segment(content: bytes) -> list[Entry]:
    """Entries up to the end or to the first torn one."""
    found = []
    at = 0
    while at + _HEAD.size <= len(content):
        length, check = _HEAD.unpack_from(content, at)
        body = content[at + _HEAD.size : at + _HEAD.size + length]
        if not length or len(body) != length or zlib.crc32(body) != check:
            break
        found.append(_decode(body))
        at += _HEAD.size + length
    return found
