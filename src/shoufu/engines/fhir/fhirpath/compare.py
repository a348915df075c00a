"""Equality and order of FHIRPath values: strings, numbers, quantities, and times known to different precision."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from ..definitions import Model
from .nodes import Node

_MOMENT = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d(?:\.\d+)?))?)?(Z|[+-]\d\d:\d\d)?)?)?)?")
_TIME = re.compile(r"(\d\d)(?::(\d\d)(?::(\d\d(?:\.\d+)?))?)?")
_MOMENTS = frozenset({"date", "dateTime", "instant", "System.Date", "System.DateTime"})
_TIMES = frozenset({"time", "System.Time"})


def equal(model: Model, left: Node, right: Node) -> bool | None:
    """Whether two values are the same; None where that cannot be known (times of different precision)."""
    if left.type in _MOMENTS or right.type in _MOMENTS:
        order = compare(model, left, right)
        return order if order is None else order == 0
    one, other = left.value, right.value
    if isinstance(one, bool) != isinstance(other, bool):
        return False
    return bool(one == other)


def compare(model: Model, left: Node, right: Node) -> int | None:
    """Below, equal or above (-1, 0, 1); None where there is no order between them."""
    if left.type in _MOMENTS or right.type in _MOMENTS:
        return _parts(_moment(left.value), _moment(right.value))
    if left.type in _TIMES or right.type in _TIMES:
        return _parts(_time(left.value), _time(right.value))
    if model.is_a(left.type, "Quantity") and model.is_a(right.type, "Quantity"):
        return _quantities(left.value, right.value)
    one, other = left.value, right.value
    if _is_number(one) and _is_number(other):
        return _order(one, other)
    if isinstance(one, str) and isinstance(other, str):
        return _order(one, other)
    return None


def _order(one: Any, other: Any) -> int:
    return 1 if one > other else -1 if one < other else 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _quantities(left: Any, right: Any) -> int | None:
    if not isinstance(left, dict) or not isinstance(right, dict):
        return None
    units = [(side.get("system"), side.get("code") or side.get("unit")) for side in (left, right)]
    one, other = left.get("value"), right.get("value")
    if units[0] != units[1] or not _is_number(one) or not _is_number(other):
        return None
    return _order(one, other)


def _parts(left: tuple[Any, ...] | None, right: tuple[Any, ...] | None) -> int | None:
    if left is None or right is None:
        return None
    for one, other in zip(left, right, strict=False):
        if one != other:
            return 1 if one > other else -1
    return 0 if len(left) == len(right) else None


def _moment(value: Any) -> tuple[Any, ...] | None:
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    parts = [int(part) for part in found.groups()[:5] if part is not None]
    if found[6] is None:
        return tuple(parts)
    seconds = Decimal(found[6])
    zone = found[7]
    if zone and zone != "Z":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6])) * (-1 if zone[0] == "-" else 1)
        return (*_shifted(parts, offset), seconds)
    return (*parts, seconds)


def _shifted(parts: list[int], offset: timedelta) -> list[int]:
    """Year to minute in UTC; the day may be the one before or after."""
    try:
        day = date(parts[0], parts[1], parts[2])
        minutes = parts[3] * 60 + parts[4] - int(offset.total_seconds() // 60)
        day += timedelta(days=minutes // 1440)
    except (ValueError, OverflowError):
        return parts
    return [day.year, day.month, day.day, minutes % 1440 // 60, minutes % 60]


def _time(value: Any) -> tuple[Any, ...] | None:
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    return None if found is None else tuple(Decimal(part) for part in found.groups() if part is not None)
