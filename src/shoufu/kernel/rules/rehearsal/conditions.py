"""A rule's expressions over columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoufu.engines.cel import Unsupported
from shoufu.engines.cel.vector import Column, VectorProgram
from shoufu.kernel.rules.evaluation.calendar import LocalTime
from shoufu.kernel.rules.evaluation.rows import SECOND
from shoufu.kernel.rules.evaluation.rule import CompiledRule
from shoufu.kernel.rules.rehearsal.frames import PREFIX, Frame
from shoufu.kernel.rules.rehearsal.result import Bools, Ints


@dataclass
class Conditions:
    """The rule's expressions as vector programs, by JSON pointer; None stands for "true"."""

    rule: CompiledRule
    programs: dict[str, VectorProgram | None]
    zone: str

    @classmethod
    def of(cls, rule: CompiledRule) -> Conditions:
        """Raises Unsupported where the columns cannot say what the rule asks."""
        if rule.uses_recent:
            raise Unsupported("recent() needs the rows of other kinds in their order")
        programs = {
            pointer: None if program.text.strip() == "true" else program.vector()
            for pointer, program in rule.programs.items()
        }
        zones = {rule.places.zones[place] for place in rule.scope}
        timed = rule.spec.schedule is not None or any("local" in found.variables for found in rule.programs.values())
        if timed and len(zones) > 1:
            raise Unsupported("the rule's places lie in several time zones")
        return cls(rule, programs, min(zones, default="UTC"))

    @property
    def fields(self) -> frozenset[str]:
        """The columns to read with the base columns."""
        names = frozenset(name for found in self.programs.values() if found for name in found.columns)
        return names | ({"feature"} if "feature" in self.rule.spec.key else frozenset())

    def mask(self, pointer: str, columns: Columns) -> Bools:
        program = self.programs[pointer]
        if program is None:
            return np.ones(columns.frame.count, np.bool_)
        return program(columns.of(program))

    def values(self, pointer: str, columns: Columns) -> tuple[Ints, Bools]:
        """Integers and where they exist."""
        program = self.programs[pointer]
        assert program is not None
        values, errors = program.values(columns.of(program))
        if values.dtype.kind != "i":
            raise Unsupported(f"{pointer} gives no integers")
        return values.astype(np.int64, copy=False), ~errors


class Columns:
    """The columns of a frame by the names CEL knows, each made once."""

    def __init__(self, frame: Frame, zone: str) -> None:
        self.frame = frame
        self.zone = zone
        self._made: dict[str, Column] = {}

    def of(self, program: VectorProgram) -> Mapping[str, Column]:
        # An expression without variables still needs to know how many rows there are.
        return {name: self.get(name) for name in program.columns or {"place"}}

    def get(self, name: str) -> Column:
        found = self._made.get(name)
        if found is None:
            found = self._made[name] = self._make(name)
        return found

    def _make(self, name: str) -> Column:
        frame = self.frame
        match name:
            case "place":
                return frame.place
            case "device":
                return frame.code()
            case "feature":
                return _empty_where_missing(frame.feature())
            case "kind":
                return frame.kind()
            case "t":
                return frame.t * 1_000
            case "local.hour" | "local.minute" | "local.weekday":
                return self._local(name)
        if not name.startswith(PREFIX):
            raise Unsupported(f"there is no column {name}")
        column = frame.select(name.removeprefix(PREFIX))
        if column is None:
            return np.ma.MaskedArray(np.zeros(frame.count), np.ones(frame.count, np.bool_))
        return column

    def _local(self, name: str) -> Ints:
        clock = LocalTime(self.zone)
        slots, inverse = np.unique(self.frame.t // LocalTime.GRAIN, return_inverse=True)
        offsets = np.array([clock.offset(int(slot) * LocalTime.GRAIN) for slot in slots], np.int64)
        minutes = (self.frame.t + offsets[inverse]) // (60 * SECOND)
        match name:
            case "local.hour":
                return minutes // 60 % 24
            case "local.minute":
                return minutes % 60
        return (minutes // 1440 + 3) % 7 + 1


def _empty_where_missing(column: Any) -> Any:
    """No feature reads as the empty text."""
    from shoufu.engines.cel.vector import Dictionary

    if not (column.codes < 0).any():
        return column
    return Dictionary(np.where(column.codes < 0, len(column.values), column.codes), [*column.values, ""])
