"""Whether an item of a questionnaire is enabled by the answers to others (Questionnaire.item.enableWhen)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import limits


def enabled(asked: dict[str, Any], given: Mapping[str, Sequence[dict[str, Any]]]) -> bool:
    """Whether the conditions of an item hold; one without conditions is enabled."""
    rows = asked.get("enableWhen", ())
    if not rows:
        return True
    held = [_holds(row, given.get(str(row.get("question")), ())) for row in rows]
    return any(held) if asked.get("enableBehavior") == "any" else all(held)


def _holds(row: dict[str, Any], answers: Sequence[dict[str, Any]]) -> bool:
    values = [value for answer in answers for name, value in answer.items() if name.startswith("value")]
    wanted = next((value for name, value in row.items() if name.startswith("answer")), None)
    match row.get("operator"):
        case "exists":
            return bool(values) == bool(wanted)
        case "!=":
            return bool(values) and not any(_equal(value, wanted) for value in values)
        case "=":
            return any(_equal(value, wanted) for value in values)
        case operator:
            orders = [limits.compared(value, wanted) for value in values]
            return any(order is not None and _ordered(str(operator), order) for order in orders)


def _ordered(operator: str, order: int) -> bool:
    return {">": order > 0, "<": order < 0, ">=": order >= 0, "<=": order <= 0}.get(operator, False)


def _equal(value: Any, wanted: Any) -> bool:
    if isinstance(value, dict) and isinstance(wanted, dict):
        if "code" in wanted or "reference" not in wanted:
            return all(value.get(name) == wanted.get(name) for name in ("system", "code", "value"))
        return bool(value.get("reference") == wanted["reference"])
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    return bool(value == wanted)
