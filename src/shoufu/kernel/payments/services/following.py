"""Asking providers after what they did not tell: payments and refunds without an answer."""

import logging
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from shoufu.kernel.base.errors import Problem
from shoufu.kernel.payments.models import Order, Payment, Provider, ProviderEvent, Refund
from shoufu.kernel.payments.services.paying import ask_provider, close_attempt
from shoufu.kernel.payments.services.refunds import follow_refund

log = logging.getLogger(__name__)
WAIT = timedelta(minutes=1)
MOST = 50


def follow(most: int = MOST) -> int:
    """Ask after payments and refunds that were asked for over a minute ago. Returns how many came to an end."""
    before = timezone.now() - WAIT
    late = Q(asked_at__isnull=True) | Q(asked_at__lt=before)
    payments = Payment.objects.filter(late, state=Payment.State.STARTED).exclude(provider=Provider.OFFLINE)
    refunds = Refund.objects.filter(late, state__in=Refund.UNDER_WAY).exclude(payment__provider=Provider.OFFLINE)
    count = sum(_payment_ended(one) for one in payments.select_related("order").order_by("asked_at")[:most])
    return count + sum(_refund_ended(one) for one in refunds.select_related("payment").order_by("asked_at")[:most])


def _payment_ended(payment: Payment) -> bool:
    try:
        if payment.order.state not in Order.OPEN:
            close_attempt(payment)
            return False
        fact = ask_provider(payment)
    except Problem as problem:
        log.warning("payment %s: %s", payment.number, problem)
        Payment.objects.filter(pk=payment.pk).update(asked_at=timezone.now())
        return False
    return fact is not None and fact.state == "success"


def _refund_ended(refund: Refund) -> bool:
    try:
        return follow_refund(refund).state not in Refund.UNDER_WAY
    except Problem as problem:
        log.warning("refund %s: %s", refund.number, problem)
        Refund.objects.filter(pk=refund.pk).update(asked_at=timezone.now())
        return False


def expire_events() -> int:
    """Forget callbacks that are past their retention. Returns how many."""
    limit = timezone.now() - timedelta(days=ProviderEvent.RETENTION_DAYS)
    return ProviderEvent.objects.filter(received_at__lt=limit).delete()[0]
