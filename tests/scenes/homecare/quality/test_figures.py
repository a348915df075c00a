from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from shoufu.kernel.base.errors import Forbidden, Invalid, NotFound
from shoufu.scenes.homecare.quality import compliance, counting, services, summaries
from shoufu.scenes.homecare.quality.counting import Asked
from shoufu.scenes.homecare.quality.figures import Cell, Counts, figures, published, told
from shoufu.scenes.homecare.quality.services import ComplaintDraft, IncidentDraft, RatingDraft
from shoufu.scenes.homecare.register.models import Practitioner
from shoufu.scenes.homecare.visits.models import Visit

Make = Callable[..., Any]


def cell(key: str, people: int, **more: Any) -> Cell:
    return Cell(key, Counts(done=people * 2, people=people, **more))


def test_figures_are_shares_rates_and_averages_with_what_they_rest_on() -> None:
    found = figures(
        Counts(
            done=400, promised=390, punctual=351, timed=400, planned_minutes=18000, spent_minutes=19800, missed=5,
            cancelled=15, settled=420, aged7=380, again7=19, ratings=80, stars=368, incidents=6, infections=2,
            complaints=4, answered=3, answer_hours=90,
        )
    )  # fmt: skip
    assert found.punctuality.value == pytest.approx(0.9)
    assert found.duration.value == pytest.approx(1.1) and found.minutes.value == pytest.approx(49.5)
    assert found.missed.value == pytest.approx(5 / 420) and found.again7.value == pytest.approx(0.05)
    assert (found.infections.value, found.infections.numerator, found.infections.denominator) == (5.0, 2, 400)
    assert found.rating.value == pytest.approx(4.6) and found.answer.value == pytest.approx(30)
    assert found.again30.value is None


def test_published_tables_keep_small_cells_back_and_what_would_tell_them() -> None:
    rows = published([cell("a", 50), cell("b", 9), cell("c", 12), cell("d", 0)])
    assert [row.hidden for row in rows] == [False, True, True, False]  # c too: a total would tell b
    rows = published([cell("a", 50), cell("b", 9), cell("c", 3)])
    assert [row.hidden for row in rows] == [False, True, True]
    assert [row.hidden for row in published([cell("a", 10), cell("b", 11)])] == [False, False]
    whole = cell("a", 50, infections=3, incidents=12)
    assert told(whole, "infections", public=True).value is None
    assert told(whole, "infections", public=False).value == 30
    assert told(whole, "incidents", public=True).value == 120
    assert told(published([cell("a", 3)])[0], "rating", public=True).value is None


def _span(care: Any, who: str, **more: Any) -> counting.Span:
    today = timezone.localdate()
    return counting.span(care.act(who), Asked(today - timedelta(days=300), today, **more))


def _this(care: Any, who: str = "gao", **more: Any) -> Counts:
    rows = summaries.cells(_span(care, who, **more))["total"]
    return rows[0].counts if rows else Counts()


@pytest.mark.django_db
def test_counts_against_an_example_by_hand(staff: Any, visit_of: Make) -> None:
    day = timedelta(days=1)
    first = visit_of(ago=50 * day, minutes=40)  # asked for again 3 days later, after it had ended
    visit_of(ago=47 * day, late=31, minutes=50, requested_at=timezone.now() - 49 * day)
    visit_of(ago=27 * day, late=-9, minutes=60)  # 20 days after the last, asked for after it
    visit_of(ago=4 * day, late=-11, minutes=30, requested_at=timezone.now() - 60 * day)  # a series, asked for before
    visit_of("missed", ago=5 * day, end_cause="nobody_home", ended_at=timezone.now() - 5 * day)
    visit_of("cancelled", ago=6 * day, end_cause="patient", ended_at=timezone.now() - 6 * day)
    visit_of("booked", ago=-2 * day)
    services.rate(
        staff.act("mei"),
        Visit.objects.get(ended_at__gt=timezone.now() - 4 * day - timedelta(hours=1), state="done").pk,
        RatingDraft(4),
    )
    services.report(staff.act("song"), IncidentDraft("infection", 3, timezone.now() - 2 * day, "红肿", "", first.pk))
    complaint = services.complain(staff.act("mei"), staff.mei.pk, ComplaintDraft("care", "疼", "", first.pk))
    services.answer(staff.act("gao"), complaint.pk, "抱歉")
    found = _this(staff)
    assert (found.done, found.promised, found.punctual) == (4, 4, 2)  # 31 minutes late, and 11 too early
    assert (found.planned_minutes, found.spent_minutes) == (180, 180)
    assert (found.missed, found.cancelled, found.settled) == (1, 1, 6)
    assert (found.aged7, found.again7, found.aged30, found.again30) == (3, 1, 2, 2)
    assert (found.ratings, found.stars, found.infections, found.complaints, found.answered) == (1, 4, 1, 1, 1)
    assert summaries.causes(_span(staff, "gao")) == [("cancelled", "patient", 1), ("missed", "nobody_home", 1)]
    rows = summaries.cells(_span(staff, "gao"), ("month", "service", "institution", "practitioner"), people=True)
    assert sum(row.counts.done for row in rows["month"]) == 4 and rows["service"][0].counts.people == 1
    assert rows["practitioner"][0].key == str(staff.song.pk) and rows["practitioner"][0].counts.done == 4


@pytest.mark.django_db
def test_everybody_counts_what_they_may_see(staff: Any, visit_of: Make) -> None:
    visit_of(ago=timedelta(days=2))
    assert _this(staff, "gao").done == _this(staff, "dou").done == _this(staff, "ji").done == 1
    assert _this(staff, "song").done == 1  # her own
    assert _this(staff, "other").done == _this(staff, "du").done == 0 and _this(staff, "foreign").done == 0
    Visit.objects.get().stops.all().delete()
    assert _this(staff, "song").done == 0
    for stranger in ("mei", "manager"):
        with pytest.raises(Forbidden):
            _this(staff, stranger)
    with pytest.raises(NotFound):
        _this(staff, "du", institution=staff.office.pk)
    with pytest.raises(Invalid):
        counting.span(staff.act("gao"), Asked(date(2026, 2, 1), date(2026, 1, 1)))


@pytest.mark.django_db
def test_summaries_of_months_say_what_counting_says(staff: Any, visit_of: Make, monkeypatch: Any) -> None:
    for n in range(9):
        visit_of(
            "done" if n % 4 else "missed",
            ago=timedelta(days=11 * n + 1),
            late=5 * n,
            end_cause="" if n % 4 else "unsafe",
        )
    today = timezone.localdate()
    since, until = (today - timedelta(days=130)).replace(day=1), summaries.after(today.replace(day=1))
    span = counting.span(staff.act("gao"), Asked(since, until - timedelta(days=1)))
    dimensions = ("total", "month", "service", "institution", "practitioner")
    live, why = summaries.cells(span, dimensions, people=True), summaries.causes(span)
    monkeypatch.setattr(summaries, "LIVE_MOST", 0)
    assert summaries.kept(span)
    for _again in range(2):
        kept = summaries.cells(span, dimensions, people=True)
        for name in dimensions:
            plain = [(row.key, vars(row.counts) | {"people": 0}) for row in live[name]]
            assert [(row.key, vars(row.counts) | {"people": 0}) for row in kept[name]] == plain, name
        assert summaries.causes(span) == why
    visit_of(ago=timedelta(days=1, hours=3))
    assert summaries.refresh_all(timezone.now()) >= 1
    assert summaries.cells(span, ("total",))["total"][0].counts.done == live["total"][0].counts.done + 1


@pytest.mark.django_db
def test_the_rules_name_every_visit_that_broke_one(staff: Any, visit_of: Make) -> None:
    row = visit_of(ago=timedelta(days=2))
    found = {one.code: one for one in compliance.checks(_span(staff, "gao"))}
    assert {code: (one.checked, one.broken) for code, one in found.items()} == {
        "assessed": (1, 1), "licensed": (1, 0), "qualified": (1, 0), "office": (1, 0), "prescribed": (0, 0),
        "consented": (1, 1),
    }  # fmt: skip
    assert found["assessed"].visits == [row] and found["assessed"].share == 0
    Practitioner.objects.update(licence_last_day=row.day - timedelta(days=1), rank=1)
    again = {one.code: one.broken for one in compliance.checks(_span(staff, "gao"))}
    assert (again["licensed"], again["qualified"]) == (1, 1)
