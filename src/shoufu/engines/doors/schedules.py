"""Schedules in wall time of a named zone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .model import ALWAYS, NEVER, Schedule, SpecialDay

DAY = 1440


class Calendar:
    """Which schedules are open when.

    Answers are kept for the current minute: whoever asks in order of time computes once a minute.
    """

    def __init__(self, zone: str, schedules: Sequence[Schedule], special_days: Sequence[SpecialDay]) -> None:
        try:
            self._zone = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"zone: {zone!r} is not a time zone name, such as Asia/Shanghai.") from None
        self._special = {date.fromisoformat(day.date): day.day_type for day in special_days}
        self._today: dict[int, tuple[frozenset[int], dict[int, list[tuple[int, int]]]]] = {}
        for schedule in schedules:
            if not ALWAYS < schedule.number < NEVER:
                raise ValueError(f"schedules: {schedule.number} must be 1–254.")
            self._today[schedule.number] = (frozenset(schedule.special), _by_type(schedule))
        self._minute = -1
        self._open: frozenset[int] = frozenset()
        self._day = 0

    def is_open(self, schedule: int, now: float) -> bool:
        """Whether a schedule is open at ``now`` (Unix seconds); an unknown one never is."""
        if schedule == ALWAYS:
            return True
        minute = int(now // 60)
        if minute != self._minute:
            self._turn(minute)
        return schedule in self._open

    def day(self, now: float) -> int:
        """Number of the local day (proleptic ordinal)."""
        minute = int(now // 60)
        if minute != self._minute:
            self._turn(minute)
        return self._day

    def _turn(self, minute: int) -> None:
        local = datetime.fromtimestamp(minute * 60, self._zone)
        today = local.date()
        clock = local.hour * 60 + local.minute
        self._open = frozenset(number for number in self._today if self._spans_at(number, today, clock))
        self._minute = minute
        self._day = today.toordinal()

    def _spans_at(self, number: int, today: date, clock: int) -> bool:
        begun_today = any(start <= clock < end for start, end in self._spans_of(number, today))
        if begun_today:
            return True
        return any(clock + DAY < end for _, end in self._spans_of(number, today - timedelta(days=1)))

    def _spans_of(self, number: int, day: date) -> list[tuple[int, int]]:
        special, by_type = self._today[number]
        kind = self._special.get(day)
        if kind is None or (kind >= 7 and kind not in special and kind not in by_type):
            kind = day.weekday()
        return by_type.get(kind, [])


def _by_type(schedule: Schedule) -> dict[int, list[tuple[int, int]]]:
    by_type: dict[int, list[tuple[int, int]]] = {}
    for kind, start, end in schedule.spans:
        if not (0 <= start < DAY and 0 <= end <= 2 * DAY):
            raise ValueError(f"schedules: the span {start}–{end} of schedule {schedule.number} is not within a day.")
        by_type.setdefault(kind, []).append((start, end if end > start else end + DAY))
    return by_type
