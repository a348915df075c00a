from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo

from shoufu.engines.chronic.model import Reading, Target
from shoufu.engines.chronic.quantities import QUANTITIES

DAYS = 7
LEAST_FOR_SLOPE = 5


def by_day(readings: Iterable[Reading], quantity: str, zone: tzinfo, target: Target | None = None) -> dict[date, float]:
    """The mean of each day that has a value, the oldest first; only the contexts of `target` where one is given."""
    found: dict[date, list[float]] = {}
    for one in readings:
        if quantity in one.values and (target is None or target.takes(one.context)):
            found.setdefault(one.day(zone), []).append(one.values[quantity])
    return {day: sum(values) / len(values) for day, values in sorted(found.items())}


day_means = by_day


@dataclass(frozen=True)
class Control:
    """How a target is met: `state` "in", "out" or "" where too little is known; the mean of the last days' means."""

    target: Target
    state: str
    mean: float | None
    days: int


def controls(targets: Sequence[Target], readings: Sequence[Reading], zone: tzinfo, today: date) -> list[Control]:
    """Each target judged by the mean of up to the last seven days with a reading that still say something."""
    return [_control(target, readings, zone, today) for target in targets]


def _control(target: Target, readings: Sequence[Reading], zone: tzinfo, today: date) -> Control:
    first = today - timedelta(days=QUANTITIES[target.quantity].days)
    means = [mean for day, mean in by_day(readings, target.quantity, zone, target).items() if first <= day <= today]
    last = means[-DAYS:]
    if not last:
        return Control(target, "", None, 0)
    mean = sum(last) / len(last)
    return Control(target, "out" if target.side(mean) else "in", mean, len(last))


def control(targets: Sequence[Target], readings: Sequence[Reading], zone: tzinfo, today: date) -> str:
    """ "out" where any target is missed, "in" where some are met and none missed, "" where nothing is known."""
    states = {one.state for one in controls(targets, readings, zone, today)}
    return "out" if "out" in states else "in" if "in" in states else ""


@dataclass(frozen=True)
class Summary:
    """Readings of one quantity in short: how many on how many days, mean, least, most, the share of days within the
    target (None without one), and the change in 30 days by least squares (None for fewer than five days)."""

    quantity: str
    context: str
    count: int
    days: int
    mean: float
    least: float
    most: float
    within: float | None
    change: float | None


def summary(readings: Sequence[Reading], quantity: str, zone: tzinfo, target: Target | None = None) -> Summary | None:
    """The summary of the readings given; None where none has the quantity."""
    values = [
        one.values[quantity]
        for one in readings
        if quantity in one.values and (target is None or target.takes(one.context))
    ]
    if not values:
        return None
    means = by_day(readings, quantity, zone, target)
    within = sum(not target.side(mean) for mean in means.values()) / len(means) if target is not None else None
    context = target.context if target is not None else ""
    mean = sum(values) / len(values)
    return Summary(
        quantity, context, len(values), len(means), mean, min(values), max(values), within, _change(list(means.items()))
    )


def _change(points: Sequence[tuple[date, float]]) -> float | None:
    if len(points) < LEAST_FOR_SLOPE:
        return None
    days = [float((day - points[0][0]).days) for day, _mean in points]
    means = [mean for _day, mean in points]
    middle, level = sum(days) / len(days), sum(means) / len(means)
    spread = sum((day - middle) ** 2 for day in days)
    slope = sum((day - middle) * (mean - level) for day, mean in zip(days, means, strict=True)) / spread
    return 30 * slope
