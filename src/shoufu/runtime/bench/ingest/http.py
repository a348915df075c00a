"""Load over HTTP: keep-alive connections, each with one request under way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial


@dataclass
class Tally:
    """What the load saw: observations acknowledged, seconds of each request, answers that were not 200."""

    acknowledged: int = 0
    latencies: list[float] = field(default_factory=list)
    refused: int = 0


class Client(asyncio.Protocol):
    """Sends a body as soon as the last is answered."""

    def __init__(self, head: bytes, body: Callable[[], bytes], size: int, tally: Tally) -> None:
        self._head, self._body, self._size, self._tally = head, body, size, tally
        self._transport: asyncio.Transport | None = None
        self._answer = b""
        self._sent = 0.0
        self._running = True
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def stop(self) -> None:
        """No further request after this one."""
        self._running = False

    def _send(self) -> None:
        assert self._transport is not None
        body = self._body()
        self._sent = time.perf_counter()
        self._transport.write(self._head + b"content-length: %d\r\n\r\n" % len(body) + body)

    def data_received(self, data: bytes) -> None:
        """Count a whole answer and go on."""
        answer = self._answer + data if self._answer else data
        end = answer.find(b"\r\n\r\n")
        if end < 0:
            self._answer = answer
            return
        start = answer.index(b"content-length: ") + 16
        if len(answer) - end - 4 < int(answer[start : answer.index(b"\r", start)]):
            self._answer = answer
            return
        self._answer = b""
        self._tally.latencies.append(time.perf_counter() - self._sent)
        if answer.startswith(b"HTTP/1.1 200"):
            self._tally.acknowledged += self._size
        else:
            self._tally.refused += 1
        if self._running:
            return self._send()
        assert self._transport is not None
        return self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end."""
        if not self.done.done():
            self.done.set_result(None)


async def load(
    port: int, secrets: list[str], body: Callable[[], bytes], size: int, seconds: float
) -> tuple[Tally, float]:
    """Load for so many seconds, one connection a secret; the tally and the seconds until the last answer."""
    loop = asyncio.get_running_loop()
    tally = Tally()
    began = time.perf_counter()
    clients = []
    for secret in secrets:
        head = (
            "POST /v1/observations HTTP/1.1\r\nhost: 127.0.0.1\r\n"
            f"authorization: Bearer {secret}\r\ncontent-type: application/json\r\n"
        ).encode()
        _, client = await loop.create_connection(partial(Client, head, body, size, tally), "127.0.0.1", port)
        clients.append(client)
    await asyncio.sleep(seconds)
    for client in clients:
        client.stop()
    await asyncio.gather(*(client.done for client in clients))
    return tally, time.perf_counter() - began
