"""Slots by the wall clock and by elapsed time, over the clock changes of several zones."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shoufu.kernel.booking import calendar
from shoufu.kernel.booking.calendar import BadRecurrence, Opening, RepeatedTime, SkippedTime, Span

ZONES = [
    "Asia/Shanghai", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu",
    "Africa/Casablanca", "Pacific/Apia", "Europe/London",
]  # fmt: skip
HOUR = timedelta(hours=1)
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
zones = st.sampled_from(ZONES).map(ZoneInfo)
moments = st.datetimes(datetime(2024, 1, 2), datetime(2028, 12, 30)).map(lambda d: d.replace(microsecond=0))
times = st.times().map(lambda t: t.replace(second=0, microsecond=0))


def daily(opens: time, closes: time) -> Opening:
    return Opening("FREQ=DAILY", date(2024, 1, 1), None, opens, closes)


def whole(day: date, where: ZoneInfo, days: int = 1) -> Span:
    return Span(calendar.instant(day, time(), where), calendar.instant(day + timedelta(days=days), time(), where))


def local(spans: list[Span], where: ZoneInfo) -> list[str]:
    return [f"{one.start.astimezone(where):%m-%d %H:%M %Z}/{(one.end - one.start) // HOUR}h" for one in spans]


def starts(where: ZoneInfo, day: date, opens: time, closes: time, step: timedelta = HOUR) -> list[str]:
    within = whole(day, where)
    found = calendar.starts(calendar.spans(daily(opens, closes), where, within), step, within)
    return [f"{at.astimezone(where):%H:%M %Z}" for at in sorted(found)]


def test_no_slot_lies_in_the_hour_that_new_york_skips() -> None:
    got = starts(ZoneInfo("America/New_York"), date(2027, 3, 14), time(0), time(5))
    assert got == ["00:00 EST", "01:00 EST", "03:00 EDT", "04:00 EDT"]


def test_the_hour_that_berlin_lives_twice_has_its_slots_twice() -> None:
    got = starts(ZoneInfo("Europe/Berlin"), date(2026, 10, 25), time(1), time(4))
    assert got == ["01:00 CEST", "02:00 CEST", "02:00 CET", "03:00 CET"]


def test_an_opening_in_a_gap_is_read_with_the_offset_before_it() -> None:
    got = starts(ZoneInfo("America/New_York"), date(2027, 3, 14), time(2, 30), time(5))
    assert got == ["03:30 EDT", "04:30 EDT"]


def test_a_night_shift_over_the_change_is_an_hour_shorter() -> None:
    where = ZoneInfo("Europe/Berlin")
    found = list(calendar.spans(daily(time(22), time(6)), where, whole(date(2027, 3, 28), where)))
    assert [str(one.end - one.start) for one in found] == ["7:00:00", "8:00:00"]


def test_apia_had_no_30_december_2011() -> None:
    where = ZoneInfo("Pacific/Apia")
    rule = Opening("FREQ=DAILY", date(2011, 12, 1), None, time(8), time(10))
    found = list(calendar.spans(rule, where, whole(date(2011, 12, 29), where, 4)))
    days = [f"{one.start.astimezone(where):%m-%d}" for one in found]
    assert days == ["12-29", "12-31", "12-31", "01-01"] and len(calendar.merged(found)) == 3


def test_a_time_that_somebody_chose_is_refused_in_gap_and_fold() -> None:
    york = ZoneInfo("America/New_York")
    with pytest.raises(SkippedTime) as skipped:
        calendar.exact(datetime(2027, 3, 14, 2, 30), york)
    assert skipped.value.later.isoformat() == "2027-03-14T03:30:00-04:00"
    with pytest.raises(RepeatedTime) as twice:
        calendar.exact(datetime(2026, 11, 1, 1, 30), york)
    assert (twice.value.first.utcoffset(), twice.value.second.utcoffset()) == (-4 * HOUR, -5 * HOUR)
    assert calendar.exact(datetime(2026, 11, 1, 3), york) == datetime(2026, 11, 1, 8, tzinfo=UTC)


@PATIENT
@given(moments, zones)
def test_a_chosen_time_is_one_instant_or_is_refused(moment: datetime, where: ZoneInfo) -> None:
    readings = {moment.replace(tzinfo=where, fold=fold).astimezone(UTC) for fold in (0, 1)}
    real = {one for one in readings if one.astimezone(where).replace(tzinfo=None, fold=0) == moment}
    try:
        found = calendar.exact(moment, where)
    except SkippedTime as skipped:
        assert not real and skipped.later.replace(tzinfo=None) > moment
    except RepeatedTime as twice:
        assert {twice.first.astimezone(UTC), twice.second.astimezone(UTC)} == real and len(real) == 2
    else:
        assert real == {found}


@PATIENT
@given(zones, st.dates(date(2024, 1, 2), date(2028, 12, 30)), times, times, st.integers(5, 180), st.integers(5, 240))
def test_slots_never_overlap_and_lie_in_their_opening(
    where: ZoneInfo, day: date, opens: time, closes: time, step: int, length: int
) -> None:
    within = whole(day, where, 2)
    found = list(calendar.spans(daily(opens, closes), where, within))
    there = calendar.merged(found)
    got = sorted(calendar.starts(found, timedelta(minutes=step), within))
    assert all(later - earlier > timedelta() for earlier, later in zip(got, got[1:], strict=False))
    for at in got:
        # Each is a real instant of that opening: a whole number of steps after it began, whatever the clock did.
        assert any(
            one.start <= at < one.end and (at - one.start) % timedelta(minutes=step) == timedelta() for one in found
        )
        service = Span(at, at + timedelta(minutes=length))
        assert calendar.holds(there, service) == any(one.start <= at and service.end <= one.end for one in there)
    if got and opens != closes:
        clock = {at.astimezone(where).replace(tzinfo=None) for at in got}
        assert all(not _skipped(one, where) for one in clock)


def _skipped(moment: datetime, where: ZoneInfo) -> bool:
    try:
        calendar.exact(moment, where)
    except SkippedTime:
        return True
    except RepeatedTime:
        return False
    return False


spans = st.lists(
    st.tuples(st.integers(0, 200), st.integers(1, 40)).map(
        lambda p: Span(datetime(2026, 1, 1, tzinfo=UTC) + p[0] * HOUR, datetime(2026, 1, 1, tzinfo=UTC) + sum(p) * HOUR)
    ),
    max_size=8,
)


def hours(found: list[Span]) -> set[datetime]:
    return {one.start + n * HOUR for one in found for n in range((one.end - one.start) // HOUR)}


@PATIENT
@given(spans, spans)
def test_free_time_is_what_is_open_and_not_away(opened: list[Span], away: list[Span]) -> None:
    free = calendar.without(calendar.merged(opened), away)
    assert hours(free) == hours(opened) - hours(away)
    assert all(earlier.end <= later.start for earlier, later in zip(free, free[1:], strict=False))


@PATIENT
@given(st.lists(st.lists(st.integers(0, 5), max_size=4, unique=True), min_size=1, max_size=4))
def test_each_requirement_gets_its_own_or_nobody_could(choices: list[list[int]]) -> None:
    found = calendar.match(choices)
    if found is None:
        assert not _possible(choices)
    else:
        assert len(set(found)) == len(choices)
        assert all(one in wanted for one, wanted in zip(found, choices, strict=True))


def _possible(choices: list[list[int]], used: frozenset[int] = frozenset()) -> bool:
    return not choices or any(_possible(choices[1:], used | {one}) for one in choices[0] if one not in used)


@pytest.mark.parametrize(
    "text",
    ["", "DAILY", "FREQ=HOURLY", "FREQ=DAILY;BYHOUR=3", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;COUNT=2;UNTIL=20270101",
     "FREQ=DAILY;UNTIL=20270101T000000Z", "FREQ=WEEKLY;BYDAY=XX", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
     "FREQ=DAILY;FREQ=WEEKLY", "FREQ=DAILY;DTSTART=20260101", "FREQ=DAILY\nRRULE:FREQ=DAILY", "FREQ=MONTHLY;BYDAY=9MO",
     "FREQ=DAILY;COUNT=99999"],
)  # fmt: skip
def test_recurrences_that_cannot_be_used_are_refused(text: str) -> None:
    with pytest.raises(BadRecurrence):
        calendar.check_recurrence(text, date(2026, 1, 1))


def test_recurrences_of_the_standard_are_taken() -> None:
    rule = Opening(
        calendar.check_recurrence("rrule:freq=monthly;byday=mo,tu,we,th,fr;bysetpos=-1", date(2026, 1, 1)),
        date(2026, 1, 1), date(2026, 4, 1), time(9), time(12),
    )  # fmt: skip
    got = list(calendar.days(rule, date(2026, 1, 1), date(2026, 12, 31)))
    assert got == [date(2026, 1, 30), date(2026, 2, 27), date(2026, 3, 31)]


@pytest.mark.parametrize("name", ["Europe", "Mars/Olympus", "", "../etc/passwd", "Asia/Shanghai\x00"])
def test_an_unknown_zone_is_none(name: str) -> None:
    with pytest.raises(KeyError):
        calendar.zone(name)
