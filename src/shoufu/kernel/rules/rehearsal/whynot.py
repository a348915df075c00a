"""Why a rule does not fire where another one did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from shoufu.engines.cel import Explanation
from shoufu.kernel.rules.evaluation.reasons import plain
from shoufu.kernel.rules.evaluation.rows import SECOND, Row
from shoufu.kernel.rules.evaluation.rule import CompiledRule
from shoufu.kernel.rules.spec import Absence, Count, Dwell, Occupancy, Threshold
from shoufu.kernel.rules.spec import Sequence as Steps

Seen = tuple[int, Row]
Following = Callable[[Row, int, int], Sequence[Seen]]
"""Rows with the key of a row, after one time and up to another (microseconds), in order."""
Reason = dict[str, Any]


def why_not(rule: CompiledRule, t: int, rows: Sequence[Seen], following: Following, suppressed: bool) -> list[Reason]:
    """The plainest reason first: what this rule does not take about the rows that made the other one fire at `t`."""
    if not rows:
        return [{"reason": "unknown"}]
    row_t, row = rows[-1]
    if row.kind not in rule.spec.kinds:
        return [{"reason": "kind", "kind": row.kind}]
    if row.place_id not in rule.scope:
        return [{"reason": "place", "place": row.place_id}]
    if suppressed:
        return [{"reason": "cooldown", "seconds": rule.spec.cooldown}]
    program = rule.programs["/where"]
    explanation = program.explain(rule.activation(program, row_t, row))
    if explanation.value is not True:
        return [{"reason": "condition", "atoms": _atoms(explanation)}]
    if not rule.is_open(t, row.place_id) and not isinstance(rule.spec.pattern, Threshold | Dwell | Absence):
        return [{"reason": "schedule"}]
    return [_pattern(rule, rows, following)]


def _atoms(explanation: Explanation) -> list[Reason]:
    """The atoms that decided, with what they read."""
    return [
        {
            "text": atom.text,
            "value": plain(atom.value),
            "leaves": [{"path": leaf.path, "value": plain(leaf.value)} for leaf in atom.leaves],
        }
        for atom in explanation.atoms
        if atom.decisive
    ]


def _pattern(rule: CompiledRule, rows: Sequence[Seen], following: Following) -> Reason:
    match rule.spec.pattern:
        case Threshold(hold=needed) | Dwell(hold=needed):
            return _held(rule, rows[0], needed, following)
        case Absence(after=needed):
            t, row = rows[-1]
            test = rule.condition("/where")
            later = [at for at, one in following(row, t, t + round(needed * SECOND)) if test(at, one)]
            seconds = (later[0] - t) / SECOND if later else None
            return {"reason": "absence", "seconds": seconds, "needed": needed}
        case Count(n=n, window=window):
            return {"reason": "count", "n": len(rows), "needed": n, "window": window}
        case Steps(window=window, unless=unless):
            return {"reason": "sequence", "window": window, "unless": unless is not None}
        case Occupancy(limit=limit):
            return {"reason": "occupancy", "limit": limit}
    return {"reason": "unknown"}


def _held(rule: CompiledRule, first: Seen, needed: float, following: Following) -> Reason:
    """How long the condition held from the first row on, as far as the needed time."""
    start, row = first
    test = rule.condition("/where")
    pointer = "/pattern/clear" if "/pattern/clear" in rule.programs else "/pattern/until"
    clears = rule.condition(pointer) if pointer in rule.programs else lambda t, one: not test(t, one)
    for t, one in following(row, start, start + round(needed * SECOND)):
        if clears(t, one):
            return {"reason": "held", "seconds": (t - start) / SECOND, "needed": needed}
    return {"reason": "schedule"} if rule.spec.schedule else {"reason": "held", "seconds": None, "needed": needed}
