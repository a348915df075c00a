"""Why a rule fired: the atoms of its condition with what they read, and the facts of its pattern."""

from __future__ import annotations

from typing import Any

from shoufu.engines import cel
from shoufu.kernel.rules.evaluation.rows import Origin, Row
from shoufu.kernel.rules.evaluation.rule import CompiledRule

Reason = dict[str, Any]


def atoms(rule: CompiledRule, pointer: str, t: int, row: Row | Origin) -> list[Reason]:
    """The atoms of the expression at `pointer` for this row: text, value, whether decisive, leaves read, field."""
    explanation = rule.programs[pointer].explain(rule.activation(t, row))
    return [
        {
            "field": pointer,
            "text": atom.text,
            "value": plain(atom.value),
            "decisive": atom.decisive,
            "leaves": [{"path": leaf.path, "value": plain(leaf.value)} for leaf in atom.leaves],
        }
        | ({"error": atom.error} if atom.error else {})
        for atom in explanation.atoms
    ]


def fact(pattern: str, **facts: Any) -> Reason:
    """What the pattern saw, such as `{"pattern": "count", "n": 5, "seconds": 12.5}`."""
    return {"pattern": pattern, **facts}


def plain(value: object) -> object:
    """A CEL value as JSON can hold it."""
    if isinstance(value, cel.Timestamp):
        return value.to_datetime().isoformat()
    if isinstance(value, cel.Duration):
        return int(value) / 1e9
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, list):
        return [plain(item) for item in value[:20]]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in list(value.items())[:20]}
    return str(value)
