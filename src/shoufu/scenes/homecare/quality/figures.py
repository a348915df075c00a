"""Figures of quality from counts: shares, rates and averages with their numerators and denominators. Pure; no database.

Counts are of one cell (a month, a service, an institution, a nurse, or all). A published table keeps back what is about
fewer than `LEAST` people, and what could be told by subtracting the rest from the total.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

LEAST = 10
"""Published counts have at least this many people in a cell (see the design: hashes are not anonymous)."""


@dataclass(frozen=True)
class Counts:
    """What was counted of one cell.

    `done` visits to `people` patients. `promised` visits have begun, `punctual` ones within the promised window (or up
    to ten minutes before it). `timed` visits have begin and end; `planned_minutes` and `spent_minutes` are theirs.
    `settled` are all visits that were to take place: done, missed and cancelled. `aged7` (`aged30`) are done visits
    after which so many days have passed, `again7` (`again30`) those after which the same service was asked for and
    given again within them. `serious` are adverse events of grades I and II. `answer_hours` is the sum over `answered`
    complaints.
    """

    done: int = 0
    people: int = 0
    promised: int = 0
    punctual: int = 0
    timed: int = 0
    planned_minutes: float = 0.0
    spent_minutes: float = 0.0
    missed: int = 0
    cancelled: int = 0
    settled: int = 0
    aged7: int = 0
    again7: int = 0
    aged30: int = 0
    again30: int = 0
    ratings: int = 0
    stars: int = 0
    incidents: int = 0
    infections: int = 0
    serious: int = 0
    complaints: int = 0
    answered: int = 0
    answer_hours: float = 0.0

    def __add__(self, other: "Counts") -> "Counts":
        """Both together. `people` is then what both have at least: the larger one, since they may be the same."""
        summed = {name: getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__}
        return Counts(**summed | {"people": max(self.people, other.people)})


@dataclass(frozen=True)
class Ratio:
    """A numerator by a denominator times `per`; `value` is None where nothing was counted, or where it is kept back."""

    numerator: float
    denominator: float
    per: int = 1
    hidden: bool = False

    @property
    def value(self) -> float | None:
        if self.hidden or not self.denominator:
            return None
        return self.per * self.numerator / self.denominator


@dataclass(frozen=True)
class Figures:
    """The figures of one cell. Shares are of 1, rates per 1,000 visits, minutes and hours are averages."""

    punctuality: Ratio
    duration: Ratio
    minutes: Ratio
    missed: Ratio
    cancelled: Ratio
    again7: Ratio
    again30: Ratio
    incidents: Ratio
    infections: Ratio
    rating: Ratio
    complaints: Ratio
    answer: Ratio


def figures(counts: Counts) -> Figures:
    """The figures of one cell; `duration` is spent by planned minutes, `answer` hours from complaint to answer."""
    return Figures(
        punctuality=Ratio(counts.punctual, counts.promised),
        duration=Ratio(counts.spent_minutes, counts.planned_minutes),
        minutes=Ratio(counts.spent_minutes, counts.timed),
        missed=Ratio(counts.missed, counts.settled),
        cancelled=Ratio(counts.cancelled, counts.settled),
        again7=Ratio(counts.again7, counts.aged7),
        again30=Ratio(counts.again30, counts.aged30),
        incidents=Ratio(counts.incidents, counts.done, 1000),
        infections=Ratio(counts.infections, counts.done, 1000),
        rating=Ratio(counts.stars, counts.ratings),
        complaints=Ratio(counts.complaints, counts.done, 1000),
        answer=Ratio(counts.answer_hours, counts.answered),
    )


@dataclass(frozen=True)
class Cell:
    """A row of a table: `key` is the month, or the id behind it. `hidden`: kept back in what is published."""

    key: str
    counts: Counts
    hidden: bool = False

    @property
    def figures(self) -> Figures:
        found = figures(self.counts)
        if not self.hidden:
            return found
        kept = {name: replace(ratio, hidden=True) for name, ratio in vars(found).items()}
        return Figures(**kept)


EVENTS: Mapping[str, str] = {
    "again7": "again7",
    "again30": "again30",
    "incidents": "incidents",
    "infections": "infections",
    "complaints": "complaints",
    "missed": "missed",
    "cancelled": "cancelled",
}


def published(cells: Sequence[Cell]) -> list[Cell]:
    """The cells of one table as they may be published: those about fewer than `LEAST` people are kept back, and where
    that is one alone, the smallest other one too, so that nobody gets it by subtraction."""
    small = {n for n, cell in enumerate(cells) if 0 < cell.counts.people < LEAST}
    others = [n for n, cell in enumerate(cells) if n not in small and cell.counts.people]
    if len(small) == 1 and others:
        small.add(min(others, key=lambda n: cells[n].counts.people))
    return [replace(cell, hidden=n in small) for n, cell in enumerate(cells)]


def told(cell: Cell, name: str, *, public: bool) -> Ratio:
    """A figure of a cell; in what is published, counts of events of one to nine are kept back as well."""
    ratio: Ratio = getattr(cell.figures, name)
    if public and name in EVENTS and 0 < ratio.numerator < LEAST:
        return replace(ratio, hidden=True)
    return ratio
