from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.utils import timezone

from shoufu.engines.dispatch import arrange, feasible, place
from shoufu.kernel.base.actor import SYSTEM
from shoufu.scenes.homecare.planning import days
from shoufu.scenes.homecare.planning.expecting import as_expected, unlimited
from shoufu.scenes.homecare.planning.models import DayPlan
from shoufu.scenes.homecare.planning.running import running
from shoufu.scenes.homecare.register import services
from shoufu.scenes.homecare.register.models import Practitioner
from shoufu.scenes.homecare.visits.models import Visit

pytestmark = pytest.mark.django_db


def _monday() -> Any:
    today = timezone.localdate()
    return today + timedelta(days=7 - today.weekday())


def _works(care: Any, opens: int, closes: int) -> None:
    since = timezone.localdate() - timedelta(days=1)
    services.add_shift(
        care.act("gao"), care.song.pk, services.ShiftDraft("FREQ=DAILY", time(opens), time(closes), since)
    )


def _visit(care: Any, hour: int, minutes: int = 30) -> Visit:
    day = _monday()
    start = datetime.combine(day, time(hour), ZoneInfo(care.office.place.time_zone))
    return Visit.objects.create(
        patient=care.mei, institution=care.office, service=care.service, version=care.service.versions.get(),
        place=care.mei.place, state="booked", day=day, starts_at=start,
        latest_at=start + timedelta(minutes=minutes), requested_at=timezone.now(),
    )  # fmt: skip


def _place(care: Any, wish: days.Wish) -> Visit:
    """As booking does it: what fits is placed, the row made and the plan written."""
    day, visit = days.load(care.office, _monday(), patient=care.mei).with_wish(wish)
    offer = feasible(day.problem, visit, day.plan)[0]
    row = _visit(care, wish.starts_at.astimezone(ZoneInfo("Asia/Shanghai")).hour)
    day, visit = days.load(care.office, _monday(), patient=care.mei).with_wish(replace(wish, id=str(row.pk)))
    with transaction.atomic():
        _wider, plan = place(day.problem, day.plan, visit, replace(offer, visit=str(row.pk)))
        days.save(SYSTEM, day, plan, "booked")
    return row


def _wish(care: Any, hour: int) -> days.Wish:
    start = datetime.combine(_monday(), time(hour), ZoneInfo(care.office.place.time_zone))
    return days.Wish(care.mei, care.service.versions.get(), start, start + timedelta(minutes=30))


def test_a_visit_that_fits_is_planned_and_comes_back_as_it_was(care: Any) -> None:
    _works(care, 8, 17)
    row = _place(care, _wish(care, 9))
    stop = row.stops.get()
    assert stop.practitioner == care.song and row.starts_at <= stop.span.lower <= row.latest_at
    day = days.load(care.office, _monday())
    assert day.plan.by_visit[str(row.pk)][0].start == pytest.approx(day.minutes(stop.span.lower))
    assert DayPlan.objects.get().order == [row.pk]


def test_nobody_is_offered_who_may_not_come(care: Any) -> None:
    _works(care, 8, 17)
    Practitioner.objects.filter(pk=care.song.pk).update(licence_last_day=_monday() - timedelta(days=1))
    day, visit = days.load(care.office, _monday(), patient=care.mei).with_wish(_wish(care, 9))
    assert feasible(day.problem, visit, day.plan) == []


def test_a_second_visit_at_the_same_moment_does_not_fit_one_nurse(care: Any) -> None:
    _works(care, 8, 17)
    _place(care, _wish(care, 9))
    day, visit = days.load(care.office, _monday(), patient=care.mei).with_wish(_wish(care, 9))
    assert feasible(day.problem, visit, day.plan) == []


def test_who_fell_ill_leaves_their_visits_open(care: Any) -> None:
    _works(care, 8, 17)
    row = _place(care, _wish(care, 9))
    start = datetime.combine(_monday(), time(0), ZoneInfo(care.office.place.time_zone))
    services.add_absence(care.act("gao"), care.song.pk, start, start + timedelta(days=1))
    day = days.load(care.office, _monday())
    assert day.plan.unassigned == (str(row.pk),) and not day.problem.caregivers


def test_what_has_begun_is_left_alone_and_its_nurse_goes_on_from_there(care: Any) -> None:
    _works(care, 8, 17)
    row = _place(care, _wish(care, 9))
    began = row.starts_at + timedelta(minutes=5)
    Visit.objects.filter(pk=row.pk).update(state="underway", began_at=began)
    day = days.load(care.office, _monday(), now=began + timedelta(minutes=10))
    assert [one.pk for one in day.begun] == [row.pk] and not day.problem.visits
    assert day.moment(day.problem.caregivers[0].shift_start) == began + timedelta(minutes=45)
    with transaction.atomic():
        days.save(SYSTEM, day, day.plan, "solved")
    assert row.stops.exists()


@pytest.mark.parametrize("pushed", [False, True])
def test_a_day_that_holds_everybody_is_not_arranged_anew_and_comes_to_the_same(board: Any, pushed: bool) -> None:
    """The plan without limits and the one with them are the same as long as no limit takes a visit out."""
    board.sent(board.visit(0, 9), "song", 9)
    late = board.sent(board.visit(1, 10), "song", 10)
    if pushed:  # nobody can keep it any more: it is expected late
        Visit.objects.filter(pk=late.pk).update(starts_at=board.at(9, 20), latest_at=board.at(9, 20))
    now = board.at(7) - timedelta(days=1)
    day = days.load(board.care.office, board.day, now=now)
    at = running(day, now)
    plan = unlimited(day.problem, day.crews, day.order)
    problem = as_expected(day.problem, plan, day.minutes(now))
    assert at.day.plan == arrange(problem, day.crews, day.order)
    assert (at.day.problem.visits, at.day.problem.caregivers) == (problem.visits, problem.caregivers)
    assert at.expected == {(stop.visit, stop.task): stop.start for stop in plan.stops}
