"""Rows as columns: what a rehearsal reads, from Parquet or from the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from shoufu.engines.cel import Unsupported
from shoufu.engines.cel.vector import Column, Dictionary
from shoufu.kernel.rules.evaluation import Row
from shoufu.kernel.rules.spec import KindLike

BASE = ("t", "device", "place", "late")
TYPES: Mapping[str, pa.DataType] = {
    "string": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
}
REST = "rest"
"""The column with what has no column of its own (arrays, objects, fields beside the schema), as JSON text."""
PREFIX = "result."


def result_fields(schema: Mapping[str, Any]) -> dict[str, pa.DataType]:
    """The fields of a kind's result that get a column of their own: scalars that the schema declares."""
    properties: Mapping[str, Any] = schema.get("properties") or {}
    return {
        name: TYPES[spec["type"]]
        for name, spec in properties.items()
        if isinstance(spec, Mapping) and isinstance(spec.get("type"), str) and spec["type"] in TYPES
    }


def table_schema(kind: KindLike) -> pa.Schema:
    """The columns of a kind's rows: `t` in microseconds, ids as 16 bytes, `late` as the live evaluator judged it."""
    fields = [
        ("t", pa.int64()),
        ("device", pa.int64()),
        ("place", pa.int64()),
        ("late", pa.bool_()),
        ("id", pa.binary(16)),
        ("code", pa.dictionary(pa.int32(), pa.string())),
        ("foi", pa.dictionary(pa.int32(), pa.string())),
        *((PREFIX + name, _stored(found)) for name, found in result_fields(kind.schema).items()),
        (REST, pa.string()),
    ]
    return pa.schema(fields)


def _stored(found: pa.DataType) -> pa.DataType:
    return pa.dictionary(pa.int32(), pa.string()) if found == pa.string() else found


def hidden_fields(schema: Mapping[str, Any]) -> frozenset[str] | None:
    """Declared fields that have no column of their own; None where the schema lets any further field in."""
    properties: Mapping[str, Any] = schema.get("properties") or {}
    if schema.get("additionalProperties", True) is not False:
        return None
    return frozenset(properties) - frozenset(result_fields(schema))


def build_table(rows: Iterable[tuple[int, Row, bool]], kind: KindLike) -> pa.Table:
    """Rows (time in microseconds, row, late) of one kind, in total order, as a table.

    The metadata `odd` lists fields of which some value did not fit its column and went to the rest.
    """
    odd: set[str] = set()
    names = result_fields(kind.schema)
    columns: dict[str, list[Any]] = {name: [] for name in table_schema(kind).names}
    for t, row, late in rows:
        columns["t"].append(t)
        columns["device"].append(row.device_id)
        columns["place"].append(row.place_id)
        columns["late"].append(late)
        columns["id"].append(UUID(row.id).bytes)
        columns["code"].append(row.device)
        columns["foi"].append(row.foi)
        odd |= _split_result(row.result, names, columns)
    schema = table_schema(kind).with_metadata({b"odd": msgspec.json.encode(sorted(odd))})
    return pa.table(columns, schema=schema)


def _split_result(result: Any, names: Mapping[str, pa.DataType], columns: dict[str, list[Any]]) -> set[str]:
    rest: dict[str, Any] = dict(result)
    for name, found in names.items():
        value = rest.get(name)
        fits = value is not None and _fits(value, found)
        columns[PREFIX + name].append(rest.pop(name) if fits else None)
    columns[REST].append(msgspec.json.encode(rest).decode() if rest else None)
    return rest.keys() & names.keys()


def _fits(value: Any, found: pa.DataType) -> bool:
    """Whether the column gives back an equal value; 3.0 for an integer, say, stays in the rest."""
    if found == pa.float64():
        return type(value) is float or (type(value) is int and abs(value) <= 1 << 53)
    if found == pa.int64():
        return type(value) is int and abs(value) < 1 << 63
    return type(value) is (bool if found == pa.bool_() else str)


def columns_of(schema: Mapping[str, Any], stored: pa.Schema) -> tuple[frozenset[str], frozenset[str] | None]:
    """The fields that a stored table has columns for, and those that may hide in its rest (None: any)."""
    odd = frozenset(msgspec.json.decode((stored.metadata or {}).get(b"odd", b"[]")))
    fields = frozenset(name.removeprefix(PREFIX) for name in stored.names if name.startswith(PREFIX))
    hidden = hidden_fields(schema)
    return fields, None if hidden is None else hidden | odd | (frozenset(result_fields(schema)) - fields)


Reader = Callable[[Sequence[str]], pa.Table]
"""Reads the named columns of all rows."""


@dataclass
class Part:
    """The rows of one kind in one frame, in total order; columns are read when they are first asked for."""

    kind: str
    fields: frozenset[str]
    hidden: frozenset[str] | None
    read: Reader
    _columns: dict[str, pa.ChunkedArray] = field(default_factory=dict)

    def load(self, names: Iterable[str]) -> None:
        """Read these columns in one go."""
        missing = [name for name in dict.fromkeys(names) if name not in self._columns]
        if missing:
            table = self.read(missing)
            self._columns |= {name: table.column(name) for name in missing}

    def column(self, name: str) -> pa.ChunkedArray:
        self.load([name])
        return self._columns[name]

    def numbers(self, name: str) -> NDArray[Any]:
        """A column without nulls."""
        return self.column(name).to_numpy()

    @property
    def count(self) -> int:
        return len(self.column("t"))

    def release(self) -> None:
        """Let go of the columns; they are read again when asked for."""
        self._columns.clear()

    @staticmethod
    def of_table(kind: str, schema: Mapping[str, Any], table: pa.Table) -> Part:
        """A part of a table in memory."""
        return Part(kind, *columns_of(schema, table.schema), read=lambda names: table.select(list(names)))

    def between(self, since: int, until: int) -> Part:
        """The rows with since ≤ t < until (microseconds); the part itself where that is all of them."""
        t = self.numbers("t")
        first, last = np.searchsorted(t, [since, until]).tolist()
        if (first, last) == (0, len(t)):
            return self
        return Part(self.kind, self.fields, self.hidden, lambda names: self.read(names).slice(first, last - first))

    def result(self, name: str) -> Column | None:
        """The column of a field of the result, masked where it is missing; None where no row can have it.

        Raises Unsupported for a field that lies in the rest.
        """
        if self.hidden is None or name in self.hidden:
            raise Unsupported(f"the field {name} of {self.kind} has no column of its own")
        return _as_column(self.column(PREFIX + name)) if name in self.fields else None

    def rows(self, indices: Sequence[int]) -> list[tuple[int, Row]]:
        """These rows as the live evaluator sees them, with their times in microseconds."""
        names = ["t", "device", "place", "id", "code", "foi", *(PREFIX + name for name in sorted(self.fields)), REST]
        self.load(names)
        picked = pa.table({name: self.column(name).take(pa.array(indices, pa.int64())) for name in names})
        return [self._row(values) for values in picked.to_pylist()]

    def _row(self, values: dict[str, Any]) -> tuple[int, Row]:
        found = {name: values[PREFIX + name] for name in self.fields if values[PREFIX + name] is not None}
        if values[REST]:
            found |= msgspec.json.decode(values[REST])
        row = Row(
            id=str(UUID(bytes=values["id"])),
            t=values["t"] / 1e6,
            kind=self.kind,
            device=values["code"],
            device_id=values["device"],
            place_id=values["place"],
            shard=0,
            foi=values["foi"],
            result=found,
        )
        return values["t"], row


def _as_column(column: pa.ChunkedArray) -> Column:
    """An Arrow column as the CEL engine takes it."""
    if pa.types.is_dictionary(column.type):
        return _dictionary(column)
    array = column.combine_chunks()
    if not array.null_count:
        return array.to_numpy(zero_copy_only=False)
    missing = array.is_null().to_numpy(zero_copy_only=False)
    filler = False if pa.types.is_boolean(array.type) else 0
    return np.ma.MaskedArray(array.fill_null(filler).to_numpy(zero_copy_only=False), missing)


def _dictionary(column: pa.ChunkedArray) -> Dictionary:
    array = column.unify_dictionaries().combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks else pa.array([], column.type)
    codes = array.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return Dictionary(codes, array.dictionary.to_pylist())


class Frame:
    """Rows of some kinds over a span in total order; columns and the order are found when first asked for."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self.parts = sorted(parts, key=lambda part: part.kind)
        self.single = len(self.parts) == 1
        self._order: tuple[NDArray[np.int16], NDArray[np.int64]] | None = None
        self._base: dict[str, NDArray[Any]] = {}

    @property
    def count(self) -> int:
        return len(self.t)

    @property
    def t(self) -> NDArray[np.int64]:
        return self._column("t")

    @property
    def device(self) -> NDArray[np.int64]:
        return self._column("device")

    @property
    def place(self) -> NDArray[np.int64]:
        return self._column("place")

    @property
    def late(self) -> NDArray[np.bool_]:
        return self._column("late")

    def _column(self, name: str) -> NDArray[Any]:
        found = self._base.get(name)
        if found is None:
            pieces = [part.numbers(name) for part in self.parts]
            found = self._base[name] = pieces[0] if self.single else self._place(pieces)
        return found

    def preload(self, fields: Iterable[str]) -> None:
        """Read the base columns and these (CEL names) in one go."""
        names = {name.removeprefix(PREFIX) for name in fields if name.startswith(PREFIX)}
        further = [column for name, column in (("device", "code"), ("feature", "foi")) if name in fields]
        for part in self.parts:
            part.load([*BASE, *further, *(PREFIX + name for name in sorted(names & part.fields))])

    def _places(self) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
        """For each row in total order its part and its place there."""
        if self._order is None:
            sizes = [part.count for part in self.parts]
            number = np.repeat(np.arange(len(self.parts), dtype=np.int16), sizes)
            row = np.concatenate([np.arange(size) for size in sizes] or [np.zeros(0, np.int64)])
            if not self.single:
                t, device = (_joined([part.numbers(name) for part in self.parts]) for name in ("t", "device"))
                order = np.lexsort((row, number, device, t))
                number, row = number[order], row[order]
            self._order = number, row
        return self._order

    def select(self, name: str) -> Column | None:
        """The column of a field of the result over all rows, fully masked where no kind has it."""
        columns = [part.result(name) for part in self.parts]
        if self.single:
            return columns[0]
        present = [column for column in columns if column is not None]
        if not present:
            return None
        if all(isinstance(column, Dictionary) for column in present):
            return self._texts(columns)
        return self._values(columns)

    def feature(self) -> Dictionary:
        return self._texts([_dictionary(part.column("foi")) for part in self.parts])

    def code(self) -> Dictionary:
        """Device codes."""
        return self._texts([_dictionary(part.column("code")) for part in self.parts])

    def kind(self) -> Dictionary:
        return Dictionary(self._places()[0], [part.kind for part in self.parts])

    def rows(self, indices: NDArray[np.int64]) -> dict[int, tuple[int, Row]]:
        """The rows at these places of the frame with their times, by place."""
        if self.single:
            return dict(zip(indices.tolist(), self.parts[0].rows(indices.tolist()), strict=True))
        numbers, places = self._places()
        found: dict[int, tuple[int, Row]] = {}
        for number, part in enumerate(self.parts):
            chosen = indices[numbers[indices] == number]
            found |= dict(zip(chosen.tolist(), part.rows(places[chosen].tolist()), strict=True))
        return found

    def release(self) -> None:
        """Let go of all columns; they are read again when asked for."""
        self._base.clear()
        self._order = None
        for part in self.parts:
            part.release()

    def _texts(self, columns: Sequence[Column | None]) -> Dictionary:
        if self.single and isinstance(columns[0], Dictionary):
            return columns[0]
        values: dict[str, int] = {}
        pieces = []
        for number, column in enumerate(columns):
            if not isinstance(column, Dictionary):
                pieces.append(np.full(self.parts[number].count, -1, np.int64))
                continue
            table = np.array([values.setdefault(text, len(values)) for text in column.values] + [-1], np.int64)
            pieces.append(table[column.codes])
        return Dictionary(self._place(pieces), list(values))

    def _values(self, columns: Sequence[Column | None]) -> Column | None:
        sizes = [part.count for part in self.parts]
        types = {column.dtype for column in columns if column is not None and not isinstance(column, Dictionary)}
        if len(types) != 1 or any(isinstance(column, Dictionary) for column in columns):
            return None
        dtype = types.pop()
        data = [
            np.zeros(size, dtype) if column is None else np.ma.getdata(column)  # type: ignore[arg-type]
            for column, size in zip(columns, sizes, strict=True)
        ]
        mask = [
            np.ones(size, np.bool_) if column is None else np.ma.getmaskarray(column)  # type: ignore[arg-type]
            for column, size in zip(columns, sizes, strict=True)
        ]
        return np.ma.MaskedArray(self._place(data), self._place(mask))

    def _place(self, pieces: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Pieces in the order of the parts, as one array in the order of the frame."""
        joined = _joined(pieces)
        starts = np.cumsum([0, *(len(piece) for piece in pieces)])[:-1]
        numbers, places = self._places()
        return joined[starts[numbers] + places]


def _joined(pieces: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(pieces) if pieces else np.zeros(0, np.int64)
