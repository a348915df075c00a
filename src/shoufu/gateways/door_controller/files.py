"""The only way by which the controller touches the disk, so that a power cut can be simulated below it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol


class Appender(Protocol):
    """A file that only grows."""

    def write(self, content: bytes) -> None:
        """Append; durable only after :meth:`sync`."""

    def sync(self) -> None:
        """Return when everything written is on the disk."""

    def close(self) -> None:
        """Give the file back; does not sync."""


class Files(Protocol):
    """Files of one folder."""

    def names(self) -> list[str]:
        """Names, sorted."""

    def read(self, name: str) -> bytes | None:
        """The whole content; None where there is no such file."""

    def replace(self, name: str, content: bytes) -> None:
        """Put a file in place whole and durably: afterwards, or after a power cut, it is the old or the new one."""

    def append(self, name: str) -> Appender:
        """A new file, durable by name when this returns."""

    def remove(self, name: str) -> None:
        """Remove a file; after a power cut it may be back."""


class _Handle:
    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def write(self, content: bytes) -> None:
        view = memoryview(content)
        while view:
            view = view[os.write(self._handle, view) :]

    def sync(self) -> None:
        os.fdatasync(self._handle)

    def close(self) -> None:
        os.close(self._handle)


class DiskFiles:
    """A folder of a real disk."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder

    def names(self) -> list[str]:
        """See :class:`Files`."""
        return sorted(path.name for path in self._folder.iterdir() if path.is_file())

    def read(self, name: str) -> bytes | None:
        """See :class:`Files`."""
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def replace(self, name: str, content: bytes) -> None:
        """Temporary file, fsync, rename, fsync of the folder."""
        temporary = self._folder / f"{name}.new"
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._folder / name)
        self._sync_folder()

    def append(self, name: str) -> Appender:
        """See :class:`Files`."""
        handle = _Handle(self._folder / name)
        self._sync_folder()
        return handle

    def remove(self, name: str) -> None:
        """See :class:`Files`."""
        (self._folder / name).unlink(missing_ok=True)

    def _sync_folder(self) -> None:
        handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
