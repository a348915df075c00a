"""When a rule may fire: a schedule in a time zone, as half-open spans of UTC microseconds."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shoufu.kernel.rules.evaluation.rows import SECOND
from shoufu.kernel.rules.spec import Schedule

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAYS_AROUND = 9
"""A week, and a day on each side for zones and spans past midnight: within it every schedule opens once."""


def to_microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def to_datetime(t: int) -> datetime:
    """Microseconds as a datetime in UTC."""
    return EPOCH + timedelta(microseconds=t)


class Calendar:
    """The spans of a schedule, computed in chunks of days as they are asked for."""

    def __init__(self, schedule: Schedule, zone: str) -> None:
        self.schedule = schedule
        self.zone = ZoneInfo(zone)
        self.opens: list[int] = []
        self.closes: list[int] = []
        self._first: date | None = None
        self._last: date | None = None
        self._covered = range(0)

    def is_open(self, t: int) -> bool:
        self._cover(t)
        at = bisect_right(self.opens, t) - 1
        return at >= 0 and t < self.closes[at]

    def next_open(self, t: int) -> int:
        """`t` where the rule may fire then, else the start of the next span."""
        self._cover(t)
        at = bisect_right(self.opens, t) - 1
        if at >= 0 and t < self.closes[at]:
            return t
        return self.opens[at + 1]

    def spans(self, since: int, until: int) -> tuple[list[int], list[int]]:
        """Starts and ends of every span from before `since` to after `until`."""
        self._cover(since)
        self._cover(until)
        return self.opens, self.closes

    def _cover(self, t: int) -> None:
        if t not in self._covered:
            self._extend(t)

    def _extend(self, t: int) -> None:
        day = (EPOCH + timedelta(microseconds=t)).date()
        first, last = day - timedelta(days=DAYS_AROUND), day + timedelta(days=DAYS_AROUND)
        if self._first is not None and self._last is not None:
            first, last = min(first, self._first), max(last, self._last)
        # Further ahead than asked for, so that a stream of rows does not rebuild it each day.
        self._first, self._last = first, last + timedelta(days=30)
        self._build()
        around = timedelta(days=DAYS_AROUND)
        self._covered = range(_midnight(self._first + around), _midnight(self._last - around + timedelta(days=1)))

    def _build(self) -> None:
        assert self._first is not None and self._last is not None
        start, end = _clock(self.schedule.start), _clock(self.schedule.end)
        spans: list[tuple[int, int]] = []
        day = self._first
        while day <= self._last:
            if day.isoweekday() in self.schedule.days:
                following = day + timedelta(days=1) if end <= start else day
                spans.append((self._instant(day, start), self._instant(following, end)))
            day += timedelta(days=1)
        self.opens, self.closes = [], []
        for opening, closing in sorted(spans):
            if self.closes and opening <= self.closes[-1]:
                self.closes[-1] = max(self.closes[-1], closing)
            elif closing > opening:
                self.opens.append(opening)
                self.closes.append(closing)

    def _instant(self, day: date, clock: time) -> int:
        return to_microseconds(datetime.combine(day, clock, tzinfo=self.zone))


def _midnight(day: date) -> int:
    return to_microseconds(datetime.combine(day, time(), tzinfo=UTC))


def _clock(text: str) -> time:
    return time(int(text[:2]), int(text[3:]))


class LocalTime:
    """Wall time of a zone; offsets are looked up once a quarter of an hour, the grain of every zone's changes."""

    GRAIN = 900 * SECOND

    def __init__(self, zone: str) -> None:
        self.zone = ZoneInfo(zone)
        self._offsets: dict[int, int] = {}

    def offset(self, t: int) -> int:
        """Microseconds that local time is ahead of UTC."""
        slot = t // self.GRAIN
        found = self._offsets.get(slot)
        if found is None:
            if len(self._offsets) > 10_000:
                self._offsets.clear()
            span = to_datetime(slot * self.GRAIN).astimezone(self.zone).utcoffset() or timedelta()
            found = self._offsets[slot] = span // timedelta(microseconds=1)
        return found

    def fields(self, t: int) -> dict[str, object]:
        """The CEL variable `local`: hour, minute, weekday (1 Monday … 7 Sunday)."""
        minutes = (t + self.offset(t)) // (60 * SECOND)
        days = minutes // 1440
        return {"hour": minutes // 60 % 24, "minute": minutes % 60, "weekday": (days + 3) % 7 + 1}
