"""The money of a visit is followed until it is where it belongs.

Locks: an order's row before the lock of a day, that before rows of bookings, those before rows of visits. What follows
from a booking for its money is therefore done after its transaction (`follow_soon`), and again by a task where that
failed: `Visit.money_due_at` remembers.
"""

import logging
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict, Problem
from shoufu.kernel.booking import services as booking
from shoufu.kernel.booking.services.claims import lapse
from shoufu.kernel.payments import services as payments
from shoufu.kernel.payments.models import Order, Payment, Refund
from shoufu.scenes.homecare.visits import orders, owing, returning, selectors, telling
from shoufu.scenes.homecare.visits.models import Visit

log = logging.getLogger(__name__)
State = Visit.State
PAUSE = timedelta(minutes=5)
"""How long a visit whose money could not be brought in line lets others go first."""


def follow_soon(visit_id: int) -> None:
    """Bring the money in line once the caller's transaction has committed."""
    transaction.on_commit(lambda: follow(visit_id), robust=True)


def follow_due(most: int = 50) -> int:
    """Bring in line what is still due about the money of visits; what cannot be yet lets others go first. Returns how
    many are done."""
    due = Visit.objects.filter(money_due_at__lte=timezone.now()).order_by("money_due_at")
    return sum(_tried(pk) for pk in list(due.values_list("pk", flat=True)[:most]))


def _tried(visit_id: int) -> bool:
    try:
        done = follow(visit_id)
    except Problem as problem:
        log.warning("money of visit %s: %s", visit_id, problem)
        done = False
    except Exception:  # one visit's fault must not keep the others' money
        log.exception("money of visit %s", visit_id)
        done = False
    if not done:
        now = timezone.now()
        Visit.objects.filter(pk=visit_id, money_due_at__lte=now).update(money_due_at=now + PAUSE)
    return done


def follow(visit_id: int) -> bool:
    """Do what a visit's state asks of its money, and what its money asks of its state; a second time changes nothing.

    Paid while held: booked. Paid after the hold ran out: placed again where that still goes, else paid back whole.
    Done: who did it is named, and what is not paid stays owed. Cancelled or missed: the rest by the terms is paid back;
    an order that is not paid yet ends, or one over the charge takes its place. Returns whether all is done.
    """
    visit = _read(visit_id)
    order = visit.order
    if order is None:
        return _done(visit)
    if visit.state in (State.HELD, State.EXPIRED) and order.state == Order.State.PAID:
        _book_paid(visit)
        visit = _read(visit_id)
    if visit.state in (State.DONE, *owing.ENDED) and not owing.claim(visit):
        return False
    again_at = returning.pay_back(visit_id)
    if again_at is not None:
        Visit.objects.filter(pk=visit.pk).update(money_due_at=again_at)
        return False
    if visit.state == State.DONE:
        _performed(visit)
    return _done(visit)


def _read(visit_id: int) -> Visit:
    rows = Visit.objects.select_related("order", "institution__place", "version", "place")
    return rows.prefetch_related(selectors.with_patient(), selectors.with_booking()).get(pk=visit_id)


def _done(visit: Visit) -> bool:
    Visit.objects.filter(pk=visit.pk, state=visit.state).update(money_due_at=None)
    return True


def _book_paid(visit: Visit) -> None:
    """It was paid: book it; where its hold ran out meanwhile, place it again if that still goes."""
    try:
        if _confirmed(visit.pk):
            return
    except Conflict as refusal:
        if refusal.extra.get("reason") != "hold-expired" or visit.booking_id is None:
            raise
        _lapse(visit.booking_id)
    try:
        _placed_again(visit.pk)
    except Problem as problem:
        log.info("visit %s was paid too late and cannot be placed again: %s", visit.pk, problem)


@transaction.atomic
def _confirmed(visit_id: int) -> bool:
    """Book what is held. Conflict where the hold ran out."""
    visit = _paid(visit_id, State.HELD)
    if visit is None or visit.booking_id is None:
        return False
    booking.confirm(SYSTEM, visit.booking_id)
    telling.booked(visit)
    return True


@transaction.atomic
def _placed_again(visit_id: int) -> None:
    visit = _paid(visit_id, State.EXPIRED)
    if visit is None:
        return
    again = booking.hold(SYSTEM, _again(visit))
    booking.confirm(SYSTEM, again.pk)
    telling.booked(visit)


def _paid(visit_id: int, state: str) -> Visit | None:
    """The visit, read once its order is locked; None where it is in another state by now, or where what was paid goes
    back already: such a visit must not take place for nothing. Whoever pays back takes the same lock."""
    number = Visit.objects.values_list("order", flat=True).get(pk=visit_id)
    order = Order.objects.select_for_update(of=("self",)).get(pk=number)
    goes_back = Refund.objects.filter(payment__order=order, payment__state=Payment.State.PAID).exists()
    visit = _read(visit_id)
    return visit if order.state == Order.State.PAID and not goes_back and visit.state == state else None


@transaction.atomic
def _lapse(booking_id: int) -> None:
    lapse([booking_id])


def _again(visit: Visit) -> booking.HoldDraft:
    assert visit.booking is not None
    details = {**visit.booking.details, "visit": visit.pk}
    return booking.HoldDraft(
        visit.booking.offering_id,
        visit.starts_at,
        person=visit.patient.person_id,
        details=details,
        user=visit.requested_by_id,
    )


def _performed(visit: Visit) -> None:
    """Who did it is named in the orders, so that the settlement gives them their shares. Whom a person named stays."""
    people = performers(visit)
    for order in orders.chain(visit):
        named = list(order.performers.values_list("person", flat=True))
        by_a_person = order.events.filter(kind="performer").exclude(by=SYSTEM.label).exists()
        if not people or named == people or by_a_person or order.state in (Order.State.CANCELLED, Order.State.EXPIRED):
            continue
        if order.settlement_lines.exists():
            log.error("order %s is settled already, with others than who did visit %s", order.number, visit.pk)
            continue
        payments.set_performers(SYSTEM, order.pk, people)


def performers(visit: Visit) -> list[int]:
    """The people who did a visit: those who finished it; where none of them wrote, those whom the plan sent."""
    finished = visit.encounters.filter(state="finished", contested=False).order_by("in_at", "pk")
    sent = visit.stops.order_by("task")
    for rows in (finished, sent):
        here = rows.filter(practitioner__person__erased_at__isnull=True)
        if found := list(dict.fromkeys(here.values_list("practitioner__person", flat=True))):
            return found
    return []


def noted(visit: Visit, kind: str) -> None:
    """Remember that something is to be done about a visit's money, and do it after this transaction."""
    Visit.objects.filter(pk=visit.pk, money_due_at__isnull=True).update(money_due_at=timezone.now())
    record(SYSTEM, Act(f"homecare.visit.{kind}", visit, visit.place_id, subject=visit.patient.person_id))
    follow_soon(visit.pk)
