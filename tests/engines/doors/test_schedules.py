"""Wall time, half-open, past midnight, on holidays and on the Sundays that make up for them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoufu.engines.doors import Schedule, SpecialDay
from shoufu.engines.doors.schedules import Calendar

from .making import ZONE, at

WORKDAYS = tuple((day, 9 * 60, 18 * 60) for day in range(5))
NIGHTS = tuple((day, 22 * 60, 6 * 60) for day in range(5))
HOLIDAY, MAKE_UP = SpecialDay("2026-10-01", 7), SpecialDay("2026-10-11", 0)


def calendar(*schedules: Schedule) -> Calendar:
    return Calendar("Asia/Shanghai", schedules, [HOLIDAY, MAKE_UP])


@pytest.mark.parametrize(
    ("moment", "open_"),
    [
        ("2026-11-24 08:59:59", False),
        ("2026-11-24 09:00", True),
        ("2026-11-24 17:59:59", True),
        ("2026-11-24 18:00", False),
        ("2026-11-28 12:00", False),  # Saturday
        ("2026-10-01 12:00", False),  # Thursday, a holiday
        ("2026-10-11 12:00", True),  # a Sunday that is worked
    ],
)
def test_working_hours(moment: str, open_: bool) -> None:
    assert calendar(Schedule(number=1, spans=WORKDAYS, special=(7,))).is_open(1, at(moment)) is open_


@pytest.mark.parametrize(
    ("moment", "open_"),
    [
        ("2026-11-24 23:00", True),
        ("2026-11-25 05:59", True),
        ("2026-11-25 06:00", False),
        ("2026-11-28 03:00", True),  # the night that began on Friday
        ("2026-11-28 23:00", False),  # Saturday night
        ("2026-11-29 03:00", False),
        ("2026-11-30 03:00", False),  # Monday early belongs to Sunday's night
        ("2026-10-01 03:00", True),  # the night before the holiday began on a working day
        ("2026-10-01 23:00", False),
        ("2026-10-02 03:00", False),
        ("2026-10-11 23:00", True),  # the working Sunday has a night
        ("2026-10-12 03:00", True),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_begins(moment: str, open_: bool) -> None:
    assert calendar(Schedule(number=1, spans=NIGHTS, special=(7,))).is_open(1, at(moment)) is open_


def test_a_special_day_that_a_schedule_does_not_name_is_a_weekday() -> None:
    assert calendar(Schedule(number=1, spans=WORKDAYS)).is_open(1, at("2026-10-01 12:00"))


def test_an_unknown_schedule_is_never_open_and_always_is_always() -> None:
    found = calendar()
    assert not found.is_open(9, at("2026-11-24 12:00"))
    assert found.is_open(0, at("2026-11-24 12:00"))
    assert not found.is_open(255, at("2026-11-24 12:00"))


def test_clocks_that_change_leave_wall_time_as_it_is() -> None:
    found = Calendar("Europe/Berlin", [Schedule(number=1, spans=tuple((d, 540, 600) for d in range(7)))], [])
    for text in ("2026-03-28 08:30+00:00", "2026-03-29 07:30+00:00", "2026-10-25 08:30+00:00"):
        assert found.is_open(1, datetime.fromisoformat(text).timestamp()), text


@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 1439), st.integers(0, 1440)), max_size=6),
    st.integers(0, 60 * 24 * 30),
)
def test_agrees_with_counting_minutes(spans: list[tuple[int, int, int]], minute: int) -> None:
    moment = datetime(2026, 9, 20, tzinfo=ZONE) + timedelta(minutes=minute)
    schedule = Schedule(number=1, spans=tuple(spans), special=(7,))
    assert calendar(schedule).is_open(1, moment.timestamp()) is _slowly(spans, moment)


def _slowly(spans: list[tuple[int, int, int]], moment: datetime) -> bool:
    """Walk through every minute of every span that begins on this day or the one before."""
    for back in (0, 1):
        day = (moment - timedelta(days=back)).replace(hour=0, minute=0)
        kind = {"2026-10-01": 7, "2026-10-11": 0}.get(day.date().isoformat(), day.weekday())
        for span_kind, start, end in spans:
            length = end - start if end > start else end + 1440 - start
            begin = day + timedelta(minutes=start)
            if span_kind == kind and any(begin + timedelta(minutes=n) == moment for n in range(length)):
                return True
    return False
