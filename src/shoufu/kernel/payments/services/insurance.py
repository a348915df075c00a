"""The money of the insurance: its share of an order, and what it gets back after a refund."""

from django.db import transaction
from django.utils.translation import gettext as _

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, Invalid
from shoufu.kernel.payments import books, money
from shoufu.kernel.payments.models import Order
from shoufu.kernel.payments.services.applying import insurance_left
from shoufu.kernel.payments.services.common import CONFIRM, REFUND, change, lock_for


@transaction.atomic
def insurance_paid(actor: Actor, order_id: int, amount_minor: int, reference: str) -> int:
    """The insurance paid its share, or a part, to the bank. Returns what it still owes for the order.

    Conflict while the order is not paid: it may still end and owe nothing. Invalid where it owes less, or where the
    receipt is booked already.
    """
    order = lock_for(actor, order_id, CONFIRM)
    if order.state not in Order.SETTLED:
        words = {"s": order.get_state_display()}
        raise Conflict(_("This order is “%(s)s”; the insurance pays once the order is paid.") % words)
    owed = books.balance(books.INSURANCE, order)
    reference = _reference(order, amount_minor, reference)
    if not 0 < amount_minor <= owed:
        words = {"left": money.shown(owed, order.currency)}
        raise Invalid.one("amount", _("More than zero and at most %(left)s, which the insurance owes.") % words)
    books.insurance_paid(order, amount_minor, reference)
    data = {"number": order.number, "amount": amount_minor, "reference": reference}
    record(actor, Act("payments.insurance", order, order.place_id, data=data))
    return owed - amount_minor


@transaction.atomic
def insurance_returned(actor: Actor, order_id: int, amount_minor: int, reference: str) -> int:
    """The insurance got back from the bank what it had paid of an order that was refunded later. Returns what it is
    still to get back. Invalid where that is less, or where the receipt is booked already."""
    order = lock_for(actor, order_id, CONFIRM)
    due = max(0, -books.balance(books.INSURANCE, order))
    reference = _reference(order, -amount_minor, reference)
    if not 0 < amount_minor <= due:
        words = {"left": money.shown(due, order.currency)}
        raise Invalid.one(
            "amount", _("More than zero and at most %(left)s, which the insurance is to get back.") % words
        )
    books.insurance_paid(order, -amount_minor, reference)
    data = {"number": order.number, "amount": amount_minor, "reference": reference}
    record(actor, Act("payments.insurance_return", order, order.place_id, data=data))
    return due - amount_minor


@transaction.atomic
def drop_insurance(actor: Actor, order_id: int, reason: str) -> int:
    """What the order is for did not take place, so the insurance bears nothing of it, whatever the payer's terms keep.
    Returns how much falls away (minor units): 0 where nothing is left, and for an order that is not paid."""
    order = lock_for(actor, order_id, REFUND)
    left = insurance_left(order)
    if order.state not in Order.SETTLED or order.payer_minor == 0 or left <= 0:
        return 0
    order.insurance_refunded_minor += left
    books.insurance_dropped(order, left)
    change(order, actor, "insurance_off", amount=left, text=reason)
    record(
        actor, Act("payments.insurance_off", order, order.place_id, reason, {"number": order.number, "amount": left})
    )
    return left


def _reference(order: Order, amount: int, text: str) -> str:
    reference = text.strip()[:120]
    if not reference:
        raise Invalid.one("reference", _("Write the number of the receipt or of the transfer."))
    if books.insurance_booked(order, amount, reference):
        raise Invalid.one("reference", _("This receipt is booked already."))
    return reference
