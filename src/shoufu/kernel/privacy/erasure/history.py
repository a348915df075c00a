"""Erasure in the archive: rows that name the person go out of the Parquet files of closed days."""

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.conf import settings
from django.db.models import F

from shoufu.kernel.rules.models import HistoryDay
from shoufu.kernel.rules.rehearsal.history import write_table


@dataclass(frozen=True)
class Rewritten:
    """How many rows of how many files."""

    files: int = 0
    rows: int = 0


def _mask(table: pa.Table, known: re.Pattern[str] | None, features: Collection[str], kept: set[bytes]) -> pa.Array:
    """Which rows name the person."""
    found = np.zeros(table.num_rows, dtype=bool)
    for name in table.column_names:
        column = table[name]
        plain = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if not pa.types.is_string(plain):
            continue
        values = [
            text
            for text in column.unique().to_pylist()
            if text and ((known is not None and known.search(text)) or (name == "foi" and text in features))
        ]
        if values:
            texts = column.cast(pa.string())
            found |= pc.is_in(texts, value_set=pa.array(values)).to_numpy(zero_copy_only=False).astype(bool)
    if kept and found.any() and "id" in table.column_names:
        found &= ~np.array([value.as_py() in kept for value in table["id"]], dtype=bool)
    return pa.array(found)


def _files() -> Iterator[Path]:
    root = Path(settings.HISTORY_ROOT)
    yield from sorted(root.rglob("*.parquet")) if root.is_dir() else ()


def erase(wanted: str, features: Collection[str], kept: Collection[str], *, write: bool) -> Rewritten:
    """Take the rows out, file by file: a new file beside the old one, then renamed over it."""
    known = re.compile(wanted, re.IGNORECASE) if wanted else None
    held = {UUID(text).bytes for text in kept}
    files = rows = 0
    for path in _files():
        table = pq.ParquetFile(path).read()
        mask = _mask(table, known, features, held)
        gone = int(pc.sum(mask).as_py() or 0)
        if not gone:
            continue
        files, rows = files + 1, rows + gone
        if write:
            _replace(path, table.filter(pc.invert(mask)), gone)
    return Rewritten(files, rows)


def _replace(path: Path, table: pa.Table, gone: int) -> None:
    before = path.stat().st_size
    after = 0
    if table.num_rows:
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        write_table(_trimmed(table), draft)
        after = draft.stat().st_size
        os.replace(draft, path)
    else:
        path.unlink()
    days = HistoryDay.objects.filter(shard=int(path.parent.parent.name.removeprefix("shard-")), day=_day(path))
    days.update(rows=F("rows") - gone, size=F("size") + (after - before))


def _trimmed(table: pa.Table) -> pa.Table:
    """Dictionaries without the values that no row has any more: a filter keeps them, and they would name the person."""
    columns = []
    for field in table.schema:
        column = table[field.name]
        if pa.types.is_dictionary(field.type):
            column = column.cast(field.type.value_type).combine_chunks().dictionary_encode()
        columns.append(column)
    return pa.table(columns, names=table.schema.names).cast(table.schema)


def _day(path: Path) -> date:
    return date.fromisoformat(path.parent.name)
