"""One supervisor a data directory."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from shoufu.runtime.data import problem_of
from shoufu.runtime.errors import Problem


class DirectoryLock:
    """Held from :meth:`take` until the process ends, however it ends (``flock``)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle = -1

    def take(self) -> None:
        """Take the lock, or :class:`Problem` naming the process that holds it."""
        try:
            self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise problem_of(self.path, error) from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(self._handle, 32).decode().strip() or "unknown"
            os.close(self._handle)
            raise Problem(
                f"Shoufu already runs on the data directory {self.path.parent.parent} (process {holder}): "
                "stop it first, or set SHOUFU_DATA to another directory."
            ) from error
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the lock back."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
