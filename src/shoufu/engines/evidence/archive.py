import hashlib
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

CHUNK = 1 << 20
LIMIT = (1 << 32) - 1
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_VERSION, _MADE_BY, _DATE, _MODE = 20, 0x0314, 0x0021, 0o100644 << 16


@dataclass(frozen=True)
class Entry:
    """A file in the archive: all that its headers say."""

    name: str
    crc: int
    size: int
    sha256: str = ""

    def local(self) -> bytes:
        """The header in front of the file's bytes."""
        name = self.name.encode("ascii")
        head = _LOCAL.pack(b"PK\x03\x04", _VERSION, 0, 0, 0, _DATE, self.crc, self.size, self.size, len(name), 0)
        return head + name

    def central(self, offset: int) -> bytes:
        """Its line in the directory at the end."""
        name = self.name.encode("ascii")
        head = _CENTRAL.pack(
            b"PK\x01\x02", _MADE_BY, _VERSION, 0, 0, 0, _DATE, self.crc, self.size, self.size,
            len(name), 0, 0, 0, 0, _MODE, offset,
        )  # fmt: skip
        return head + name


def directory(entries: Sequence[Entry]) -> tuple[list[int], bytes]:
    """Where each file's header begins, and all bytes after the last file (ZIP directory and end record)."""
    offsets, position = [], 0
    for entry in entries:
        offsets.append(position)
        position += len(entry.local()) + entry.size
    central = b"".join(entry.central(offset) for entry, offset in zip(entries, offsets, strict=True))
    end = _END.pack(b"PK\x05\x06", 0, 0, len(entries), len(entries), len(central), position, 0)
    return offsets, central + end


def chunks(source: bytes | Path) -> Iterator[bytes]:
    """The bytes of a file, a piece at a time."""
    if isinstance(source, bytes):
        yield source
        return
    with source.open("rb") as file:
        while piece := file.read(CHUNK):
            yield piece


class CanonicalZip:
    """Writes a ZIP (APPNOTE 6.3) in which nothing is free: stored, not compressed; one date; no extra fields.

    So the whole file follows from names and contents, and a verifier can say of every byte what it must be.
    Names are ASCII; the whole stays below 4 GiB.
    """

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("wb")
        self.entries: list[Entry] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._file.write(directory(self.entries)[1])
        finally:
            self._file.close()

    def add(self, name: str, source: bytes | Path) -> Entry:
        """Append a file; what it is (CRC, size, SHA-256). Raises ValueError for a name or size that does not fit."""
        if any(entry.name == name for entry in self.entries):
            raise ValueError(f"{name} is in the archive already")
        entry = measure(name, chunks(source))
        if self._file.tell() + entry.size > LIMIT - CHUNK:
            raise ValueError("the bundle would pass 4 GiB; choose a shorter span or fewer pictures")
        self._file.write(entry.local())
        for piece in chunks(source):
            self._file.write(piece)
        self.entries.append(entry)
        return entry


def measure(name: str, pieces: Iterable[bytes]) -> Entry:
    """CRC-32, size and SHA-256 of a file's bytes."""
    crc, size, sha = 0, 0, hashlib.sha256()
    for piece in pieces:
        crc, size = zlib.crc32(piece, crc), size + len(piece)
        sha.update(piece)
    return Entry(name, crc, size, sha.hexdigest())
