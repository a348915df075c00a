"""Columns, and what is computed from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shoufu.engines.cel.errors import Unsupported
from shoufu.engines.cel.types import Kind

Array = NDArray[Any]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Dictionary:
    """A column of few different texts: row i has `values[codes[i]]`, and none where the code is negative.

    This is what Arrow and Parquet call dictionary encoding; it is the fastest way to give texts.
    """

    codes: NDArray[np.integer[Any]]
    values: Sequence[str]


Column = Array | Dictionary
"""A variable or field over all rows: bool; integers; float64 for doubles; int64 nanoseconds or datetime64 for
timestamps; texts as object or U array or as `Dictionary`. The mask of a masked array says where it is missing."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """Values over all rows (or one value for all), and where there is an error instead (None: nowhere)."""

    values: Array
    errors: Mask | None = None


class Batch:
    """The columns of one call, each converted once."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self.columns = columns
        sizes = {len(_array(column)) for column in columns.values()}
        if len(sizes) != 1:
            raise Unsupported(f"the columns must have one length, got {sorted(sizes)}")
        self.count = sizes.pop()
        self.dictionaries: dict[str, Dictionary] = {}

    def column(self, name: str) -> Column:
        found = self.columns.get(name)
        if found is None:
            raise Unsupported(f"the column '{name}' is missing; give a fully masked one if no row has it")
        return found

    def numbers(self, name: str, kind: Kind) -> Lanes:
        column = self.column(name)
        if isinstance(column, Dictionary):
            raise Unsupported(f"the column '{name}' holds texts, expected {kind.value}")
        values = _converted(np.ma.getdata(column), kind)
        if values is None:
            raise Unsupported(f"the column '{name}' is {column.dtype}, expected {kind.value}")
        return Lanes(values, missing_of(column))

    def texts(self, name: str) -> Dictionary:
        found = self.dictionaries.get(name)
        if found is None:
            found = self.dictionaries[name] = _encoded(name, self.column(name))
        return found


def _array(column: Column) -> Array:
    return column.codes if isinstance(column, Dictionary) else column


def missing_of(column: Array) -> Mask | None:
    """Where a column has no value; None for nowhere."""
    mask = np.ma.getmask(column)
    return None if mask is np.ma.nomask else np.ma.getmaskarray(column)


def _converted(values: Array, kind: Kind) -> Array | None:
    sort = values.dtype.kind
    if kind is Kind.BOOL:
        return values if sort == "b" else None
    if kind is Kind.DOUBLE:
        return values.astype(np.float64, copy=False) if sort in "fiu" else None
    if kind is Kind.TIMESTAMP and sort == "M":
        return values.astype("datetime64[ns]").astype(np.int64)
    if sort == "i" or (sort == "u" and values.dtype.itemsize < 8):
        return values.astype(np.int64, copy=False)
    return None


def _encoded(name: str, column: Column) -> Dictionary:
    if isinstance(column, Dictionary):
        return column
    if column.dtype.kind not in "OUT":
        raise Unsupported(f"the column '{name}' is {column.dtype}, expected texts")
    values = np.ma.getdata(column).tolist()
    missing = np.flatnonzero(np.ma.getmaskarray(column))
    for row in missing.tolist():
        values[row] = ""
    if wrong := set(map(type, values)) - {str}:
        names = ", ".join(sorted(kind.__name__ for kind in wrong))
        raise Unsupported(f"the column '{name}' has values of type {names}, expected texts; mask the missing ones")
    known = {value: code for code, value in enumerate(dict.fromkeys(values))}
    codes = np.fromiter(map(known.__getitem__, values), np.int64, len(values))
    codes[missing] = -1
    return Dictionary(codes, list(known))
