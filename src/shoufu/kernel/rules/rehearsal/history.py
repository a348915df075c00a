"""Closed days as Parquet: one file a shard, day and kind, rows in total order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from shoufu.kernel.rules.rehearsal.frames import Part, columns_of
from shoufu.kernel.rules.spec import KindLike

ROW_GROUP = 1 << 20
LEVEL = 3


@dataclass(frozen=True)
class History:
    """The folder that holds the archive; `root/shard-0/2026-11-22/door.state.parquet`."""

    root: Path

    def folder(self, shard: int, day: date) -> Path:
        return self.root / f"shard-{shard}" / day.isoformat()

    def write(self, shard: int, day: date, tables: Iterable[tuple[str, pa.Table]]) -> int:
        """Write a day, one table a kind, in place of what was there; returns the bytes. Readers see old or new."""
        folder = self.folder(shard, day)
        draft = folder.with_name(f".{folder.name}.{os.getpid()}")
        draft.mkdir(parents=True)
        size = 0
        for kind, table in tables:
            path = draft / f"{kind}.parquet"
            write_table(table, path)
            size += path.stat().st_size
        old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
        if folder.exists():
            folder.rename(old)
        draft.rename(folder)
        _remove(old)
        return size

    def part(self, shard: int, day: date, code: str, kind: KindLike) -> Part | None:
        """The rows of a kind on a day; None where there were none."""
        path = self.folder(shard, day) / f"{code}.parquet"
        return read_part(path, code, kind.schema) if path.exists() else None

    def has(self, shard: int, day: date) -> bool:
        return self.folder(shard, day).is_dir()


def _remove(folder: Path) -> None:
    if folder.is_dir():
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


def write_table(table: pa.Table, path: Path) -> None:
    """Dictionaries for texts, deltas for times, zstd over all."""
    texts = [field.name for field in table.schema if pa.types.is_dictionary(field.type)]
    numbers = {"t": "DELTA_BINARY_PACKED", "device": "PLAIN", "place": "PLAIN"}
    encodings = {name: code for name, code in numbers.items() if name in table.schema.names}
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=LEVEL,
        use_dictionary=texts,
        column_encoding=encodings,
        row_group_size=ROW_GROUP,
        store_schema=True,
    )


def read_part(path: Path, code: str, schema: Mapping[str, Any]) -> Part:
    """A file as a part; each call of its reader opens the file anew, so that nothing stays open."""
    fields, hidden = columns_of(schema, pq.read_schema(path))
    return Part(code, fields, hidden, _reader(path))


def _reader(path: Path) -> Callable[[Sequence[str]], pa.Table]:
    def read(names: Sequence[str]) -> pa.Table:
        return pq.read_table(path, columns=list(names), use_threads=False, memory_map=True)

    return read
