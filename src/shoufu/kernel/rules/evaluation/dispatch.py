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
    wants = [_one(found, None) for found in machines]
    if len(wants) == 2:
        return _two(wants[0], wants[1], none)

    def pick(t: int, row: Row) -> Steps | None:
        return tuple([step for want in wants for step in want(t, row) or ()]) or none

    return pick


def _one(found: Machine[Any], none: Steps | None) -> Pick:
    """The usual case, without a detour: it runs for nearly every row."""
    scope = found.scope
    if found.rule.uses_recent:
        # What was seen lately is known only when the row's turn comes.
        always: Steps = (found.on_row,)
        return lambda t, row: always if row.place_id in scope else none
    table = tuple(none if step is None else (step,) for step in found.steps)
    function = _function_of(found)
    decide = found.decide
    if function is None:
        return lambda t, row: table[decide(t, row)] if row.place_id in scope else none

    def pick(t: int, row: Row) -> Steps | None:
        if row.place_id not in scope:
            return none
        try:
            return table[function(row.result)]
        except cel.CelEvaluationError:
            return table[decide(t, row)]

    return pick


def _two(first: Pick, second: Pick, none: Steps | None) -> Pick:
    """Without a list in between."""

    def pick(t: int, row: Row) -> Steps | None:
        one, other = first(t, row), second(t, row)
        if one is None:
            return other or none
        return one if other is None else one + other

    return pick


def _function_of(found: Machine[Any]) -> Callable[..., Any] | None:
    """The whole decision as one function of the result, where it reads nothing else."""
    program = found.rule.compile(found.decision())
    return program.function("result") if is_of_result(program) else None
