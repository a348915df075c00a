"""Which rules a row concerns, asked when it arrives: what concerns none need not wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shoufu.engines import cel
from shoufu.kernel.rules.evaluation.patterns import Machine
from shoufu.kernel.rules.evaluation.rows import Row
from shoufu.kernel.rules.evaluation.rule import is_of_result

Steps = tuple[Callable[[int, Row], None], ...]
Pick = Callable[[int, Row], Steps | None]
"""The steps that a row (its time in microseconds first) will have to take; None where it can be let go at once."""
Test = Callable[[int, Row], bool]


def picks(machines: Sequence[Machine[Any]], remembered: frozenset[str] | None) -> Mapping[str, Pick]:
    """By kind. `remembered` are the kinds whose rows are kept in any case, for `recent`; None: every kind."""
    kinds = {kind for found in machines for kind in found.rule.spec.kinds}
    read = {
        kind: _pick([found for found in machines if kind in found.rule.spec.kinds], _none(kind, remembered))
        for kind in kinds
    }
    if remembered is None:
        return Everything(read)
    return read | dict.fromkeys(remembered - kinds, _keep)


class Everything(dict[str, Pick]):
    """Kinds that no rule reads are kept as well."""

    def __missing__(self, kind: str) -> Pick:
        return _keep

    def get(self, kind: str, default: Any = None) -> Pick:
        return self[kind]


def _keep(t: int, row: Row) -> Steps:
    return ()


def _none(kind: str, remembered: frozenset[str] | None) -> Steps | None:
    return () if remembered is None or kind in remembered else None


def _pick(machines: Sequence[Machine[Any]], none: Steps | None) -> Pick:
    if len(machines) == 1:
        return _one(machines[0], none)
    if len(machines) == 2:
        return _two(machines[0], machines[1], none)
    wants = tuple((found.scope, test_of(found), found.on_row) for found in machines)

    def pick(t: int, row: Row) -> Steps | None:
        place = row.place_id
        return tuple([step for scope, test, step in wants if place in scope and test(t, row)]) or none

    return pick


def _one(found: Machine[Any], none: Steps | None) -> Pick:
    """The usual case, without a detour: it runs for nearly every row."""
    scope, test, steps = found.scope, test_of(found), (found.on_row,)
    function = _function_of(found)
    if function is None:
        return lambda t, row: steps if row.place_id in scope and test(t, row) else none

    def pick(t: int, row: Row) -> Steps | None:
        if row.place_id not in scope:
            return none
        try:
            return steps if function(row.result) else none
        except cel.CelEvaluationError:
            return steps if found.concerns(t, row) else none

    return pick


def _two(one: Machine[Any], other: Machine[Any], none: Steps | None) -> Pick:
    """Without a list in between."""
    first, second = _one(one, None), _one(other, None)
    both = (one.on_row, other.on_row)

    def pick(t: int, row: Row) -> Steps | None:
        steps = first(t, row)
        if steps is None:
            return second(t, row) or none
        return steps if second(t, row) is None else both

    return pick


def test_of(found: Machine[Any]) -> Test:
    """Whether a row inside the rule's scope can change anything in this machine."""
    if found.rule.uses_recent or found.concern() is None:
        return lambda t, row: True
    function = _function_of(found)
    if function is None:
        return found.concerns

    def test(t: int, row: Row) -> bool:
        try:
            return function(row.result)  # type: ignore[no-any-return]
        except cel.CelEvaluationError:
            return found.concerns(t, row)

    return test


def _function_of(found: Machine[Any]) -> Callable[..., Any] | None:
    """The whole condition as one function of the result, where it reads nothing else."""
    text = found.concern()
    if text is None or found.rule.uses_recent:
        return None
    program = found.rule.compile(text)
    return program.function("result") if is_of_result(program) else None
