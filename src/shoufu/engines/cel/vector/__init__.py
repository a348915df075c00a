"""Checked tree → NumPy: the same condition over columns, for rehearsals over millions of rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from shoufu.engines.cel.check import Checked
from shoufu.engines.cel.errors import Unsupported
from shoufu.engines.cel.types import Kind, Type
from shoufu.engines.cel.vector.columns import Array, Batch, Column, Dictionary, Mask
from shoufu.engines.cel.vector.compiler import Compiler

__all__ = ["Column", "Dictionary", "VectorProgram"]


class VectorProgram:
    """An expression over columns. It agrees with the closures row for row.

    `columns` are the names of the columns it reads, variables or dotted paths such as `result.value`; `fields`
    tested by has() are among them.
    """

    def __init__(self, facts: Checked) -> None:
        compiler = Compiler(facts)
        self.type: Type = facts.types[facts.root]
        self._run = compiler.lanes(facts.root)
        self.columns: frozenset[str] = frozenset(compiler.columns)

    def __call__(self, columns: Mapping[str, Column]) -> Mask:
        """Where the condition is true; an error counts as not true.

        Raises Unsupported for a column that is absent, of another length, or of a type that does not fit.
        """
        if self.type.kind is not Kind.BOOL:
            raise Unsupported(f"the expression is {self.type}, no condition; use values()")
        values, errors = self.values(columns)
        mask: Mask = values & ~errors
        return mask

    def values(self, columns: Mapping[str, Column]) -> tuple[Array, Mask]:
        """The value of each row and where there is none because of an error."""
        batch = Batch(columns)
        lanes = self._run(batch)
        values = np.broadcast_to(lanes.values, batch.count)
        errors = np.zeros(batch.count, np.bool_) if lanes.errors is None else np.broadcast_to(lanes.errors, batch.count)
        return values, errors
