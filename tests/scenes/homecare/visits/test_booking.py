from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound
from shoufu.kernel.booking import services as booking
from shoufu.kernel.booking.models import Booking
from shoufu.kernel.payments.models import Order
from shoufu.kernel.privacy import services as privacy
from shoufu.scenes.homecare.planning.models import DayPlan
from shoufu.scenes.homecare.register import services as register
from shoufu.scenes.homecare.register.models import Institution, Practitioner
from shoufu.scenes.homecare.visits import ordering, services
from shoufu.scenes.homecare.visits.models import Stop, Visit

pytestmark = pytest.mark.django_db


def test_from_a_slot_that_exists_to_a_paid_visit_with_its_nurse(bookable: Any) -> None:
    start = bookable.at(9)
    assert start in bookable.slots()
    visit = bookable.book(start, note="请带大号手套")
    assert (visit.state, visit.order.state, visit.order.payer_minor) == ("held", "pending", 16800)
    assert visit.order.payer == bookable.care.people["mei"] and visit.consented_by == bookable.care.users["mei"]
    stop = visit.stops.get()
    assert stop.practitioner == bookable.care.song and visit.starts_at <= stop.span.lower <= visit.latest_at
    kept = Visit.objects.values_list("note", flat=True).get()
    assert kept is not None and "手套".encode() not in bytes(kept)
    done = bookable.paid(visit)
    assert (done.state, done.booking.state, done.money_due_at) == ("booked", "confirmed", None)
    assert [one.kind for one in done.events.all()] == ["hold", "consent", "book"]


def test_what_is_held_is_not_offered_again_and_the_offer_knows_the_way(bookable: Any) -> None:
    bookable.book(bookable.at(9))
    left = bookable.slots()
    assert bookable.at(9) not in left and bookable.at(14) in left
    with pytest.raises(Conflict) as refused:
        bookable.book(bookable.at(9))
    assert refused.value.extra["reason"] in ("infeasible", "taken")


def test_nothing_is_booked_without_consent_assessment_or_right(bookable: Any) -> None:
    care, start = bookable.care, bookable.at(9)
    with pytest.raises(Invalid, match="consent"):
        bookable.book(start, consent=bookable.version.pk + 1)
    with pytest.raises(NotFound):
        bookable.book(start, "lan")
    with pytest.raises(NotFound):
        services.book(care.act("other"), bookable.draft(start))
    with pytest.raises(Forbidden):
        services.book(care.act("song"), bookable.draft(start))
    register.change_patient(care.act("gao"), care.mei.pk, register.PatientChange(flags=["bleeding"]))
    assert bookable.slots() == []
    with pytest.raises(Conflict):
        bookable.book(start)
    assert not Visit.objects.exists() and not Order.objects.exists() and not Stop.objects.exists()


def test_family_books_within_what_was_granted_and_pays(bookable: Any) -> None:
    care = bookable.care
    privacy.grant(care.act("mei"), privacy.GrantDraft(care.people["lan"].pk, ["care.act"]))
    visit = bookable.book(bookable.at(10), "lan")
    assert visit.order.payer == care.people["lan"] and visit.booking.person == care.people["mei"]
    assert services.cancel(care.act("lan"), visit.pk, mine=True).state == "cancelled"


def test_the_kernels_own_door_lets_nobody_past_the_provider(bookable: Any) -> None:
    care = bookable.care
    details = {"patient": care.mei.pk, "consent": bookable.version.pk}
    wanted = booking.HoldDraft(bookable.offering.pk, bookable.at(9), details=details)
    with pytest.raises(NotFound):
        booking.hold(care.act("lan"), wanted)
    with pytest.raises(Conflict):
        booking.hold(
            care.act("mei"), booking.HoldDraft(bookable.offering.pk, bookable.at(9), details={"patient": care.mei.pk})
        )
    held = booking.hold(care.act("mei"), wanted)
    with pytest.raises(Conflict) as unpaid:
        booking.confirm(care.act("mei"), held.pk)
    assert unpaid.value.extra["reason"] == "unpaid"
    assert Visit.objects.get(booking=held).state == "held"


def test_the_day_after_a_licence_ended_at_midnight_is_not_offered(bookable: Any) -> None:
    last = bookable.day(4)
    Practitioner.objects.filter(pk=bookable.care.song.pk).update(licence_last_day=last)
    found = {start.date() for start in bookable.slots()}
    assert last in found and last + timedelta(days=1) not in found
    Institution.objects.filter(pk=bookable.care.office.pk).update(licence_last_day=last - timedelta(days=1))
    assert max(start.date() for start in bookable.slots()) == last - timedelta(days=1)


def test_moving_frees_the_old_day_and_takes_the_new_one(bookable: Any) -> None:
    visit = bookable.paid(bookable.book(bookable.at(9)))
    mei = bookable.care.act("mei")
    offered = [
        one.start for one in services.slots_to_move(mei, visit.pk, bookable.at(0), bookable.at(0, ahead=6), mine=True)
    ]
    assert bookable.at(9, 30) in offered and bookable.at(9) not in offered
    moved = services.move(mei, visit.pk, bookable.at(11, ahead=4), mine=True)
    assert moved.day == bookable.day(4) and moved.stops.get().span.lower >= bookable.at(11, ahead=4)
    assert bookable.at(9) in bookable.slots()
    old = DayPlan.objects.get(day=bookable.day(3))
    assert old.order == [] and old.number == 2


def test_a_coordinator_books_by_phone_and_cancels_free_of_charge(bookable: Any) -> None:
    gao = bookable.care.act("gao")
    visit = bookable.paid(services.book(gao, bookable.draft(bookable.at(3 + 6))))
    assert visit.order.payer == bookable.care.people["mei"]
    with pytest.raises(Invalid, match="reason"):
        services.cancel(gao, visit.pk)
    done = services.cancel(gao, visit.pk, "护士生病")
    ordering.follow(visit.pk)
    refund = done.order.payments.get().refunds.get()
    assert (refund.amount_minor, refund.state) == (16800, "requested")
    assert not Stop.objects.exists()


def test_an_expired_hold_frees_its_nurse_at_once(bookable: Any) -> None:
    visit = bookable.book(bookable.at(9))
    Booking.objects.filter(pk=visit.booking_id).update(held_until=timezone.now() - timedelta(seconds=1))
    assert bookable.at(9) in bookable.slots()
    other = bookable.book(bookable.at(9))
    assert bookable.again(visit).state == "expired"
    assert [one.visit_id for one in Stop.objects.all()] == [other.pk]


def test_opening_keeps_in_step_with_people_and_versions(bookable: Any) -> None:
    care = bookable.care
    gao = care.act("gao")
    terms = bookable.offering.current
    assert (terms.duration_minutes, terms.step_minutes, terms.horizon_days, terms.price) == (45, 30, 14, 16800)
    assert services.open_for_booking(gao, care.service.pk).current == terms
    services.set_rules(gao, care.office.pk, services.RulesDraft(horizon_days=21, lead_minutes=60))
    bookable.offering.refresh_from_db()
    assert (bookable.offering.current.horizon_days, bookable.offering.current.lead_minutes) == (21, 60)
    assert services.keep_all_in_step() == 0
    register.close_service(gao, care.service.pk, "停用")
    bookable.offering.refresh_from_db()
    assert bookable.offering.ends_at is not None
    with pytest.raises(NotFound):
        services.open_for_booking(care.act("other"), care.service.pk)
