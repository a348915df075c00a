from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from shoufu.kernel.places.models import Place
from shoufu.scenes.homecare.register import services as register
from shoufu.scenes.homecare.register.models import Institution, Practitioner, ServiceVersion
from shoufu.scenes.homecare.visits import services

pytestmark = pytest.mark.django_db


def _changes(where: ZoneInfo) -> date:
    """The next day on which the clocks there change."""

    def offset(day: date) -> timedelta | None:
        return datetime.combine(day, time(), where).utcoffset()

    day = timezone.now().astimezone(where).date() + timedelta(days=2)
    while offset(day) == offset(day + timedelta(days=1)):
        day += timedelta(days=1)
    return day


def test_a_visit_on_the_day_of_a_clock_change_is_at_the_time_that_the_wall_shows(bookable: Any) -> None:
    """In Berlin, where the clocks change: the night's lost or added hour moves no visit."""
    care, berlin = bookable.care, ZoneInfo("Europe/Berlin")
    Place.objects.update(time_zone="Europe/Berlin")
    day = _changes(berlin)
    Institution.objects.update(licence_last_day=day + timedelta(days=9))
    Practitioner.objects.update(licence_last_day=day + timedelta(days=9))
    from shoufu.scenes.homecare.assessment.models import Assessment

    Assessment.objects.update(last_day=day + timedelta(days=9))
    services.set_rules(care.act("gao"), care.office.pk, services.RulesDraft(horizon_days=365))
    since, until = (datetime.combine(day + timedelta(days=n), time(), berlin) for n in (-1, 2))
    care.office.refresh_from_db()
    found = services.free_slots(care.act("mei"), care.mei.pk, care.service.pk, since, until, mine=True)
    by_day: dict[date, list[time]] = {}
    for slot in found:
        local = slot.start.astimezone(berlin)
        by_day.setdefault(local.date(), []).append(local.time())
    assert len(by_day) == 3 and len({tuple(times) for times in by_day.values()}) == 1
    assert by_day[day][0] == time(8)
    start = datetime.combine(day, time(9), berlin)
    visit = services.book(care.act("mei"), bookable.draft(start), mine=True)
    assert (visit.day, visit.starts_at.astimezone(berlin).hour) == (day, 9)
    assert visit.stops.get().span.lower.astimezone(berlin).hour == 9
    moved = services.move(care.act("mei"), visit.pk, datetime.combine(day - timedelta(1), time(9), berlin), mine=True)
    assert (visit.starts_at - moved.starts_at) in (timedelta(hours=23), timedelta(hours=25))


def test_two_one_after_the_other_begin_by_their_gap(bookable: Any) -> None:
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.parties import services as parties

    care = bookable.care
    (second,) = parties.create_people(SYSTEM, [parties.PersonDraft("第二护士", care.world.songshan.pk, "13811119999")])
    parties.add_members(
        SYSTEM, [parties.MembershipDraft(second.pk, care.office.organisation_id, "护理", date(2020, 1, 1))]
    )
    today = timezone.localdate()
    draft = register.PractitionerDraft(
        "第二护士",
        "13811119999",
        "nurse",
        3,
        "2021-2",
        today + timedelta(days=60),
        today - timedelta(days=5000),
        ("wound",),
    )
    row = register.add_practitioner(care.act("gao"), care.office.pk, draft)
    register.verify(care.act("gao"), row.pk, "国家注册系统")
    register.add_shift(care.act("gao"), row.pk, register.ShiftDraft("FREQ=DAILY", time(8), time(17), today))
    document = care.service.versions.get().performers[0]
    ServiceVersion.objects.update(second="sequential", gap_least=60, gap_most=120, performers=[document, document])
    services.keep_in_step(care.act("gao"), care.office)
    assert bookable.at(9) in bookable.slots()
    visit = bookable.book(bookable.at(9))
    first, later = visit.stops.order_by("task")
    gap = later.span.lower - first.span.lower
    assert timedelta(minutes=60) <= gap <= timedelta(minutes=120) and first.practitioner_id != later.practitioner_id
    assert first.span.lower <= visit.latest_at
