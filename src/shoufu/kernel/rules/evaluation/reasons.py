"""Why a rule fired: the atoms of its condition with what they read, and the facts of its pattern."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shoufu.engines import cel
from shoufu.kernel.rules.evaluation.rows import SECOND, Row
from shoufu.kernel.rules.evaluation.rule import CompiledRule
from shoufu.kernel.rules.spec import Absence, Count, Dwell, Occupancy, Threshold
from shoufu.kernel.rules.spec import Sequence as Sequence_

Reason = dict[str, Any]


def atoms(rule: CompiledRule, pointer: str, t: int, row: Row) -> list[Reason]:
    """The atoms of the expression at `pointer` for this row: text, value, whether decisive, leaves read, field."""
    program = rule.programs[pointer]
    return [_reason(pointer, atom) for atom in program.explainer(rule.activation(program, t, row)).atoms]


def _reason(pointer: str, atom: cel.Atom) -> Reason:
    found: Reason = {
        "field": pointer,
        "text": atom.text,
        "value": plain(atom.value),
        "decisive": atom.decisive,
        "leaves": [{"path": leaf.path, "value": plain(leaf.value)} for leaf in atom.leaves],
    }
    if atom.error:
        found["error"] = atom.error
    return found


def why(rule: CompiledRule, t: int, trigger: Row, times: Sequence[int], total: int | None = None) -> list[Reason]:
    """Everything that made a firing at `t`: atoms of the row that triggered it, and what the pattern saw.

    `times` are those of the rows that made it, the last one the trigger's; `total` the sum of an occupancy rule.
    """
    pattern = rule.spec.pattern
    pointer = f"/pattern/steps/{len(pattern.steps) - 1}" if isinstance(pattern, Sequence_) else "/where"
    found = atoms(rule, pointer, times[-1], trigger)
    match pattern:
        case Threshold(hold=needed):
            found.append(_fact("threshold", seconds=_seconds(t - times[0]), needed=needed))
        case Dwell(hold=needed):
            found.append(_fact("dwell", seconds=_seconds(t - times[0]), needed=needed))
        case Absence(after=needed):
            found.append(_fact("absence", seconds=_seconds(t - times[0]), needed=needed))
        case Count(window=window):
            found.append(_fact("count", n=len(times), seconds=_seconds(t - times[0]), window=window))
        case Sequence_(window=window):
            steps = [_seconds(one - times[0]) for one in times]
            found.append(_fact("sequence", seconds=steps, window=window))
        case Occupancy(limit=limit):
            found.append(_fact("occupancy", sum=total, limit=limit))
    return found


def _fact(pattern: str, **facts: Any) -> Reason:
    return {"pattern": pattern, **facts}


def _seconds(span: int) -> float:
    return span / SECOND


def plain(value: object) -> object:
    """A CEL value as JSON can hold it."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, cel.Timestamp):
        return value.to_datetime().isoformat()
    if isinstance(value, cel.Duration):
        return int(value) / 1e9
    if isinstance(value, list):
        return [plain(item) for item in value[:20]]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in list(value.items())[:20]}
    return str(value)
