"""Paying for a visit: online while it is held, or when somebody comes."""

from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import lent
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, Forbidden
from shoufu.kernel.booking import services as booking
from shoufu.kernel.booking.models import Booking
from shoufu.kernel.payments import receipts
from shoufu.kernel.payments import selectors as orders
from shoufu.kernel.payments import services as payments
from shoufu.kernel.payments.models import Order, Payment
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.visits import orders as sold
from shoufu.scenes.homecare.visits import selectors
from shoufu.scenes.homecare.visits.models import Visit
from shoufu.scenes.homecare.visits.services.asking import able_to_book, patient_of
from shoufu.scenes.homecare.visits.services.offerings import rules_of

AFTER = timedelta(days=7)
"""How long after the visit it may be paid that is paid when somebody comes."""


def _ordered(actor: Actor, visit_id: int, mine: bool) -> tuple[Visit, Order, Actor]:
    visit = selectors.visit(actor, visit_id, mine=mine)
    if not mine:
        patient_of(actor, visit.patient_id, mine=False)
    if visit.order is None:
        raise Conflict(_("There is nothing to pay for this visit."), reason="state")
    return visit, visit.order, lent(actor, visit.institution.place.path, *sold.RIGHTS)


def pay_online(actor: Actor, visit_id: int, provider: str, *, mine: bool = False) -> Payment:
    """Ask a provider for the payment; `code_url` is what the QR code shows. Paid, the visit is booked by itself."""
    _visit, order, able = _ordered(actor, visit_id, mine)
    return payments.start_payment(able, order.pk, provider)


def pay_at_visit(actor: Actor, visit_id: int, *, mine: bool = False) -> Visit:
    """Book a held visit that is paid in cash or by transfer when somebody comes. Conflict where the institution does
    not allow it, or the hold ran out."""
    visit, order, able = _ordered(actor, visit_id, mine)
    if not rules_of(visit.institution).pay_at_visit:
        raise Conflict(_("This institution wants to be paid before."), reason="unpaid")
    if visit.booking is None or visit.state != Visit.State.HELD:
        raise Conflict(_("This visit is “%(state)s”.") % {"state": visit.get_state_display()}, reason="state")
    row = visit.booking
    with transaction.atomic():
        payments.prolong(able, order.pk, visit.latest_at + AFTER)
        Booking.objects.select_for_update(of=("self",)).get(pk=row.pk)
        Visit.objects.filter(pk=visit.pk).update(pay_later=True)
        booking.confirm(able_to_book(actor, row.offering, visit.patient), row.pk)
    return selectors.visit(actor, visit_id, mine=mine)


def confirm_cash(actor: Actor, visit_id: int, reference: str) -> Payment:
    """Whoever was sent, or the coordinator, got the whole amount in cash or by transfer; `reference` is the receipt's
    or transfer's number. Nobody confirms their own payment."""
    visit = selectors.visit(actor, visit_id)
    sent = visit.stops.filter(practitioner__in=register.practices(actor).values("pk")).exists()
    if not sent and not actor.may(register.PATIENTS, visit.place.path):
        raise Forbidden(_("This visit is another person's; ask the coordinator."))
    if visit.order is None:
        raise Conflict(_("There is nothing to pay for this visit."), reason="state")
    able = lent(actor, visit.institution.place.path, sold.SEE, "payments.view", "payments.confirm")
    return payments.confirm_offline(able, visit.order.pk, visit.order.payer_minor, reference)


def receipt(actor: Actor, visit_id: int, *, mine: bool = False) -> tuple[bytes, str]:
    """The receipt as PDF, and its number."""
    _visit, order, able = _ordered(actor, visit_id, mine)
    found = orders.order(able, order.pk)
    return receipts.receipt(able, found), found.number
