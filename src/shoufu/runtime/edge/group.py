"""Group commit: rows of many requests become one batch, and each request learns what became of its rows."""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from shoufu.kernel.observations.intake import Row
from shoufu.kernel.observations.writer import Outcome, Unavailable, Writer

log = structlog.get_logger("edge")

MAX_ROWS = 600
MAX_BYTES = 4 << 20
WINDOW = 0.004
LIMIT_ROWS = 20_000
LIMIT_BYTES = 64 << 20


class Full(Exception):
    """The queue is at its bound: send again later."""


@dataclass(slots=True)
class _Entry:
    rows: Sequence[Row]
    size: int
    done: asyncio.Future[list[Outcome]]


class Group:
    """Gathers rows for at most 4 ms (or 600 rows) while a writer is free, longer only while all are busy.

    Memory is bounded: :meth:`submit` raises :class:`Full` over 20,000 waiting rows or 64 MiB; :meth:`submit_later`
    waits for room instead.
    """

    def __init__(self, writers: Sequence[Writer]) -> None:
        self._writers = writers
        self._waiting: collections.deque[_Entry] = collections.deque()
        self._rows = self._bytes = 0
        self._some = asyncio.Event()
        self._many = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start one task a writer."""
        self._tasks = [asyncio.create_task(self._run(writer)) for writer in self._writers]

    async def stop(self) -> None:
        """Write what waits, then end."""
        while self._waiting:
            await asyncio.sleep(WINDOW)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            await writer.close()

    def submit(self, rows: Sequence[Row]) -> asyncio.Future[list[Outcome]]:
        """Outcomes once the rows are committed. :class:`Full` at the bound, :class:`Unavailable` without a database."""
        if self._rows >= LIMIT_ROWS or self._bytes >= LIMIT_BYTES:
            raise Full
        size = sum([len(row.copy) for row in rows])
        entry = _Entry(rows, size, asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        self._rows += len(rows)
        self._bytes += size
        self._some.set()
        if self._rows >= MAX_ROWS:
            self._many.set()
        return entry.done

    async def submit_later(self, rows: Sequence[Row]) -> list[Outcome]:
        """As :meth:`submit`, but waits for room."""
        while True:
            await self._room.wait()
            try:
                return await self.submit(rows)
            except Full:
                self._room.clear()

    async def _run(self, writer: Writer) -> None:
        while True:
            await self._some.wait()
            if self._rows < MAX_ROWS:
                await self._gather()
            entries = self._take()
            if entries:
                await self._write(writer, entries)

    async def _gather(self) -> None:
        try:
            async with asyncio.timeout(WINDOW):
                await self._many.wait()
        except TimeoutError:
            pass

    def _take(self) -> list[_Entry]:
        taken: list[_Entry] = []
        rows = size = 0
        while self._waiting and rows < MAX_ROWS and size < MAX_BYTES:
            entry = self._waiting.popleft()
            taken.append(entry)
            rows += len(entry.rows)
            size += entry.size
        self._rows -= rows
        self._bytes -= size
        if not self._waiting:
            self._some.clear()
        if self._rows < MAX_ROWS:
            self._many.clear()
        if self._rows < LIMIT_ROWS // 2:
            self._room.set()
        return taken

    async def _write(self, writer: Writer, entries: list[_Entry]) -> None:
        rows = [row for entry in entries for row in entry.rows] if len(entries) > 1 else entries[0].rows
        try:
            outcomes = (await writer.write(rows)).outcomes
        except Unavailable as error:
            log.warning("database does not answer", reason=str(error).strip()[:200])
            _fail(entries, error)
            await asyncio.sleep(0.2)
            return
        except Exception as error:
            # A mistake of ours: the senders must hear of it, and the next batch must still be written.
            log.exception("batch not written")
            await writer.close()
            _fail(entries, Unavailable(str(error)))
            return
        start = 0
        for entry in entries:
            end = start + len(entry.rows)
            if not entry.done.done():
                entry.done.set_result(outcomes[start:end])
            start = end


def _fail(entries: list[_Entry], error: Exception) -> None:
    for entry in entries:
        if not entry.done.done():
            entry.done.set_exception(error)
