"""Live push: many streams, and the time from a batch's commit to each of them."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from functools import partial

KNOWN = b'"known":"'


class Stream(asyncio.Protocol):
    """One SSE client; notes how old each observation is when it arrives."""

    def __init__(self, token: str, ages: list[float]) -> None:
        self._token, self._ages = token, ages
        self._transport: asyncio.BaseTransport | None = None
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(f"GET /live HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {self._token}\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        """Note the age of every observation in the piece."""
        now = time.time()
        if not self.open.done():
            self.open.set_result(None)
        at = data.find(KNOWN)
        while at >= 0:
            start = at + len(KNOWN)
            end = data.find(b'"', start)
            if end < 0:
                return
            self._ages.append(now - datetime.fromisoformat(data[start:end].decode()).timestamp())
            at = data.find(KNOWN, end)

    def connection_lost(self, exc: Exception | None) -> None:
        """The server closed it."""
        if not self.open.done():
            self.open.set_exception(exc or ConnectionResetError("the stream was closed"))

    def close(self) -> None:
        """Leave."""
        if self._transport is not None:
            self._transport.close()


async def listen(port: int, tokens: list[str], clients: int) -> tuple[list[Stream], list[float]]:
    """Open the streams, a few at a time, the tokens in turn; the streams and the ages they will note."""
    loop = asyncio.get_running_loop()
    ages: list[float] = []
    streams: list[Stream] = []
    for first in range(0, clients, 50):
        group = []
        for number in range(first, min(first + 50, clients)):
            token = tokens[number % len(tokens)]
            _, stream = await loop.create_connection(partial(Stream, token, ages), "127.0.0.1", port)
            group.append(stream)
        await asyncio.gather(*(stream.open for stream in group))
        streams += group
    return streams, ages
