"""The order of a visit: made when it is held, followed until its money is where it belongs.

Locks: an order's row before the lock of a day, that before rows of bookings, those before rows of visits. What follows
from a booking for its money is therefore done after its transaction (`follow_soon`), and again by a task where that
failed: `Visit.money_due_at` remembers.
"""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import lent
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, Problem
from shoufu.kernel.booking import policy
from shoufu.kernel.booking import services as booking
from shoufu.kernel.booking.models import Booking
from shoufu.kernel.booking.services.claims import lapse
from shoufu.kernel.parties.models import Person
from shoufu.kernel.payments import services as payments
from shoufu.kernel.payments.models import Order, Payment, Refund
from shoufu.kernel.payments.services import LineDraft, OrderDraft, RefundDraft
from shoufu.scenes.homecare.visits import telling
from shoufu.scenes.homecare.visits.models import Visit

log = logging.getLogger(__name__)
State = Visit.State
SOURCE = "homecare.visit:"
RIGHTS = ("payments.view", "payments.order", "payments.refund")
PAUSE = timedelta(minutes=5)
"""How long a visit whose money could not be brought in line lets others go first."""
REFUND_PAUSE, REFUND_TRIES = timedelta(hours=1), 5
"""A refund that failed is asked for anew after an hour, then twice as long each; after so many it is a clerk's."""


def visit_of(source: str) -> int | None:
    """The visit that an order is for; None where it is for something else."""
    number = source.removeprefix(SOURCE)
    return int(number) if source.startswith(SOURCE) and number.isdecimal() else None


def lines(visit: Visit) -> list[LineDraft]:
    """What is sold: the service with the insurance's share, and the material that its price includes."""
    version = visit.version
    service = LineDraft(version.name, version.price, insurance_minor=version.price * version.insurance_share // 100)
    material = [
        LineDraft(_("Included: %(what)s") % {"what": f"{one['name']} {one['quantity']:g}{one['unit']}"}, 0)
        for one in version.materials
    ]
    return [service, *material]


def make(actor: Actor, visit: Visit, held: Booking) -> Order:
    """The order of a visit that was just held, to be paid while the hold lasts: by who booked it for the patient
    (family) or by the patient."""
    place = visit.institution.place
    able = lent(lent(actor, place.path, *RIGHTS), visit.patient.person.place.path, "payments.order")
    left = held.held_until - timezone.now() if held.held_until is not None else None
    draft = OrderDraft(
        place_id=place.pk,
        institution_id=visit.institution.organisation_id,
        title=visit.version.name,
        lines=lines(visit),
        payer_id=_payer(visit, held),
        source=f"{SOURCE}{visit.pk}",
        currency=visit.version.currency,
        minutes=max(1, round(left.total_seconds() / 60)) if left is not None else 15,
    )
    return payments.create_order(able, draft)


def _payer(visit: Visit, held: Booking) -> int:
    """Who books for the patient by a right that the patient gave pays; who coordinates does not."""
    from shoufu.kernel.access.selectors import actor_for_user
    from shoufu.scenes.homecare.register import selectors as register

    if held.user is None:
        return visit.patient.person_id
    acts = register.own(actor_for_user(held.user)).filter(pk=visit.patient_id).exists()
    person = Person.objects.filter(user=held.user_id).values_list("pk", flat=True).first() if acts else None
    return person or visit.patient.person_id


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
    Cancelled or missed: the rest by the terms is paid back, an order that is not paid yet ends. Returns whether all is
    done.
    """
    visit = _read(visit_id)
    order = visit.order
    if order is None:
        return _done(visit)
    if visit.state in (State.HELD, State.EXPIRED) and order.state == Order.State.PAID:
        _book_paid(visit)
        visit = _read(visit_id)
    if visit.state in (State.CANCELLED, State.EXPIRED, State.MISSED):
        if order.state == Order.State.PENDING and not _end_order(visit, order):
            return False
        if order.state in Order.SETTLED:
            again_at = _pay_back(visit, order)
            if again_at is not None:
                Visit.objects.filter(pk=visit.pk).update(money_due_at=again_at)
                return False
    if visit.state == State.DONE:
        _performed(visit, order)
    _surplus(visit, order)
    return _done(visit)


def _read(visit_id: int) -> Visit:
    rows = Visit.objects.select_related(
        "order__place", "booking__terms", "booking__offering", "patient__person", "institution__place", "version",
        "place",
    )  # fmt: skip
    return rows.get(pk=visit_id)


def _done(visit: Visit) -> bool:
    Visit.objects.filter(pk=visit.pk, state=visit.state).update(money_due_at=None)
    return True


def _book_paid(visit: Visit) -> None:
    """It was paid: book it; where its hold ran out meanwhile, place it again if that still goes."""
    if visit.state == State.HELD and visit.booking_id is not None:
        try:
            booking.confirm(SYSTEM, visit.booking_id)
            telling.booked(visit)
            return
        except Conflict as refusal:
            if refusal.extra.get("reason") != "hold-expired":
                raise
            _lapse(visit.booking_id)
    if _read(visit.pk).state != State.EXPIRED or _is_going_back(visit):
        return
    try:
        with transaction.atomic():
            again = booking.hold(SYSTEM, _again(visit))
            booking.confirm(SYSTEM, again.pk)
        telling.booked(visit)
    except Problem as problem:
        log.info("visit %s was paid too late and cannot be placed again: %s", visit.pk, problem)


def _is_going_back(visit: Visit) -> bool:
    """Whether what was paid was asked back already: such a visit must not take place for nothing."""
    refunds = Refund.objects.filter(payment__order=visit.order_id, payment__state=Payment.State.PAID)
    return refunds.exists()


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


def _performed(visit: Visit, order: Order) -> None:
    """Who did it is named in the order, so that the settlement gives them their share."""
    stop = visit.stops.select_related("practitioner").order_by("task").first()
    if stop is None or order.performers.exists() or order.settlement_lines.exists():
        return
    payments.set_performers(SYSTEM, order.pk, [stop.practitioner.person_id])


def _end_order(visit: Visit, order: Order) -> bool:
    """An order that nobody has to pay any more; False while a payment of it is under way. What a patient owes who was
    not at home stays to be paid."""
    if visit.state == State.EXPIRED:
        return True  # it expires by itself, after its providers were asked
    if visit.state == State.MISSED and kept(visit, order.payer_minor) == order.payer_minor:
        return True
    try:
        payments.cancel(SYSTEM, order.pk, _("The visit does not take place."))
    except Conflict:
        order.refresh_from_db()
        return order.state != Order.State.PENDING
    return True


def kept(visit: Visit, amount: int) -> int:
    """What of an amount the institution keeps, by the charge of the booking; half a minor unit is rounded up."""
    if visit.booking is None or not visit.booking.charge:
        return 0
    whole = policy.price(visit.booking)
    return min(amount, (2 * amount * visit.booking.charge + whole) // (2 * whole)) if whole else 0


def _pay_back(visit: Visit, order: Order) -> datetime | None:
    """Pay back what is not kept, once: never more than was paid. Returns when to ask anew where a refund failed."""
    reason = _("The visit does not take place.")
    if order.without_payer:
        if not kept(visit, order.total_minor):
            payments.cancel(SYSTEM, order.pk, reason)
        return None
    # The refunds before the payment: one that is asked for in between is either seen in its sum or meets the same key.
    asked = list(Refund.objects.filter(payment__order=order.pk, payment__state=Payment.State.PAID).order_by("pk"))
    paid = order.payments.filter(state=Payment.State.PAID).first()
    back = paid.received_minor - kept(visit, order.paid_minor) - paid.refunds_minor if paid is not None else 0
    if back <= 0 or any(one.state in Refund.UNDER_WAY for one in asked):
        return None
    failed = [one for one in asked if one.state == Refund.State.FAILED]
    if len(failed) >= REFUND_TRIES:
        log.error("visit %s: %s refunds of order %s failed, a clerk must pay back", visit.pk, len(failed), order.number)
        return None
    if failed:
        again_at: datetime = failed[-1].requested_at + REFUND_PAUSE * 2 ** (len(failed) - 1)
        if again_at > timezone.now():
            return again_at
    key = f"homecare.visit:{visit.pk}:{visit.booking_id}" + (f":{len(asked)}" if asked else "")
    made = payments.request_refund(SYSTEM, RefundDraft(order.pk, back, reason, key=key))
    if visit.state == State.EXPIRED:
        telling.paid_too_late(visit, back)
    return made.requested_at + REFUND_PAUSE * 2 ** len(failed) if made.state == Refund.State.FAILED else None


def _surplus(visit: Visit, order: Order) -> None:
    """Money that came though nothing was due: it goes back."""
    for payment in order.payments.filter(state=Payment.State.SURPLUS):
        left = payment.received_minor - payment.refunds_minor
        if left <= 0:
            continue
        draft = RefundDraft(
            order.pk, left, _("Paid although nothing was due."), payment.pk, f"homecare.pay:{payment.pk}"
        )
        payments.request_refund(SYSTEM, draft)
        telling.paid_too_late(visit, left)


def noted(visit: Visit, kind: str) -> None:
    """Remember that something is to be done about a visit's money, and do it after this transaction."""
    Visit.objects.filter(pk=visit.pk, money_due_at__isnull=True).update(money_due_at=timezone.now())
    record(SYSTEM, Act(f"homecare.visit.{kind}", visit, visit.place_id, subject=visit.patient.person_id))
    follow_soon(visit.pk)
