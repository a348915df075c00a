import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoufu.engines.chronic import (
    BadGuideline,
    Reading,
    Target,
    control,
    evaluate,
    faults,
    load,
    standing,
    summary,
    windows,
)

ZONE = ZoneInfo("Asia/Shanghai")
DOCUMENT = {
    "code": "bp", "version": 1, "condition": "hypertension", "icd10": "I10", "name": "例", "name_en": "Example",
    "year": 2020, "citation": "x", "tasks": [],
    "targets": [
        {"quantity": "systolic", "high": 140, "strict": True, "clause": "c"},
        {"quantity": "diastolic", "high": 90, "strict": True, "clause": "c"},
        {"quantity": "glucose", "low": 4.4, "high": 7.0, "context": "fasting", "clause": "c"},
    ],
    "rules": [
        {"code": "danger", "severity": "critical", "text": "", "text_en": "", "advice": "", "advice_en": "",
         "clause": "d", "limits": [{"quantity": "systolic", "least": 180}, {"quantity": "diastolic", "least": 110}]},
        {"code": "out", "severity": "medium", "text": "", "text_en": "", "advice": "", "advice_en": "", "clause": "o",
         "goals": ["systolic", "diastolic"], "days": 3, "within": 28},
        {"code": "fasting", "severity": "medium", "text": "", "text_en": "", "advice": "", "advice_en": "",
         "clause": "f", "goals": ["glucose"], "days": 3, "within": 28, "context": "fasting"},
    ],
    "follow_up": {"in": {"days": 90, "clause": "n"}, "out": {"days": 14, "clause": "n"}},
}  # fmt: skip
GUIDELINE = load(json.dumps(DOCUMENT))
TARGETS = GUIDELINE.targets_for(60)
START = datetime(2026, 11, 1, 0, 30, tzinfo=UTC)


def bp(day: float, systolic: float, diastolic: float = 70, name: str = "") -> Reading:
    at = START + timedelta(days=day)
    return Reading(name or f"r{day}", "blood_pressure", at, {"systolic": systolic, "diastolic": diastolic})


def found(readings: list[Reading], **more: object) -> list[str]:
    newest = max(readings, key=lambda one: one.at)
    return [one.rule.code for one in evaluate(GUIDELINE, TARGETS, readings, newest, ZONE, **more)]  # type: ignore[arg-type]


def test_three_different_days_out_of_target_and_not_two() -> None:
    assert found([bp(0, 150), bp(0.1, 152), bp(0.2, 151), bp(1, 150)]) == []
    three = [bp(0, 150), bp(1, 150), bp(5, 150)]
    assert found(three) == ["out"]
    (one,) = evaluate(GUIDELINE, TARGETS, three, three[-1], ZONE)
    assert (one.quantity, one.value, one.bound, one.side, one.rule.clause) == ("systolic", 150, 140, "high", "o")
    assert one.readings == ("r0", "r1", "r5")
    assert found([bp(0, 150), bp(1, 150), bp(2, 130), bp(5, 150)]) == []
    assert found([bp(0, 150), bp(1, 120, 95), bp(2, 150)]) == ["out"], "either pressure makes a day one"
    assert found([bp(0, 150), bp(1, 150), bp(40, 150)]) == [], "all within the guideline's days"
    assert found([bp(0, 140), bp(1, 140), bp(2, 140)]) == ["out"], "the bound itself is out where it is “below”"


def test_danger_is_one_reading_and_what_was_dealt_with_is_not_found_again() -> None:
    assert found([bp(0, 180)]) == ["danger"]
    assert found([bp(0, 179, 110)]) == ["danger"]
    assert found([bp(0, 179, 109)]) == []
    days = [bp(0, 150), bp(1, 150), bp(2, 150), bp(3, 150)]
    closed = {"out": days[2].at}
    assert found(days, since=closed) == []
    assert found([*days, bp(4, 150), bp(5, 150)], since=closed) == ["out"]


def test_the_day_is_that_of_the_place() -> None:
    """23:30 and 00:30 of Beijing are two days, though one of UTC."""
    late = [
        Reading(
            str(n), "blood_pressure", datetime(2026, 11, 3, hour, 30, tzinfo=UTC), {"systolic": 150, "diastolic": 80}
        )
        for n, hour in enumerate((15, 16))
    ]
    assert found([bp(0, 150), *late]) == ["out"]
    assert evaluate(GUIDELINE, TARGETS, [bp(0, 150), *late], late[1], UTC) == []  # type: ignore[arg-type]


def test_fasting_glucose_is_judged_by_fasting_readings_only() -> None:
    def sugar(day: int, value: float, context: str) -> Reading:
        return Reading(f"g{day}{context}", "glucose", START + timedelta(days=day), {"glucose": value}, context)

    assert found([sugar(d, 8.0, "fasting") for d in range(3)]) == ["fasting"]
    assert found([sugar(0, 8, "fasting"), sugar(1, 8, "fasting"), sugar(2, 9, "after_meal")]) == []
    assert found([sugar(d, 4.0, "fasting") for d in range(3)]) == ["fasting"], "below the band is out as well"
    assert found([sugar(d, 7.0, "fasting") for d in range(3)]) == []


def test_values_that_cannot_be_are_named_with_their_limits() -> None:
    assert faults("blood_pressure", {"systolic": 120, "diastolic": 80}) == []
    (one,) = faults("blood_pressure", {"systolic": 1200, "diastolic": 80})
    assert (one.field, one.what, one.least, one.most) == ("systolic", "most", 50, 300)
    assert [one.what for one in faults("blood_pressure", {"systolic": 80, "diastolic": 120})] == ["order"]
    assert [one.field for one in faults("blood_pressure", {"systolic": float("nan")})] == ["diastolic", "systolic"]
    assert [one.field for one in faults("glucose", {"glucose": 6}, "")] == ["context"]
    assert [one.field for one in faults("weight", {"weight": 60}, "fasting")] == ["context"]
    assert [one.field for one in faults("gait", {})] == ["kind"]


@pytest.mark.parametrize(
    "change",
    [
        {"rules": [*DOCUMENT["rules"], DOCUMENT["rules"][0]]},  # type: ignore[misc,index]
        {"targets": [{"quantity": "mood", "high": 3, "clause": "c"}]},
        {"targets": [{"quantity": "glucose", "low": 7, "high": 4, "clause": "c"}]},
        {"targets": [{"quantity": "glucose", "high": 4}]},
        {"follow_up": {"in": {"days": 90, "clause": "n"}}},
        {"rules": [{"code": "x"}]},
        {"tasks": [{"code": "t", "text": "", "text_en": "", "frequency": 0, "period": 1, "unit": "d"}]},
    ],
)
def test_a_document_that_contradicts_itself_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(BadGuideline):
        load(json.dumps(DOCUMENT | change))


rows = st.lists(st.tuples(st.integers(0, 60), st.floats(80, 220), st.floats(40, 75)), min_size=1, max_size=25)


@given(rows, st.randoms())
def test_the_order_in_which_readings_come_is_no_matter(made: list[tuple[int, float, float]], random: object) -> None:
    readings = [bp(day, high, low, str(n)) for n, (day, high, low) in enumerate(made)]
    newest = max(readings, key=lambda one: (one.at, one.id))
    shuffled = list(readings)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    first = evaluate(GUIDELINE, TARGETS, readings, newest, ZONE)
    assert [(one.rule.code, one.days, set(one.readings)) for one in first] == [
        (one.rule.code, one.days, set(one.readings)) for one in evaluate(GUIDELINE, TARGETS, shuffled, newest, ZONE)
    ]


@given(rows)
def test_a_finding_rests_on_readings_that_say_so(made: list[tuple[int, float, float]]) -> None:
    readings = {str(n): bp(day, high, low, str(n)) for n, (day, high, low) in enumerate(made)}
    newest = max(readings.values(), key=lambda one: (one.at, one.id))
    for one in evaluate(GUIDELINE, TARGETS, readings.values(), newest, ZONE):
        said = [readings[name] for name in one.readings]
        assert newest in said and len({r.day(ZONE) for r in said}) == one.days
        assert one.value >= one.bound
        if one.rule.code == "out":
            assert max(r.at for r in said) - min(r.at for r in said) <= timedelta(days=28)


@given(rows, st.floats(0, 40))
def test_more_pressure_never_takes_a_danger_away(made: list[tuple[int, float, float]], more: float) -> None:
    readings = [bp(day, high, low, str(n)) for n, (day, high, low) in enumerate(made)]
    higher = [bp(day, high + more, low, str(n)) for n, (day, high, low) in enumerate(made)]
    assert set(found(readings)) <= set(found(higher))


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(1, 6), st.sampled_from(["d", "wk", "mo"]),
       st.integers(0, 400))  # fmt: skip
def test_periods_follow_on_each_other_without_a_gap(start: date, period: int, unit: str, ahead: int) -> None:
    until = start + timedelta(days=ahead)
    listed = list(windows(start, period, unit, until))
    assert listed[0][0] == start and listed[-1][0] <= until <= listed[-1][1]
    assert all(b[0] == a[1] + timedelta(days=1) for a, b in zip(listed, listed[1:], strict=False))


def test_how_a_task_stands() -> None:
    start = date(2026, 11, 2)
    days = [start, start + timedelta(days=1)]
    now = standing(start, 1, 1, "d", days, start + timedelta(days=4))
    assert now is not None and (now.done, now.open, now.missed) == (0, True, 2)
    week = standing(start, 2, 1, "wk", days, start + timedelta(days=6))
    assert week is not None and not week.open and week.last == date(2026, 11, 8)
    assert standing(start, 1, 1, "d", [], start - timedelta(days=1)) is None


def test_control_and_trend() -> None:
    target = Target("systolic", high=140, strict=True)
    readings = [bp(day, 160 - day) for day in range(28)]
    today = date(2026, 11, 28)
    assert control([target], readings, ZONE, today) == "in"
    assert control([target], readings[:10], ZONE, today) == "out"
    assert control([target], readings, ZONE, today + timedelta(days=90)) == ""
    short = summary(readings, "systolic", ZONE, target)
    assert short is not None and short.days == 28 and short.change == pytest.approx(-30)
    assert short.within == pytest.approx(7 / 28)
    assert summary(readings, "glucose", ZONE) is None
