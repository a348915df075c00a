"""What lies inside files: archives, compressed parts, columns of Parquet, texts in pictures."""

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

CHUNK = 4 << 20
MOST_INSIDE = 512 << 20
DEEPEST = 3
PDF_STREAM = re.compile(rb"stream\r?\n")


class Unreadable(ValueError):
    """A file that says it is an archive but cannot be opened."""


def strings_of_parquet(path: Path) -> Iterator[str]:
    """The different texts of every column that holds texts, one a line."""
    file = pq.ParquetFile(path)
    for group in range(file.num_row_groups):
        table = file.read_row_group(group)
        for column in table.columns:
            found = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
            if pa.types.is_string(found) or pa.types.is_large_string(found):
                yield "\n".join(text for text in column.unique().to_pylist() if text)


def inside(data: bytes, depth: int = 0) -> Iterator[tuple[str, bytes]]:
    """The parts inside a file's bytes, (name, bytes): of archives, compressed frames, texts of PNG, streams of PDF."""
    if depth >= DEEPEST:
        return
    try:
        for name, part in _parts(data):
            yield name, part
            yield from inside(part, depth + 1)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, zstandard.ZstdError, RuntimeError) as error:
        raise Unreadable(str(error)) from error


def _parts(data: bytes) -> Iterator[tuple[str, bytes]]:
    if data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.infolist():
                yield member.filename, member.filename.encode()
                if member.file_size <= MOST_INSIDE:
                    yield member.filename, archive.read(member)
    elif data[:2] == b"\x1f\x8b":
        yield "gzip", gzip.decompress(data)
    elif data[:4] == b"\x28\xb5\x2f\xfd":
        yield "zstd", zstandard.ZstdDecompressor().decompress(data, max_output_size=MOST_INSIDE)
    elif data[:8] == b"\x89PNG\r\n\x1a\n":
        yield from _png_texts(data)
    elif data[:5] == b"%PDF-":
        yield from _pdf_streams(data)


def _png_texts(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Compressed texts of a PNG (zTXt, iTXt: PNG specification, 11.3.4); plain ones lie open in the file."""
    at = 8
    while at + 12 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        body = data[at + 8 : at + 8 + size]
        at += size + 12
        if kind == b"zTXt":
            yield "zTXt", zlib.decompress(body.partition(b"\x00")[2][1:])
        elif kind == b"iTXt" and body.partition(b"\x00")[2][:1] == b"\x01":
            rest = body.partition(b"\x00")[2][2:]
            yield "iTXt", zlib.decompress(rest.split(b"\x00", 2)[2])


def _pdf_streams(data: bytes) -> Iterator[tuple[str, bytes]]:
    for match in PDF_STREAM.finditer(data):
        inflater = zlib.decompressobj()
        try:
            yield "stream", inflater.decompress(data[match.end() :], MOST_INSIDE)
        except zlib.error:
            continue  # not deflated: it lies open in the file
