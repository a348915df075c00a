"""Connections to the page server: HTTP/1.1 with keep-alive, over asyncio streams."""

from __future__ import annotations

import asyncio
import collections
from collections.abc import AsyncIterator
from dataclasses import dataclass

from shoufu.runtime.edge.messages import Headers

KEEP = 32
LINE_LIMIT = 256 << 10
CONNECT_SECONDS = 3.0


class UpstreamError(Exception):
    """The page server broke off or answered nonsense."""


@dataclass(slots=True)
class Connection:
    """One connection and how many answers it has given."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    used: int = 0

    def close(self) -> None:
        """Close without waiting."""
        self.writer.close()


@dataclass(slots=True)
class Head:
    """Status and headers of an answer, and how its body ends."""

    status: int
    headers: Headers
    length: int | None
    chunked: bool
    keep: bool


class Pool:
    """Idle connections to one address."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._idle: collections.deque[Connection] = collections.deque()

    async def take(self, fresh: bool = False) -> Connection:
        """An idle connection, or a new one."""
        while self._idle and not fresh:
            connection = self._idle.pop()
            if not connection.reader.at_eof() and not connection.writer.is_closing():
                return connection
            connection.close()
        async with asyncio.timeout(CONNECT_SECONDS):
            return Connection(*await asyncio.open_connection(self._host, self._port, limit=LINE_LIMIT))

    def give(self, connection: Connection) -> None:
        """Back for the next request."""
        connection.used += 1
        if len(self._idle) >= KEEP:
            connection.close()
            return
        self._idle.append(connection)

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().close()


async def read_head(reader: asyncio.StreamReader, method: str) -> Head:
    """The next answer's head; informational answers are passed over."""
    while True:
        try:
            block = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise UpstreamError("no answer") from error
        first, *lines = block[:-4].split(b"\r\n")
        parts = first.split(b" ", 2)
        if len(parts) < 2 or not parts[1].isdigit():
            raise UpstreamError("no status line")
        status = int(parts[1])
        if status >= 200:
            return _head(status, parts[0], lines, method)


def _head(status: int, version: bytes, lines: list[bytes], method: str) -> Head:
    headers: Headers = []
    for line in lines:
        name, _, value = line.partition(b":")
        headers.append((name.strip().lower(), value.strip()))
    fields = dict(headers)
    chunked = b"chunked" in fields.get(b"transfer-encoding", b"").lower()
    length: int | None = int(fields[b"content-length"]) if fields.get(b"content-length", b"").isdigit() else None
    if method == "HEAD" or status in (204, 304):
        length, chunked = 0, False
    keep = version == b"HTTP/1.1" and fields.get(b"connection", b"").lower() != b"close"
    return Head(status, headers, None if chunked else length, chunked, keep and (chunked or length is not None))


async def read_body(reader: asyncio.StreamReader, head: Head) -> AsyncIterator[bytes]:
    """The pieces of the answer's body."""
    try:
        if head.chunked:
            async for piece in _chunks(reader):
                yield piece
            return
        left = head.length
        while left is None or left > 0:
            piece = await reader.read(65536 if left is None else min(65536, left))
            if not piece:
                if left is None:
                    return
                raise UpstreamError("the answer is cut off")
            left = None if left is None else left - len(piece)
            yield piece
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError) as error:
        raise UpstreamError("the answer is cut off") from error


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while True:
        size = int((await reader.readuntil(b"\r\n")).split(b";")[0].strip(), 16)
        if size == 0:
            while (await reader.readuntil(b"\r\n")) != b"\r\n":
                pass
            return
        while size:
            piece = await reader.read(min(65536, size))
            if not piece:
                raise UpstreamError("the answer is cut off")
            size -= len(piece)
            yield piece
        await reader.readexactly(2)
