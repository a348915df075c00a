"""A child process seen from the event loop: its lines and its end.

``asyncio.subprocess`` reports the end only when every holder of the pipe has gone, so a grandchild that outlives its
killed parent would keep that from being restarted; a pidfd tells at once.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable
from typing import Any

LINE_LIMIT = 1 << 20
DRAIN_SECONDS = 1.0


class Child:
    """A running child; its output (stdout and stderr together) goes to ``on_line``, line by line."""

    def __init__(self, argv: tuple[str, ...], on_line: Callable[[bytes], None], **options: Any) -> None:
        self._process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0, **options
        )
        self._on_line = on_line
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._pidfd = os.pidfd_open(self._process.pid)
        self._loop.add_reader(self._pidfd, self._reap)
        self._copying = asyncio.create_task(self._copy())

    @property
    def pid(self) -> int:
        """Its process id; it stays after the end."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return not self._ended.is_set()

    def send_signal(self, number: int) -> None:
        """Send a signal; nothing happens when it has ended."""
        self._process.send_signal(number)

    async def wait(self) -> int:
        """Its exit code (negative: the signal that ended it), as soon as it has ended."""
        await self._ended.wait()
        return self._process.wait()

    async def drain(self) -> None:
        """Take the last lines, but do not wait for others that hold the pipe."""
        await asyncio.wait({self._copying}, timeout=DRAIN_SECONDS)
        self._copying.cancel()

    def _reap(self) -> None:
        self._process.wait()
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._ended.set()

    async def _copy(self) -> None:
        reader = asyncio.StreamReader(limit=LINE_LIMIT)
        transport, _ = await self._loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), self._process.stdout
        )
        try:
            while line := await self._line(reader):
                self._on_line(line)
        finally:
            transport.close()

    async def _line(self, reader: asyncio.StreamReader) -> bytes:
        while True:
            try:
                return await reader.readline()
            except ValueError:  # longer than the limit: the reader has dropped it
                continue
