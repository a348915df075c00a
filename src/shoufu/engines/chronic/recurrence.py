"""Tasks that come again: so many times in every period (FHIR Timing: frequency, period, periodUnit)."""

from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta


def _after(start: date, periods: int, period: int, unit: str) -> date:
    """The first day of the period with this number; months keep their day where they have it."""
    if unit == "mo":
        month = start.month - 1 + periods * period
        year, month = start.year + month // 12, month % 12 + 1
        return date(year, month, min(start.day, monthrange(year, month)[1]))
    return start + timedelta(days=periods * period * (7 if unit == "wk" else 1))


def windows(start: date, period: int, unit: str, until: date) -> Iterator[tuple[date, date]]:
    """The periods from the first day on, as (first day, last day), up to the one that holds `until`."""
    number = 0
    while (first := _after(start, number, period, unit)) <= until:
        yield first, _after(start, number + 1, period, unit) - timedelta(days=1)
        number += 1


@dataclass(frozen=True)
class Standing:
    """How a task stands on a day: `done` of `wanted` in the running period, which ends on `last`; and how many whole
    periods in a row before it were missed."""

    done: int
    wanted: int
    first: date
    last: date
    missed: int

    @property
    def open(self) -> bool:
        return self.done < self.wanted


def standing(start: date, frequency: int, period: int, unit: str, days: Iterable[date], today: date) -> Standing | None:
    """How a task that began on `start` and was done on `days` stands today; None before it began."""
    listed = sorted(days)
    periods = list(windows(start, period, unit, today))
    if not periods:
        return None
    counts = [sum(first <= day <= last for day in listed) for first, last in periods]
    missed = 0
    for count in reversed(counts[:-1]):
        if count >= frequency:
            break
        missed += 1
    first, last = periods[-1]
    return Standing(counts[-1], frequency, first, last, missed)
