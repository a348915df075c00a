"""Values that people can say: 90 rather than 88.7."""

from __future__ import annotations

import math

MARGIN = 0.15
_STEPS = (5.0, 2.0, 1.0)


def plain_value(low: float, high: float, step: float = 0.0, units: tuple[float, ...] = ()) -> float | None:
    """The plainest value above `low` and below `high`, near `low`: at most 15 % beyond it where there is such a one.

    What is plain are multiples of the first of `units` that gives one there, else of round decimal numbers.
    With `step` the first multiple of it. None where there is no such multiple, or `low` is not below `high`.
    """
    if not low < high:
        return None
    if step:
        value = (math.floor(low / step + 1e-9) + 1) * step
        return value if value < high else None
    limit = min(high, low + max(MARGIN * abs(low), 1e-6))
    for unit in units:
        value = _after(low, unit)
        if low < value < high and value <= limit:
            return value
    size = 10.0 ** math.ceil(math.log10(max(abs(limit), abs(low), 1e-6)))
    for exponent in range(13):
        for part in _STEPS:
            unit = part * size / 10.0 ** (exponent + 1)
            value = _after(low, unit)
            if low < value < high and value <= limit:
                return value
    return low + (limit - low) / 2


def _after(low: float, unit: float) -> float:
    """The first multiple of `unit` above `low`, without the dust of binary fractions."""
    digits = max(0, 2 - math.floor(math.log10(unit)))
    return round((math.floor(low / unit + 1e-9) + 1) * unit, digits)
