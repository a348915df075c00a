"""Getting an order paid: ask a provider, confirm cash, cancel, expire.

Providers are asked outside transactions: what waits for the network holds no lock.
"""

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, Invalid, Problem
from shoufu.kernel.payments import providers
from shoufu.kernel.payments.models import Order, Payment, Provider
from shoufu.kernel.payments.providers import Fact, Refused, Trade
from shoufu.kernel.payments.services.applying import apply_fact, credit
from shoufu.kernel.payments.services.common import CONFIRM, ORDER, lock, lock_for, need_version, person_of, say
from shoufu.kernel.payments.services.orders import end_unpaid

MOST_DUE = 100


def start_payment(actor: Actor, order_id: int, provider: str) -> Payment:
    """Ask a provider for the payment of an order, or give the attempt that runs there already.

    `code_url` of the result is what the QR code shows. After a crash or a time-out the same number is asked for again,
    which the provider takes as the same trade.
    """
    if provider not in Provider.values or provider == Provider.OFFLINE:
        raise Invalid.one("provider", _("Use one of: %(codes)s.") % {"codes": "wechat, alipay"})
    adapter = providers.adapter(provider)
    payment = _attempt(actor, order_id, provider)
    if payment.code_url:
        return payment
    order = payment.order
    trade = Trade(payment.number, order.title, payment.amount_minor, payment.currency, order.expires_at)
    code_url = adapter.start(trade)
    Payment.objects.filter(pk=payment.pk, state=Payment.State.STARTED).update(code_url=code_url[:512])
    payment.code_url = code_url
    return payment


@transaction.atomic
def _attempt(actor: Actor, order_id: int, provider: str) -> Payment:
    order = lock_for(actor, order_id, ORDER, payer=True)
    if order.state != Order.State.PENDING:
        raise Conflict(_("This order is “%(s)s”; there is nothing to pay.") % {"s": order.get_state_display()})
    if order.expires_at is not None and order.expires_at <= timezone.now():
        raise Conflict(_("The time to pay this order is over."))
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


def _all_closed(order_id: int) -> bool:
    rows = Payment.objects.filter(order=order_id, state=Payment.State.STARTED).exclude(provider=Provider.OFFLINE)
    # Each one, also after one that was paid: a list, not a generator.
    closed = [_closed_there(payment) for payment in rows]
    return all(closed)


def cancel(actor: Actor, order_id: int, reason: str, version: int | None = None) -> Order:
    """Cancel an unpaid order, at its providers too. Conflict where it was paid meanwhile (refund it then)."""
    with transaction.atomic():
        order = lock_for(actor, order_id, ORDER, payer=True)
        need_version(order, version)
        if not reason.strip():
            raise Invalid.one("reason", _("Say why it is cancelled."))
        _need_open(order)
    _all_closed(order_id)
    with transaction.atomic():
        order = lock(order_id)
        _need_open(order)
        end_unpaid(actor, order, Order.State.CANCELLED, "cancelled", reason.strip())
        record(actor, Act("payments.cancel", order, order.place_id, reason.strip(), {"number": order.number}))
    return order


def _need_open(order: Order) -> None:
    if order.state not in Order.OPEN:
        raise Conflict(_("This order is “%(s)s” and cannot be cancelled.") % {"s": order.get_state_display()})


def expire_due(most: int = MOST_DUE) -> int:
    """End the orders whose time to pay is over, after asking their providers. Returns how many expired.

    An order whose provider does not answer waits for the next round: nobody may lose what they paid.
    """
    now, count = timezone.now(), 0
    due = Order.objects.filter(Q(state=Order.State.PENDING), expires_at__lte=now).order_by("expires_at")
    for order_id in list(due.values_list("pk", flat=True)[:most]):
        try:
            closed = _all_closed(order_id)
        except Problem:
            continue
        if closed and _expire(order_id):
            count += 1
    return count


@transaction.atomic
def _expire(order_id: int) -> bool:
    order = lock(order_id)
    if order.state != Order.State.PENDING:
        return False
    end_unpaid(SYSTEM, order, Order.State.EXPIRED, "expired")
    record(SYSTEM, Act("payments.expire", order, order.place_id, data={"number": order.number}))
    return True
