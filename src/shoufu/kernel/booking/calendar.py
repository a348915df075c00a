"""Openings, free time and slots as arithmetic on instants; wall-clock time appears only where a rule is expanded.

A recurrence (RFC 5545, section 3.3.10) is expanded on the calendar of its zone, day by day; each day's opening and
closing become instants as section 3.3.5 says: a local time in the gap of a clock change is read with the offset before
the gap, one that happens twice means the first. From there on lengths are elapsed time: no slot lies in an hour that
does not exist, and an hour that happens twice has its slots twice.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.rrule import rrule, rrulestr

DAY = timedelta(days=1)
HORIZON = timedelta(days=5 * 366)
PARTS = frozenset(
    {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "BYWEEKNO", "BYYEARDAY"}
    | {"WKST"}
)
FREQUENCIES = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From an instant to an instant, half-open; both aware, in UTC."""

    start: datetime
    end: datetime

    def overlaps(self, other: "Span") -> bool:
        return self.start < other.end and other.start < self.end

    def widened(self, before: timedelta, after: timedelta) -> "Span":
        return Span(self.start - before, self.end + after)


@dataclass(frozen=True, slots=True)
class Opening:
    """A rule of when something is open: on the days of `recurrence` (an RRULE that starts on `since`) before `until`,
    from `opens` to `closes` by the wall clock; a closing that is not after the opening lies on the next day."""

    recurrence: str
    since: date
    until: date | None
    opens: time
    closes: time


class BadRecurrence(ValueError):
    """A recurrence that cannot be used; its text says why."""


class SkippedTime(ValueError):
    """A local time that the clocks skip; `later` is the same reading after the change."""

    def __init__(self, later: datetime) -> None:
        super().__init__(f"skipped; {later.isoformat()} instead")
        self.later = later


class RepeatedTime(ValueError):
    """A local time that happens twice, at `first` and at `second`."""

    def __init__(self, first: datetime, second: datetime) -> None:
        super().__init__(f"happens at {first.isoformat()} and at {second.isoformat()}")
        self.first, self.second = first, second


def zone(name: str) -> ZoneInfo:
    """The zone of the IANA database with this name; KeyError where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: "Europe" is a folder of the database
        raise KeyError(name) from error


@lru_cache(maxsize=16_384)
def instant(day: date, at: time, where: ZoneInfo) -> datetime:
    """The instant of a wall-clock time, by RFC 5545, section 3.3.5, in gaps and folds."""
    return datetime.combine(day, at.replace(fold=0), where).astimezone(UTC)


def exact(local: datetime, where: ZoneInfo) -> datetime:
    """The instant of a wall-clock time that somebody chose: SkippedTime in a gap, RepeatedTime in a fold."""
    first, second = (local.replace(tzinfo=where, fold=fold) for fold in (0, 1))
    if first.astimezone(UTC).astimezone(where).replace(tzinfo=None, fold=0) != local.replace(fold=0):
        raise SkippedTime(first.astimezone(UTC).astimezone(where))
    if first.utcoffset() != second.utcoffset():
        raise RepeatedTime(first, second)
    return first.astimezone(UTC)


def check_recurrence(text: str, since: date) -> str:
    """The recurrence in its canonical spelling. BadRecurrence where it is none, has times of day, or never happens."""
    parts = [part.partition("=") for part in text.strip().upper().removeprefix("RRULE:").split(";")]
    names = [name for name, _equals, _value in parts]
    if unknown := [name for name in names if name not in PARTS]:
        raise BadRecurrence(f"{unknown[0] or text!r} is not taken; use {', '.join(sorted(PARTS))}.")
    if len(names) != len(set(names)):
        raise BadRecurrence("A part stands in it twice.")
    values = {name: value for name, _equals, value in parts}
    if values.get("FREQ") not in FREQUENCIES:
        raise BadRecurrence(f"FREQ must be one of {', '.join(sorted(FREQUENCIES))}.")
    for name in ("INTERVAL", "COUNT"):
        if name in values and not re.fullmatch(r"[1-9]\d{0,3}", values[name]):
            raise BadRecurrence(f"{name} must be a number from 1 to 9999.")
    if "UNTIL" in values and not re.fullmatch(r"\d{8}", values["UNTIL"]):
        raise BadRecurrence("UNTIL must be a day such as 20261231.")
    if {"COUNT", "UNTIL"} <= values.keys():
        raise BadRecurrence("COUNT and UNTIL exclude each other.")
    canonical = ";".join(f"{name}={value}" for name, value in values.items())
    # A rule that never happens would be searched to the year 9999 at every request.
    try:
        bounded = _rule(canonical, since).replace(count=None, until=datetime.combine(since, time()) + HORIZON)
        happens = next(iter(bounded), None)
    except (ValueError, TypeError, IndexError) as error:
        raise BadRecurrence(f"Not a recurrence: {error}.") from error
    if happens is None:
        raise BadRecurrence("It does not happen within five years.")
    return canonical


def _rule(recurrence: str, since: date) -> rrule:
    found = rrulestr(recurrence, dtstart=datetime.combine(since, time()))
    assert isinstance(found, rrule)
    return found


@lru_cache(maxsize=8192)
def _days(recurrence: str, since: date, year: int, month: int) -> tuple[date, ...]:
    """The days of a month on which a recurrence happens; kept, because each request asks for the same few months."""
    first, last = datetime(year, month, 1), datetime(year + month // 12, month % 12 + 1, 1)
    found = []
    for moment in _rule(recurrence, since):
        if moment >= last:
            break
        if moment >= first:
            found.append(moment.date())
    return tuple(found)


def days(opening: Opening, first: date, last: date) -> Iterator[date]:
    """The days of a rule from `first` to `last`, both included."""
    year, month = first.year, first.month
    while (year, month) <= (last.year, last.month):
        for day in _days(opening.recurrence, opening.since, year, month):
            if first <= day <= last and (opening.until is None or day < opening.until):
                yield day
        year, month = year + month // 12, month % 12 + 1


def spans(opening: Opening, where: ZoneInfo, within: Span) -> Iterator[Span]:
    """The openings of a rule that touch `within`, in order, as they are (not cut)."""
    first, last = within.start.astimezone(where).date() - DAY, within.end.astimezone(where).date()
    over_night = opening.closes <= opening.opens
    for day in days(opening, first, last):
        start = instant(day, opening.opens, where)
        found = Span(start, instant(day + DAY if over_night else day, opening.closes, where))
        if found.start < found.end and found.overlaps(within):
            yield found


def merged(found: Iterable[Span]) -> list[Span]:
    """Sorted, with those that touch or overlap joined."""
    result: list[Span] = []
    for span in sorted(found):
        if result and span.start <= result[-1].end:
            result[-1] = Span(result[-1].start, max(result[-1].end, span.end))
        else:
            result.append(span)
    return result


def without(found: Sequence[Span], holes: Iterable[Span]) -> list[Span]:
    """What is left of merged spans outside the holes."""
    left = list(found)
    for hole in merged(holes):
        cut: list[Span] = []
        for span in left:
            if not span.overlaps(hole):
                cut.append(span)
                continue
            if span.start < hole.start:
                cut.append(Span(span.start, hole.start))
            if hole.end < span.end:
                cut.append(Span(hole.end, span.end))
        left = cut
    return left


def holds(found: Sequence[Span], span: Span) -> bool:
    """Whether one of the merged spans contains the span whole."""
    at = bisect_right(found, span.start, key=lambda one: one.start) - 1
    return at >= 0 and span.end <= found[at].end


def starts(openings: Iterable[Span], step: timedelta, within: Span) -> set[datetime]:
    """The grid: from the start of each opening every `step` of elapsed time, inside `within`; an absence in the middle
    does not move it."""
    found = set()
    for opening in openings:
        skipped = max(0, -((opening.start - within.start) // step))
        at = opening.start + skipped * step
        while at < min(opening.end, within.end):
            found.add(at)
            at += step
    return found


def match(choices: Sequence[Sequence[int]]) -> tuple[int, ...] | None:
    """A different resource for each requirement out of its choices, the earlier preferred; None where there is none.

    Augmenting paths (Kuhn 1955): a requirement may push an earlier one to its next choice.
    """
    holder: dict[int, int] = {}

    def place(need: int, tried: set[int]) -> bool:
        for one in choices[need]:
            if one in tried:
                continue
            tried.add(one)
            if one not in holder or place(holder[one], tried):
                holder[one] = need
                return True
        return False

    if not all(place(need, set()) for need in range(len(choices))):
        return None
    by_need = {need: one for one, need in holder.items()}
    return tuple(by_need[need] for need in range(len(choices)))
