"""The durable queue of events: an append-only log in segments, one fsync for all that waits.

A segment ``q-<number>`` is a row of records: length u32, CRC-32 u32, MessagePack of :class:`Entry`, written over zeros
that were there before. Zeros or a torn record (its CRC does not fit) end the segment; a controller never writes behind
one, since it begins a new segment at each start. Segments are removed when all their entries were acknowledged; what
comes again after a power cut is sent again, and the server knows it by its id. See
docs/decisions/0007-doors-keep-their-own-journal.md.
"""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from threading import Thread
from typing import Any

import msgspec

from .files import Appender, Files

PREFIX = "q-"
PER_SEGMENT = 1_000
ROOM = 512 << 10
"""Bytes of a segment, about 1,000 entries: made of zeros beforehand."""
AGAIN = 1.0
"""Seconds after which a disk that refused is tried again."""
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
Fresh = tuple[bytes, Entry, Told | None]


class Journal:
    """Append from the event loop; the callback of each entry runs in the loop once the entry is on the disk.

    One thread writes and syncs whatever waits when it is free. The next segment is made by another one before the
    present one is full, so that no card waits for it.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._loop: asyncio.AbstractEventLoop | None = None
        self._work: SimpleQueue[list[Fresh] | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._kicked = False
        self._pausing = False
        self._segment: Appender | None = None
        self._spare: tuple[int, Appender] | None = None
        self._making: Thread | None = None
        self._number = 0
        self._in_segment = 0
        self._bytes = 0
        self._fresh: list[Fresh] = []
        self._writing: list[Fresh] = []
        self._window: deque[tuple[int, Entry]] = deque()
        self._unloaded = 0
        self._next = (0, 0)
        self.some = asyncio.Event()
        """Set while entries wait for their acknowledgement."""
        self._left: dict[int, int] = {}
        self._written: dict[int, int] = {}
        self.failure = ""
        """Why the disk could not be written last; empty when all is well."""
        self.on_remove: Callable[[], bool] | None = None
        """Called before a segment is removed: write down what it left in memory. Where that fails, it stays."""

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
        if self._loop is not None and not self._kicked:
            # Not at once: what else comes in this turn of the loop goes with it.
            self._kicked = True
            self._loop.call_soon(self._kick)

    @property
    def unwritten(self) -> int:
        """Entries that are not yet on the disk."""
        return len(self._fresh) + len(self._writing)

    async def run(self) -> None:
        """Write until cancelled. A disk that refuses holds up nobody: callbacks run, and writing is tried again."""
        self._end_thread()
        self._loop = asyncio.get_running_loop()
        self._thread = Thread(target=self._keep, args=(self._loop,), name="journal", daemon=True)
        self._thread.start()
        self._kick()
        try:
            await asyncio.Event().wait()
        finally:
            if self._loop is not None:
                self._loop = None
                self._work.put(None)

    def _end_thread(self) -> None:
        """Wait for the thread of an earlier run, and take over what it was writing."""
        if self._thread is None:
            return
        self._thread.join()
        self._thread = None
        batch, self._writing = self._writing, []
        if batch and self._segment is None:
            self._fresh = [*batch, *self._fresh]
        elif batch:
            self._take(batch)
            self.some.set()

    def _kick(self) -> None:
        self._kicked = False
        if self._loop is None or self._writing or self._pausing or not self._fresh:
            return
        self._writing, self._fresh = self._fresh, []
        self._work.put(self._writing)

    def _keep(self, loop: asyncio.AbstractEventLoop) -> None:
        """The thread that writes."""
        while (batch := self._work.get()) is not None:
            try:
                self._store(batch)
            except OSError as error:
                failure = error.strerror or str(error)
            else:
                failure = ""
            try:
                loop.call_soon_threadsafe(self._stored, batch, failure)
            except RuntimeError:
                return  # The loop has ended meanwhile.

    def _stored(self, batch: list[Fresh], failure: str) -> None:
        if self._loop is None:
            return
        self._writing = []
        self.failure = failure
        if failure:
            for _, _, told in batch:
                if told:
                    told()
            self._fresh = [(content, entry, None) for content, entry, _ in batch] + self._fresh
            self._pausing = True
            self._loop.call_later(AGAIN, self._go_on)
            return
        self._take(batch)
        self.some.set()
        self._kick()

    def _go_on(self) -> None:
        self._pausing = False
        self._kick()

    def _take(self, batch: list[tuple[bytes, Entry, Told | None]]) -> None:
        """Count what was written; keep it at hand while all before it is, and there is room."""
        number = self._number
        if number not in self._left:
            self._drop()
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

    def _store(self, batch: list[Fresh]) -> None:
        content = b"".join([one[0] for one in batch])
        try:
            full = self._in_segment >= PER_SEGMENT or (self._in_segment and self._bytes + len(content) > ROOM)
            if self._segment is None or full:
                self._begin()
            assert self._segment is not None
            self._segment.write(content)
            self._segment.sync()
        except OSError:
            self._segment = None
            raise
        self._in_segment += len(batch)
        self._bytes += len(content)
        if self._making is None and (self._in_segment > PER_SEGMENT // 2 or self._bytes > ROOM // 2):
            self._making = Thread(target=self._make, args=(self._number + 1,), name="segment", daemon=True)
            self._making.start()

    def _begin(self) -> None:
        if self._segment is not None:
            self._segment.close()
        self._segment = None
        if self._making is not None:
            self._making.join()
            self._making = None
        self._number += 1
        spare, self._spare = self._spare, None
        if spare is not None and spare[0] == self._number:
            self._segment = spare[1]
        else:
            self._segment = self._files.append(name_of(self._number), ROOM)
        self._in_segment = self._bytes = 0

    def _make(self, number: int) -> None:
        """Have the next segment ready. Where the disk refuses, whoever needs it will hear."""
        try:
            self._spare = (number, self._files.append(name_of(number), ROOM))
        except OSError:
            self._spare = None

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
            content = self._files.read(name_of(number)) or b""
            # The segment being written may hold more than is synced; that is not for others yet.
            found = read_segment(content)[begin : self._written[number]]
            missing = self._written[number] - begin - len(found)
            if missing:
                # The disk has lost what it had: nothing brings that back, and the rest must not wait for it.
                self.failure = f"{missing} events of {name_of(number)} cannot be read"
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
        if not self.waiting:
            self.some.clear()
        self._drop()

    def _drop(self) -> None:
        """Remove the segments of which all is acknowledged; not the one being written."""
        gone = [number for number, left in self._left.items() if not left and number != self._number]
        if not gone or (self.on_remove and not self.on_remove()):
            # Entries of a segment that stays are sent again after the next start, and known by their ids.
            return
        for number in gone:
            del self._left[number], self._written[number]
            self._files.remove(name_of(number))

    def close(self) -> None:
        """Stop the thread; entries not yet written are written here."""
        if self._loop is not None:
            self._loop = None
            self._work.put(None)
        self._end_thread()
        rest, self._fresh = self._fresh, []
        if rest:
            self._store(rest)
        if self._making is not None:
            self._making.join()
        if self._spare is not None:
            self._spare[1].close()
            self._files.remove(name_of(self._spare[0]))
        if self._segment is not None:
            self._segment.close()
            self._segment = None

    def abandon(self) -> None:
        """Stop the thread and write nothing more, as a power cut does."""
        if self._loop is not None:
            self._loop = None
            self._work.put(None)
        self._fresh = []


def name_of(number: int) -> str:
    """The file of a segment."""
    return f"{PREFIX}{number:012d}"


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
