"""Getting an order paid: ask a provider, confirm cash, cancel, expire.

Providers are asked outside transactions: what waits for the network holds no lock.
"""

import logging
from collections import Counter

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import require
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, Invalid, Problem
from shoufu.kernel.payments import books, providers
from shoufu.kernel.payments.models import Order, Payment, Provider
from shoufu.kernel.payments.providers import Adapter, BadConfig, Fact, NotConfigured, Refused, Trade, Unreachable
from shoufu.kernel.payments.services.applying import apply_fact, credit
from shoufu.kernel.payments.services.common import (
    CONFIRM,
    ORDER,
    REFUND,
    change,
    lock,
    lock_for,
    need_version,
    person_of,
    say,
)
from shoufu.kernel.payments.services.orders import end_unpaid

log = logging.getLogger(__name__)
MOST_DUE = 100
MOST_SILENCES = 10
"""So often a provider may leave a round of `expire_due` without an answer before its orders wait for the next round."""
ONLINE_CURRENCY = "CNY"


def start_payment(actor: Actor, order_id: int, provider: str) -> Payment:
    """Ask a provider for the payment of an order, or give the attempt that runs there already.

    `code_url` of the result is what the QR code shows. After a crash or a time-out the same number is asked for again,
    which the provider takes as the same trade.
    """
    if provider not in Provider.values or provider == Provider.OFFLINE:
        raise Invalid.one("provider", _("Use one of: %(codes)s.") % {"codes": "wechat, alipay"})
    adapter = _adapter(provider)
    payment = _attempt(actor, order_id, provider)
    if payment.code_valid:
        return payment
    order = payment.order
    trade = Trade(payment.number, order.title, payment.amount_minor, payment.currency, order.expires_at)
    code_url, now = adapter.start(trade), timezone.now()
    rows = Payment.objects.filter(pk=payment.pk, state=Payment.State.STARTED)
    if not rows.update(code_url=code_url[:512], code_at=now):
        _call_off(adapter, payment)
        raise Conflict(_("The order has changed meanwhile; look at it again."))
    payment.code_url, payment.code_at = code_url, now
    return payment


def _adapter(provider: str) -> Adapter:
    """The provider's adapter; what is wrong with its settings is for the log and not for who wants to pay."""
    try:
        return providers.adapter(provider)
    except (NotConfigured, BadConfig) as error:
        log.error("payments by %s cannot be taken: %s", provider, error)
        raise Conflict(_("This way of paying is not available at the moment.")) from error


def _call_off(adapter: Adapter, payment: Payment) -> None:
    """Close at the provider what was asked for there while the attempt ended here."""
    try:
        adapter.close(payment.number)
    except Problem as problem:
        # Paid already, perhaps; its callback or the day's bill will tell.
        log.warning("payment %s could not be closed: %s", payment.number, problem)


@transaction.atomic
def _attempt(actor: Actor, order_id: int, provider: str) -> Payment:
    order = lock_for(actor, order_id, ORDER, payer=True)
    if order.state != Order.State.PENDING:
        raise Conflict(_("This order is “%(s)s”; there is nothing to pay.") % {"s": order.get_state_display()})
    if order.expires_at is not None and order.expires_at <= timezone.now():
        raise Conflict(_("The time to pay this order is over."))
    if order.currency != ONLINE_CURRENCY:
        raise Invalid.one("provider", _("Online payment is in CNY only."))
    found = order.payments.filter(provider=provider, state=Payment.State.STARTED).first()
    if found is not None:
        return found
    made = Payment.objects.create(
        order=order,
        provider=provider,
        number=f"{order.number}{order.payments.count() + 1:02d}",
        amount_minor=order.payer_minor,
        currency=order.currency,
        created_at=timezone.now(),
        asked_at=timezone.now(),
    )
    say(order, actor, "started", amount=made.amount_minor, text=made.get_provider_display())
    record(actor, Act("payments.start", made, order.place_id, data={"number": made.number, "provider": provider}))
    return made


@transaction.atomic
def confirm_offline(
    actor: Actor, order_id: int, amount_minor: int, reference: str, version: int | None = None
) -> Payment:
    """A person says that the whole amount came in cash or by transfer; `reference` is the receipt's or transfer's
    number. Nobody confirms their own payment."""
    order = lock_for(actor, order_id, CONFIRM)
    need_version(order, version)
    if order.state != Order.State.PENDING:
        raise Conflict(_("This order is “%(s)s”; there is nothing to pay.") % {"s": order.get_state_display()})
    if order.payer_id is not None and order.payer_id == person_of(actor):
        raise Conflict(_("Somebody else must confirm what you paid yourself."))
    if amount_minor != order.payer_minor:
        raise Invalid.one("amount", _("The whole amount must be paid at once."))
    if not reference.strip():
        raise Invalid.one("reference", _("Write the number of the receipt or of the transfer."))
    now = timezone.now()
    payment = Payment.objects.create(
        order=order,
        provider=Provider.OFFLINE,
        number=f"{order.number}{order.payments.count() + 1:02d}",
        amount_minor=amount_minor,
        currency=order.currency,
        reference=reference.strip()[:120],
        confirmed_by=actor.label[:120],
        created_at=now,
    )
    credit(actor, order, payment, now, None)
    data = {"number": order.number, "amount": amount_minor, "reference": payment.reference}
    record(actor, Act("payments.confirm", payment, order.place_id, data=data))
    return payment


def ask_provider(payment: Payment) -> Fact | None:
    """Ask what became of an attempt, and book it. None where the provider knows no such trade."""
    fact = providers.adapter(payment.provider).query(payment.number)
    Payment.objects.filter(pk=payment.pk).update(asked_at=timezone.now())
    if fact is not None and fact.state == "success":
        with transaction.atomic():
            apply_fact(payment.provider, fact)
    return fact


def _closed_there(payment: Payment) -> bool:
    """Close an attempt at the provider, after asking whether it was paid meanwhile. False where it was."""
    fact = ask_provider(payment)
    if fact is None or fact.state in ("closed", "failed"):
        return True
    if fact.state == "success":
        return False
    try:
        providers.adapter(payment.provider).close(payment.number)
    except Refused:
        # Paid between the question and the closing, perhaps: the next question tells.
        fact = ask_provider(payment)
        return fact is None or fact.state in ("closed", "failed")
    return True


def close_attempt(payment: Payment) -> None:
    """Close an attempt to pay what is not due any more, so that nobody pays it twice."""
    if _closed_there(payment):
        Payment.objects.filter(pk=payment.pk, state=Payment.State.STARTED).update(state=Payment.State.CLOSED)


def _online(order_id: int) -> QuerySet[Payment]:
    rows = Payment.objects.filter(order=order_id, state=Payment.State.STARTED)
    return rows.exclude(provider=Provider.OFFLINE)


def cancel(actor: Actor, order_id: int, reason: str, version: int | None = None) -> Order:
    """Cancel an unpaid order, at its providers too. Conflict where it was paid meanwhile (refund it then), or where a
    provider does not let an attempt be closed.

    One that left nothing for the payer was paid at once and has no payment to refund: whoever may refund cancels it.
    """
    with transaction.atomic():
        order = lock_for(actor, order_id, ORDER, payer=True)
        need_version(order, version)
        if not reason.strip():
            raise Invalid.one("reason", _("Say why it is cancelled."))
        if order.without_payer:
            return _undo(actor, order, reason.strip())
        _need_open(order)
        owed = order.state == Order.State.PENDING and order.expires_at is None
        if owed and order.payer_id is not None and order.payer_id == person_of(actor):
            raise Conflict(_("This is owed; whoever has to pay it cannot cancel it. Ask the institution."))
    # Each one, also after one that was paid.
    for payment in _online(order_id):
        close_attempt(payment)
    with transaction.atomic():
        order = lock(order_id)
        _need_open(order)
        if _online(order_id).exists():
            raise Conflict(_("A payment is under way; try again in a minute."))
        end_unpaid(actor, order, Order.State.CANCELLED, "cancelled", reason.strip())
        record(actor, Act("payments.cancel", order, order.place_id, reason.strip(), {"number": order.number}))
    return order


def _undo(actor: Actor, order: Order, reason: str) -> Order:
    """Take back a locked order that nobody paid: out of the books where nothing followed from it, else the insurance's
    share is refunded, so that settlements take it back and the insurance gets what it paid."""
    require(actor, REFUND, order.place)
    if order.settled_minor or books.balance(books.INSURANCE, order) != order.insurance_minor:
        books.insurance_dropped(order, order.insurance_minor - order.insurance_refunded_minor)
        order.state, order.insurance_refunded_minor = Order.State.REFUNDED, order.insurance_minor
        change(order, actor, "refunded", amount=0, text=reason)
    else:
        end_unpaid(actor, order, Order.State.CANCELLED, "cancelled", reason)
    record(actor, Act("payments.cancel", order, order.place_id, reason, {"number": order.number}))
    return order


def _need_open(order: Order) -> None:
    if order.state not in Order.OPEN:
        raise Conflict(_("This order is “%(s)s” and cannot be cancelled.") % {"s": order.get_state_display()})


def expire_due(most: int = MOST_DUE) -> int:
    """End the orders whose time to pay is over, after asking their providers, at most so many. Returns how many.

    An order whose provider does not answer waits for the next round: nobody may lose what they paid. It keeps no other
    order waiting.
    """
    now, count = timezone.now(), 0
    silences = Counter[str]()
    due = Order.objects.filter(Q(state=Order.State.PENDING), expires_at__lte=now).order_by("expires_at")
    for order_id in list(due.values_list("pk", flat=True)):
        if count >= most:
            break
        closed = [_try_to_close(payment, silences) for payment in _online(order_id)]
        if all(closed) and _expire(order_id):
            count += 1
    return count


def _try_to_close(payment: Payment, silences: Counter[str]) -> bool:
    if silences[payment.provider] >= MOST_SILENCES:
        return False
    try:
        close_attempt(payment)
    except Unreachable:
        silences[payment.provider] += 1
        return False
    except Problem as problem:
        log.warning("payment %s could not be closed: %s", payment.number, problem)
        return False
    return True


@transaction.atomic
def _expire(order_id: int) -> bool:
    order = lock(order_id)
    if order.state != Order.State.PENDING or _online(order_id).exists():
        return False
    end_unpaid(SYSTEM, order, Order.State.EXPIRED, "expired")
    record(SYSTEM, Act("payments.expire", order, order.place_id, data={"number": order.number}))
    return True
