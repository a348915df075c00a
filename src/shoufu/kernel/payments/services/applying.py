"""Booking what a provider says. Everything here runs in the caller's transaction and locks the order first."""

from datetime import datetime

from django.utils import timezone

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.payments import books, providers
from shoufu.kernel.payments.models import Difference, Order, Payment, ProviderEvent, Refund
from shoufu.kernel.payments.providers import Fact
from shoufu.kernel.payments.services.common import change, differ, lock, say, tell

Outcome = ProviderEvent.Outcome


def apply_fact(provider: str, fact: Fact) -> str:
    """Book what the provider says of a payment or refund; the outcome says what was done with it.

    The same fact again changes nothing. What does not agree with the order is not booked but noted as a difference.
    """
    payment = Payment.objects.filter(provider=provider, number=fact.trade).first()
    if payment is None:
        differ(
            Difference.Kind.UNKNOWN_ORDER, provider, fact.trade, refund=fact.refund,
            theirs=fact.refund_amount or fact.amount, text=fact.trade_no,
        )  # fmt: skip
        return Outcome.UNKNOWN_ORDER
    order = lock(payment.order_id)
    payment = Payment.objects.select_for_update().get(pk=payment.pk)
    payment.order = order
    merchant, app = providers.identity(provider)
    if fact.merchant != merchant or fact.app not in ("", app):
        differ(Difference.Kind.MERCHANT, provider, fact.trade, order=order, text=f"{fact.merchant} {fact.app}")
        return Outcome.MISMATCH
    if fact.amount != payment.amount_minor or fact.currency != payment.currency:
        differ(
            Difference.Kind.AMOUNT, provider, fact.trade, order=order, refund=fact.refund,
            ours=payment.amount_minor, theirs=fact.amount, text=fact.currency,
        )  # fmt: skip
        return Outcome.MISMATCH
    return _refund(order, payment, fact) if fact.kind == "refund" else _payment(order, payment, fact)


def _payment(order: Order, payment: Payment, fact: Fact) -> str:
    if fact.state == "closed" and payment.state == Payment.State.STARTED:
        payment.state = Payment.State.CLOSED
        payment.save(update_fields=["state"])
        return Outcome.NOTED
    if fact.state != "success":
        return Outcome.NOTED
    if payment.received_minor:
        if payment.trade_no == fact.trade_no:
            return Outcome.REPEATED
        differ(Difference.Kind.STATE, payment.provider, payment.number, order=order, text=fact.trade_no)
        return Outcome.MISMATCH
    credit(SYSTEM, order, payment, fact.at or timezone.now(), fact.trade_no or None)
    _apply_waiting(payment)
    return Outcome.APPLIED


def credit(actor: Actor, order: Order, payment: Payment, at: datetime, trade_no: str | None) -> None:
    """Money came for a locked order: it is paid; or, where nothing was due any more, the money is owed back."""
    due = order.state == Order.State.PENDING
    payment.state = Payment.State.PAID if due else Payment.State.SURPLUS
    payment.received_minor, payment.paid_at, payment.trade_no = payment.amount_minor, at, trade_no
    payment.save()
    books.received(payment, due=due)
    data = {"number": payment.number, "amount": payment.received_minor, "provider": payment.provider}
    if not due:
        differ(Difference.Kind.SURPLUS, payment.provider, payment.number, order=order, theirs=payment.received_minor)
        say(order, actor, "surplus", amount=payment.received_minor, text=payment.get_provider_display())
        record(actor, Act("payments.surplus", order, order.place_id, data=data))
        tell(order, actor, "surplus")
        return
    order.state, order.paid_minor, order.paid_at = Order.State.PAID, payment.received_minor, at
    change(order, actor, "paid", amount=payment.received_minor, text=payment.get_provider_display())
    record(actor, Act("payments.paid", order, order.place_id, data=data))


def _apply_waiting(payment: Payment) -> None:
    """Refunds that were told of before the payment was."""
    rows = ProviderEvent.objects.select_for_update().filter(
        provider=payment.provider, trade=payment.number, outcome=Outcome.WAITING
    )
    for event in rows.order_by("id"):
        event.outcome = apply_fact(payment.provider, Fact.from_dict(event.fact))
        event.save(update_fields=["outcome"])


def _refund(order: Order, payment: Payment, fact: Fact) -> str:
    if not payment.received_minor:
        return Outcome.WAITING
    refund = Refund.objects.select_for_update().filter(number=fact.refund).first()
    if refund is None:
        return _provider_refund(order, payment, fact)
    if refund.payment_id != payment.pk or fact.refund_amount not in (None, refund.amount_minor):
        return _refund_differs(order, payment, fact, refund.amount_minor)
    refund.payment = payment
    return settle_refund(SYSTEM, refund, fact)


def _refund_differs(order: Order, payment: Payment, fact: Fact, ours: int | None) -> str:
    differ(
        Difference.Kind.AMOUNT, payment.provider, payment.number, order=order, refund=fact.refund,
        ours=ours, theirs=fact.refund_amount or fact.refunded_total,
    )  # fmt: skip
    return Outcome.MISMATCH


def _provider_refund(order: Order, payment: Payment, fact: Fact) -> str:
    """A refund that was made in the provider's own portal: it is taken over, as far as the money is there."""
    if fact.state != "success":
        return Outcome.NOTED
    amount = fact.refund_amount or 0
    if not 0 < amount <= payment.received_minor - payment.refunds_minor:
        return _refund_differs(order, payment, fact, None)
    now = timezone.now()
    made = Refund.objects.create(
        payment=payment, number=fact.refund, amount_minor=amount, reason=payment.get_provider_display(),
        state=Refund.State.PROCESSING, by_provider=True, requested_by=payment.provider, requested_at=now,
        insurance_minor=insurance_part(order, payment, amount),
    )  # fmt: skip
    reserve(payment, amount)
    made.payment = payment
    return settle_refund(SYSTEM, made, fact)


def insurance_part(order: Order, payment: Payment, amount: int) -> int:
    """The insurance's share that falls away with a refund: all the rest with the refund that completes it, in
    proportion before; none of a surplus."""
    if payment.state != Payment.State.PAID or not order.insurance_minor:
        return 0
    rest = insurance_left(order)
    left = payment.received_minor - payment.refunds_minor
    return rest if amount >= left else min(rest, order.insurance_minor * amount // payment.received_minor)


def insurance_left(order: Order) -> int:
    """What the insurance still bears of a locked order: less what fell away, and what refunds under way take."""
    under_way = Refund.objects.filter(
        payment__order=order, payment__state=Payment.State.PAID, state__in=Refund.UNDER_WAY
    )
    taken = sum(under_way.values_list("insurance_minor", flat=True))
    return order.insurance_minor - order.insurance_refunded_minor - taken


def reserve(payment: Payment, amount: int) -> None:
    """Keep an amount of a locked payment for a refund (below zero: give it back); the constraint holds the limit."""
    payment.refunds_minor += amount
    payment.save(update_fields=["refunds_minor"])


def settle_refund(actor: Actor, refund: Refund, fact: Fact) -> str:
    """Book what became of a refund of a locked payment and order."""
    payment, order = refund.payment, refund.payment.order
    refund.refund_no = fact.refund_no or refund.refund_no
    if refund.state == Refund.State.SUCCEEDED:
        return Outcome.REPEATED
    if fact.state == "failed":
        return _failed(actor, refund)
    if fact.state != "success":
        if refund.state == Refund.State.REQUESTED:
            refund.state, refund.accepted_at = Refund.State.PROCESSING, fact.at or timezone.now()
            refund.save()
        return Outcome.NOTED
    if refund.state == Refund.State.FAILED:
        # It went out after all; what it had reserved was given back meanwhile.
        if refund.amount_minor > payment.received_minor - payment.refunds_minor:
            return _refund_differs(order, payment, fact, refund.amount_minor)
        refund.insurance_minor = insurance_part(order, payment, refund.amount_minor)
        reserve(payment, refund.amount_minor)
    _succeeded(actor, refund, fact.at or timezone.now())
    return Outcome.APPLIED


def _succeeded(actor: Actor, refund: Refund, at: datetime) -> None:
    payment, order = refund.payment, refund.payment.order
    refund.state, refund.ended_at, refund.error = Refund.State.SUCCEEDED, at, ""
    refund.accepted_at = refund.accepted_at or at
    refund.save()
    payment.refunded_minor += refund.amount_minor
    payment.save(update_fields=["refunded_minor"])
    books.refunded(refund)
    data = {"number": refund.number, "amount": refund.amount_minor}
    record(actor, Act("payments.refunded", order, order.place_id, data=data))
    if payment.state == Payment.State.SURPLUS:
        say(order, actor, "surplus_back", amount=refund.amount_minor)
        return
    order.refunded_minor += refund.amount_minor
    order.insurance_refunded_minor += refund.insurance_minor
    whole = order.refunded_minor == order.paid_minor
    order.state = Order.State.REFUNDED if whole else Order.State.PARTLY_REFUNDED
    change(order, actor, "refunded", amount=refund.amount_minor, text=refund.reason)


def _failed(actor: Actor, refund: Refund) -> str:
    if refund.state == Refund.State.FAILED:
        return Outcome.REPEATED
    payment, order = refund.payment, refund.payment.order
    refund.state, refund.ended_at = Refund.State.FAILED, timezone.now()
    refund.save()
    reserve(payment, -refund.amount_minor)
    differ(
        Difference.Kind.REFUND_FAILED, payment.provider, payment.number, order=order, refund=refund.number,
        ours=refund.amount_minor, text=refund.error,
    )  # fmt: skip
    say(order, actor, "refund_failed", amount=refund.amount_minor, text=refund.error)
    record(actor, Act("payments.refund_failed", order, order.place_id, data={"number": refund.number}))
    tell(order, actor, "refund_failed")
    return Outcome.APPLIED
