"""Paying back: what is not kept, once, and never more than came."""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.payments import services as payments
from shoufu.kernel.payments.models import Order, Payment, Refund
from shoufu.kernel.payments.services import RefundDraft
from shoufu.scenes.homecare.visits import orders, owing, telling
from shoufu.scenes.homecare.visits.models import Visit

log = logging.getLogger(__name__)
State = Visit.State
REFUND_PAUSE, REFUND_TRIES = timedelta(hours=1), 5
"""A refund that failed is asked for anew after an hour, then twice as long each; after so many it is a clerk's."""


@dataclass
class _Decided:
    """Refunds that money was kept aside for, to be sent once that is committed; when to ask anew for ones that
    failed."""

    refunds: list[Refund] = field(default_factory=list)
    again_at: list[datetime] = field(default_factory=list)


def pay_back(visit_id: int) -> datetime | None:
    """Pay back what is not kept of a visit that does not take place, and what came though nothing was due. Returns when
    to ask anew where a refund failed."""
    with transaction.atomic():
        decided = _decided(visit_id)
    for reserved in decided.refunds:
        made = payments.send_refund(reserved)
        if made.state == Refund.State.FAILED:
            failed = made.payment.refunds.filter(state=Refund.State.FAILED).count()
            decided.again_at.append(_again_at(made, failed))
    return min(decided.again_at, default=None)


def _decided(visit_id: int) -> _Decided:
    decided = _Decided()
    visit, chain = orders.locked(visit_id)
    if visit.state in owing.ENDED:
        _not_given(visit, chain, decided)
    for payment in Payment.objects.filter(order__in=chain, state=Payment.State.SURPLUS).order_by("pk"):
        left = payment.received_minor - payment.refunds_minor
        if _ask(payment, left, _("Paid although nothing was due."), decided):
            telling.paid_too_much(visit, left)
    return decided


def _not_given(visit: Visit, chain: list[Order], decided: _Decided) -> None:
    """The insurance bears nothing of what was not given; the payer gets what the terms do not keep."""
    reason = _("The visit does not take place.")
    for order in chain:
        if order.without_payer:
            payments.cancel(SYSTEM, order.pk, reason)
        elif order.state in Order.SETTLED:
            payments.drop_insurance(SYSTEM, order.pk, reason)
    rows = Payment.objects.filter(order__in=chain, state=Payment.State.PAID).order_by("-pk")
    paid = list(rows.select_for_update(of=("self",)))
    if Refund.objects.filter(payment__in=paid, state__in=Refund.UNDER_WAY).exists():
        return  # it comes again when they ended
    excess = sum(one.received_minor - one.refunds_minor for one in paid) - owing.due(visit, chain[0].payer_minor)
    for payment in paid:
        back = min(excess, payment.received_minor - payment.refunds_minor)
        excess -= back
        if _ask(payment, back, reason, decided) and visit.state == State.EXPIRED:
            telling.paid_too_late(visit, back)


def _ask(payment: Payment, amount: int, reason: str, decided: _Decided) -> bool:
    """Keep an amount of a payment aside to be paid back, unless its refunds failed so often, or just now."""
    asked = list(payment.refunds.order_by("pk"))
    failed = [one for one in asked if one.state == Refund.State.FAILED]
    if amount <= 0 or any(one.state in Refund.UNDER_WAY for one in asked):
        return False
    if len(failed) >= REFUND_TRIES:
        log.error("%s refunds of payment %s failed, a clerk must pay it back", len(failed), payment.number)
        return False
    if failed and (again_at := _again_at(failed[-1], len(failed))) > timezone.now():
        decided.again_at.append(again_at)
        return False
    key = f"homecare.back:{payment.pk}:{len(asked)}"
    draft = RefundDraft(payment.order_id, amount, reason, payment.pk, key)
    decided.refunds.append(payments.reserve_refund(SYSTEM, draft))
    return True


def _again_at(failed: Refund, times: int) -> datetime:
    at: datetime = failed.requested_at + REFUND_PAUSE * 2 ** (times - 1)
    return at
