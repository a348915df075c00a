"""One rotating log file a process."""

from __future__ import annotations

import collections
from pathlib import Path
from typing import BinaryIO

LIMIT = 5 * 1024 * 1024
KEEP = 3
TAIL = 40


class LogFile:
    """Appends lines; at 5 MB the file becomes ``NAME.log.1`` and so on, three old ones are kept.

    A full disk loses lines of the log, never the process: ``failed`` then holds the reason.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.failed = ""
        self.tail: collections.deque[str] = collections.deque(maxlen=TAIL)
        self._file: BinaryIO | None = None

    def write(self, line: bytes) -> None:
        """Append one line (with its newline)."""
        self.tail.append(line.decode(errors="replace").rstrip())
        try:
            file = self._open()
            file.write(line)
            file.flush()
            if file.tell() > LIMIT:
                self._rotate()
        except OSError as error:
            self.failed = f"{self.path}: {error.strerror}"
            return
        self.failed = ""

    def close(self) -> None:
        """Close the file; a later write opens it again."""
        if self._file:
            self._file.close()
        self._file = None

    def _open(self) -> BinaryIO:
        if self._file is None:
            self._file = self.path.open("ab")
        return self._file

    def _rotate(self) -> None:
        self.close()
        for number in range(KEEP - 1, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number}")
            if older.exists():
                older.replace(self.path.with_name(f"{self.path.name}.{number + 1}"))
        self.path.replace(self.path.with_name(f"{self.path.name}.1"))
