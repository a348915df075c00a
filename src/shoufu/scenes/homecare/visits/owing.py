"""What a visit owes by the way it ended, and the one order that asks for it."""

import logging
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q, Sum
from django.utils.translation import gettext as _
from django.utils.translation import override

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict
from shoufu.kernel.booking import policy
from shoufu.kernel.payments import services as payments
from shoufu.kernel.payments.models import Order, Payment, Refund
from shoufu.kernel.payments.services import LineDraft, OrderDraft
from shoufu.scenes.homecare.visits import orders, telling
from shoufu.scenes.homecare.visits.history import write_down
from shoufu.scenes.homecare.visits.models import Visit

log = logging.getLogger(__name__)
State = Visit.State
ENDED = (State.CANCELLED, State.EXPIRED, State.MISSED)
"""It does not take place (any more)."""
CHARGED = (State.CANCELLED, State.MISSED)
"""What the patient did not let take place may cost a charge by the terms."""
CHARGE = "charge"
OURS = Q(request_key__startswith="homecare.back:") | Q(request_key__startswith=orders.SOURCE)
"""Refunds that were asked for here and not by a person."""


def kept(visit: Visit, amount: int) -> int:
    """What of an amount the institution keeps, by the charge of the booking; half a minor unit is rounded up. Nothing
    of a visit that the patient did not live to see."""
    if visit.booking is None or not visit.booking.charge:
        return 0
    died = visit.patient.person.died_on
    if died is not None and died <= visit.day:
        return 0
    whole = policy.price(visit.booking)
    return min(amount, (2 * amount * visit.booking.charge + whole) // (2 * whole)) if whole else 0


def due(visit: Visit, amount: int) -> int:
    """What of the payer's part of the price is due by the way the visit ended, whether it was paid or not."""
    if visit.state == State.DONE:
        return amount
    return kept(visit, amount) if visit.state in CHARGED else 0


def payable(visit: Visit) -> bool:
    """Whether the visit's order asks for something that is due, or will be when somebody comes."""
    if visit.order is None or visit.order.state != Order.State.PENDING:
        return False
    # The order over a service that was cancelled only waits to be ended; one over the charge took its place.
    return visit.state not in ENDED or visit.state == State.MISSED or _is_charge(visit)


def _is_charge(visit: Visit) -> bool:
    return visit.state in CHARGED and visit.first_order_id is not None


def claim(visit: Visit) -> bool:
    """See that an order asks for what is still owed for a visit that ended, and no other one; False while a payment of
    the order that is to end is under way. A second time changes nothing.

    What was given stays to be paid without an end. For a visit that the patient missed or cancelled late, an order over
    the charge takes the place of the one over the service. An order that the institution cancelled is not made anew.
    """
    chain, current = orders.chain(visit), visit.order
    if current is None or visit.state == State.EXPIRED:
        return True  # one that nobody paid expires by itself, after its providers were asked
    lacking = _lacking(visit, chain)
    if current.state == Order.State.PENDING:
        if _fits(visit, current, lacking):
            payments.prolong(SYSTEM, current.pk, None)
            return True
        if not _ended(current):
            return False
        if current.state in Order.SETTLED:
            return claim(visit)  # it was paid after all
    if lacking > 0 and not _waived(current):
        _ask_for(visit, current)
    return True


def _lacking(visit: Visit, chain: Sequence[Order]) -> int:
    """What is owed and not here, minor units. Of money that was here and went back, only what went back by itself: what
    a person gave back stays given."""
    if visit.state not in (State.DONE, *CHARGED):
        return 0
    owed = due(visit, chain[0].payer_minor)
    paid = Payment.objects.filter(order__in=chain, state=Payment.State.PAID)
    sums = paid.aggregate(came=Sum("received_minor"), back=Sum("refunds_minor"))
    if sums["came"] is None:
        return owed
    asked = Refund.objects.filter(OURS, payment__in=paid).exclude(state=Refund.State.FAILED)
    ours = asked.aggregate(sum=Sum("amount_minor"))["sum"] or 0
    return int(max(0, min(owed - sums["came"] + sums["back"], ours - (sums["came"] - owed))))


def _fits(visit: Visit, order: Order, lacking: int) -> bool:
    """Whether an order asks for just that, and for the right thing."""
    charge = order.lines.filter(item=CHARGE).exists()
    return order.payer_minor == lacking and charge == (visit.state in CHARGED)


def _ended(order: Order) -> bool:
    """End an order that nobody has to pay any more, or that was paid meanwhile: it says which; False while a payment of
    it is under way."""
    try:
        payments.cancel(SYSTEM, order.pk, _("The visit does not take place."))
    except Conflict:
        log.info("order %s cannot be cancelled now", order.number)
    order.refresh_from_db()
    return order.state != Order.State.PENDING


def _waived(order: Order) -> bool:
    """Whether a person ended the order, other than who has to pay it: nobody lets themselves off."""
    said = order.events.filter(kind="cancelled").select_related("user").last()
    if order.state != Order.State.CANCELLED or said is None or said.by == SYSTEM.label:
        return False
    return said.user is None or said.user.person_id != order.payer_id


@transaction.atomic
def _ask_for(seen: Visit, old: Order) -> None:
    """An order over what is owed takes the place of the old one; once, whoever comes at the same time."""
    visit, chain = orders.locked(seen.pk)
    lacking = _lacking(visit, chain)
    if visit.order_id != old.pk or visit.state != seen.state or lacking <= 0:
        return
    order = payments.create_order(SYSTEM, _draft(visit, chain, lacking))
    Visit.objects.filter(pk=visit.pk).update(order=order, first_order=visit.first_order_id or old.pk)
    write_down(SYSTEM, visit, "owe", order=order.pk, before=old.pk, amount=order.payer_minor)
    telling.owed(visit, order)


def _draft(visit: Visit, chain: Sequence[Order], lacking: int) -> OrderDraft:
    first, charged = chain[0], visit.state in CHARGED
    with override("zh-hans"):
        title = _title(visit)
        return OrderDraft(
            place_id=first.place_id,
            institution_id=first.institution_id,
            title=title % {"service": visit.version.name},
            lines=[_charge(visit, lacking)] if charged else _service(visit, chain, lacking),
            payer_id=first.payer_id,
            source=first.source,
            currency=first.currency,
            minutes=None,
            key=f"{orders.OWED}{visit.pk}:{len(chain)}",
        )


def _title(visit: Visit) -> str:
    if visit.state == State.CANCELLED:
        return _("Charge for a visit that was cancelled late: %(service)s")
    if visit.state == State.MISSED:
        return _("Charge for a visit that could not take place: %(service)s")
    return "%(service)s"


def _charge(visit: Visit, lacking: int) -> LineDraft:
    """What not being at home, or saying so late, costs by the terms. No insurance bears any of it: no service was
    given."""
    assert visit.booking is not None
    percent = policy.of_not_coming(visit.booking).percent
    said = _("Not at home at the agreed time, %(percent)s %% by the terms: %(service)s")
    if visit.state == State.CANCELLED:
        percent = policy.percent_of(visit.booking)
        said = _("Cancelled late, %(percent)s %% by the terms: %(service)s")
    elif visit.end_cause == "refused":
        said = _("Refused at the door, %(percent)s %% by the terms: %(service)s")
    return LineDraft(said % {"percent": percent, "service": visit.version.name}, lacking, item=CHARGE)


def _service(visit: Visit, chain: Sequence[Order], lacking: int) -> list[LineDraft]:
    """The service, or the rest of its price, with what of its share the insurance does not bear already."""
    borne = sum(one.insurance_minor - one.insurance_refunded_minor for one in chain if one.state in Order.SETTLED)
    insurance = max(0, chain[0].insurance_minor - borne)
    service = LineDraft(visit.version.name, lacking + insurance, insurance_minor=insurance)
    return [service, *orders.material(visit)]
