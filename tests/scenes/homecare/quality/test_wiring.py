import importlib.util
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict, NotFound
from shoufu.kernel.payments import services as payments
from shoufu.scenes.homecare.planning import days, travel
from shoufu.scenes.homecare.quality import institution, services
from shoufu.scenes.homecare.quality.services import BarDraft, RefusalDraft
from shoufu.scenes.homecare.visits.models import Visit

pytestmark = pytest.mark.django_db


@pytest.fixture
def bookable(staff: Any) -> Any:
    """The story with its managers, and what booking needs."""
    path = Path(__file__).parent.parent / "visits" / "bookable.py"
    spec = importlib.util.spec_from_file_location("bookable_story", path)
    assert spec is not None and spec.loader is not None
    module = sys.modules.get("bookable_story") or importlib.util.module_from_spec(spec)
    if "bookable_story" not in sys.modules:
        sys.modules["bookable_story"] = module
        spec.loader.exec_module(module)
    return module.build(staff)


def test_who_refused_is_neither_offered_nor_planned(bookable: Any) -> None:
    care = bookable.care
    visit = bookable.paid(bookable.book(bookable.at(9)))
    assert bookable.slots()
    refusal = services.refuse_patient(care.act("song"), care.mei.pk, RefusalDraft("unsafe", "有狗"))
    assert bookable.slots() == []
    with pytest.raises(Conflict):
        bookable.book(bookable.at(14))
    day = days.load(care.office, visit.day)
    assert day.plan.unassigned == (str(visit.pk),)  # what was planned is to be planned anew
    services.take_back(care.act("song"), refusal.pk)
    assert days.load(care.office, visit.day).plan.unassigned == () and bookable.slots()


def test_one_refused_visit_does_not_stand_against_others(bookable: Any) -> None:
    care = bookable.care
    visit = bookable.paid(bookable.book(bookable.at(9)))
    services.refuse_patient(care.act("song"), care.mei.pk, RefusalDraft("not_fit", "", visit.pk, True))
    assert days.load(care.office, visit.day).plan.unassigned == (str(visit.pk),)
    assert bookable.slots()


def test_an_entry_in_force_stops_new_bookings_and_leaves_the_booked_ones(bookable: Any) -> None:
    care = bookable.care
    visit = bookable.paid(bookable.book(bookable.at(9)))
    ground = services.refuse_patient(care.act("song"), care.mei.pk, RefusalDraft("harassment", "动手"))
    services.take_back(care.act("song"), ground.pk)
    row = services.propose(care.act("gao"), care.mei.pk, BarDraft("harassment", "动手", 30, refusals=[ground.pk]))
    assert bookable.slots()
    services.decide(care.act("dou"), row.pk, True)
    for who in ("mei", "gao"):
        with pytest.raises(Conflict) as refused:
            bookable.book(bookable.at(14), who)
        assert refused.value.extra["reason"] == "barred"
    assert Visit.objects.get().state == "booked" and bookable.again(visit).state == "booked"
    services.lift(care.act("dou"), row.pk, "已道歉")
    assert bookable.book(bookable.at(14)).state == "held"


def test_money_of_the_institution_is_what_its_orders_say(bookable: Any) -> None:
    care, today = bookable.care, timezone.localdate()
    paid = bookable.paid(bookable.book(bookable.at(9)))
    bookable.book(bookable.at(14))
    office = institution.office(care.act("dou"), None, "homecare.money")
    assert office == care.office
    found = institution.money(care.act("dou"), office, today.replace(day=1), today + timedelta(days=1))
    assert (found.total.orders, found.total.paid, found.total.refunded) == (1, 16800, 0)
    assert (found.open, found.open_minor, found.unsettled, found.settlements) == (1, 16800, 16800, [])
    refund = payments.request_refund(SYSTEM, payments.RefundDraft(paid.order_id, 6800, "来晚了"))
    payments.confirm_refund(SYSTEM, refund.pk, "R-2")
    again = institution.money(care.act("dou"), office, today.replace(day=1), today + timedelta(days=1))
    assert (again.total.refunded, again.unsettled) == (6800, 10000)
    for stranger in ("gao", "foreign", "ji"):
        with pytest.raises(NotFound):
            institution.office(care.act(stranger), care.office.pk, "homecare.money")


def test_time_is_shifts_plans_visits_and_ways(bookable: Any, visit_of: Callable[..., Any]) -> None:
    care, today = bookable.care, timezone.localdate()
    visit_of(ago=timedelta(hours=25), minutes=40)
    visit_of("missed", ago=timedelta(hours=28), end_cause="nobody_home")
    (found,) = institution.use(care.office, today - timedelta(days=3), today + timedelta(days=1))
    assert (found.planned, found.visited, found.visits, found.nobody_home) == (90, 40, 1, 1)
    assert found.shift == 2 * 9 * 60 and found.share == pytest.approx(90 / 1080)  # on duty since yesterday
    metres = travel.distances([(123.43, 41.84), (123.42, 41.84)])[0, 1] * travel.DETOUR
    mode = travel.MODES[care.song.transport]
    days_out = len(set(care.office.visits.values_list("day", flat=True)))
    assert found.travel == pytest.approx(2 * days_out * (metres / mode.metres_a_minute + mode.minutes_besides))
