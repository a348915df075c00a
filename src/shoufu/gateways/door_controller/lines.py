"""Lines to readers: TCP or a serial port, kept open; and readers that send text."""

from __future__ import annotations

import asyncio
import os
import termios
from collections.abc import Callable
from typing import Any

import structlog

log = structlog.get_logger("door")

PAUSE = 2.0
LONGEST_TEXT = 512
SPEEDS = {
    9600: termios.B9600,
    19200: termios.B19200,
    38400: termios.B38400,
    57600: termios.B57600,
    115200: termios.B115200,
}


async def keep(address: str, make: Callable[[], Any]) -> None:
    """Hold a line: connect, wait until its protocol's ``closed``, connect again. Until cancelled."""
    while True:
        try:
            protocol = await _connect(address, make)
            await protocol.closed
        except (OSError, termios.error) as error:
            log.warning("line down", address=address, reason=str(error))
        await asyncio.sleep(PAUSE)


async def _connect(address: str, make: Callable[[], Any]) -> Any:
    kind, _, rest = address.partition(":")
    loop = asyncio.get_running_loop()
    if kind == "tcp":
        host, _, port = rest.rpartition(":")
        _, protocol = await loop.create_connection(make, host, int(port))
        return protocol
    if kind != "serial":
        raise OSError(f"{address}: a line begins with tcp: or serial:")
    path, _, speed = rest.partition(":")
    return await _serial(loop, path, int(speed or 9600), make)


async def _serial(loop: asyncio.AbstractEventLoop, path: str, speed: int, make: Callable[[], Any]) -> Any:
    handle = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    mode = termios.tcgetattr(handle)
    mode[0] = mode[1] = mode[3] = 0
    mode[2] = termios.CS8 | termios.CREAD | termios.CLOCAL
    mode[4] = mode[5] = SPEEDS.get(speed, termios.B9600)
    termios.tcsetattr(handle, termios.TCSANOW, mode)
    protocol = make()
    writer, _ = await loop.connect_write_pipe(asyncio.Protocol, os.fdopen(os.dup(handle), "wb", buffering=0))

    class Both(asyncio.Protocol):
        """Reads of the one end belong to the protocol, which writes to the other."""

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            protocol.connection_made(writer)

        def data_received(self, data: bytes) -> None:
            protocol.data_received(data)

        def connection_lost(self, exc: Exception | None) -> None:
            writer.close()
            protocol.connection_lost(exc)

    await loop.connect_read_pipe(Both, os.fdopen(handle, "rb", buffering=0))
    return protocol


class TextLine(asyncio.Protocol):
    """A reader that sends each code as ASCII and CR, and shows a line that is sent to it."""

    def __init__(self, told: Callable[[bytes], None]) -> None:
        self._told = told
        self._rest = b""
        self._transport: asyncio.WriteTransport | None = None
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The reader is there."""
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        """The reader is gone."""
        self._transport = None
        if not self.closed.done():
            self.closed.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Text comes; a line that never ends is dropped."""
        *lines, self._rest = (self._rest + data).replace(b"\n", b"\r").split(b"\r")
        if len(self._rest) > LONGEST_TEXT:
            self._rest = b""
        for line in lines:
            if line and len(line) <= LONGEST_TEXT:
                self._told(line)

    def answer(self, granted: bool, words: str) -> None:
        """Show the answer: ``+`` or ``-`` and the words, UTF-8, CR."""
        if self._transport is not None:
            self._transport.write(("+" if granted else "-").encode() + words.encode() + b"\r")
