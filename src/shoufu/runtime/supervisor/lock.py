"""One supervisor a data directory."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from shoufu.runtime.data import problem_of
from shoufu.runtime.errors import Problem

PATIENCE = 25.0


class DirectoryLock:
    """Held from :meth:`take` until the process ends, however it ends (``flock``)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle = -1

    @property
    def handle(self) -> int:
        """The open file that holds the lock; -1 where it is not held."""
        return self._handle

    def take(self) -> None:
        """Take the lock, or :class:`Problem` naming the process that holds it.

        Where that supervisor was killed, its last processes are given a moment to end.
        """
        try:
            self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise problem_of(self.path, error) from error
        deadline = time.monotonic() + PATIENCE
        while not self._try():
            holder = os.pread(self._handle, 32, 0).decode().strip()
            if time.monotonic() < deadline and not Path(f"/proc/{holder or '-'}").exists():
                time.sleep(0.1)
                continue
            self.release()
            raise Problem(
                f"Shoufu already runs on the data directory {self.path.parent.parent} (process {holder or 'unknown'}): "
                "stop it first, or set SHOUFU_DATA to another directory."
            )
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, f"{os.getpid()}\n".encode(), 0)

    def _try(self) -> bool:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Give the lock back."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
