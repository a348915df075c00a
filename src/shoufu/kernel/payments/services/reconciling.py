"""Comparing a day of our books with the provider's bill."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import limit, require, require_anywhere
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, Invalid, NotFound, Problem
from shoufu.kernel.payments import providers
from shoufu.kernel.payments.models import Difference, Payment, Provider, Reconciliation, Refund
from shoufu.kernel.payments.providers import BillLine
from shoufu.kernel.payments.services.common import RECONCILE, VIEW, differ
from shoufu.kernel.payments.services.paying import ask_provider
from shoufu.kernel.payments.services.refunds import follow_refund

log = logging.getLogger(__name__)
CHINA = ZoneInfo("Asia/Shanghai")
"""Bills run from midnight to midnight by the providers' clock, wherever the place is."""
COMPARED = (
    Difference.Kind.MISSING_HERE,
    Difference.Kind.MISSING_THERE,
    Difference.Kind.AMOUNT,
    Difference.Kind.STATE,
)


@dataclass(frozen=True)
class Row:
    """One of our payments or refunds of the day, as the bill should show it."""

    kind: str
    trade: str
    refund: str
    amount: int
    payment: Payment
    done: bool


def reconcile(actor: Actor, provider: str, day: date) -> Reconciliation:
    """Compare a day with the provider's bill; each difference is noted once, and one that is gone is closed.

    Payments and refunds that only the bill knows are asked after first: a lost callback is made good, not reported.
    """
    require_anywhere(actor, RECONCILE)
    if provider not in (Provider.WECHAT, Provider.ALIPAY):
        raise Invalid.one("provider", _("Use one of: %(codes)s.") % {"codes": "wechat, alipay"})
    if day >= timezone.localdate(timezone.now(), CHINA):
        raise Invalid.one("day", _("A bill is there on the next day."))
    bill = list(providers.adapter(provider).bill(day))
    _catch_up(provider, bill)
    with transaction.atomic():
        return _compare(actor, provider, day, bill)


def compare_day(actor: Actor, provider: str, day: date, bill: Sequence[BillLine]) -> Reconciliation:
    """Compare a day with lines that were fetched already."""
    _catch_up(provider, bill)
    with transaction.atomic():
        return _compare(actor, provider, day, bill)


def _catch_up(provider: str, bill: Iterable[BillLine]) -> None:
    """Book what the bill knows and we do not, by asking the provider after each."""
    for line in bill:
        try:
            if line.kind == "pay":
                payment = Payment.objects.filter(provider=provider, number=line.trade, received_minor=0).first()
                if payment is not None:
                    ask_provider(payment)
            else:
                rows = Refund.objects.select_related("payment").filter(number=line.refund)
                refund = rows.filter(state__in=Refund.UNDER_WAY).first()
                if refund is not None:
                    follow_refund(refund)
        except Problem as problem:
            log.warning("%s %s: %s", provider, line.trade, problem)


def _ours(provider: str, day: date) -> dict[tuple[str, str, str], Row]:
    since = datetime.combine(day, time.min, CHINA)
    until = since + timedelta(days=1)
    found = [
        Row("pay", one.number, "", one.received_minor, one, True)
        for one in Payment.objects.filter(
            provider=provider, received_minor__gt=0, paid_at__gte=since, paid_at__lt=until
        )
    ]
    refunds = Refund.objects.select_related("payment").filter(
        payment__provider=provider, accepted_at__gte=since, accepted_at__lt=until
    )
    found += [
        Row(
            "refund", one.payment.number, one.number, one.amount_minor, one.payment, one.state == Refund.State.SUCCEEDED
        )
        for one in refunds
    ]
    return {(row.kind, row.trade, row.refund): row for row in found}


def _elsewhere(provider: str, line: BillLine) -> Row | None:
    """Ours of another day: a refund under way at midnight, a clock that differs."""
    payment = Payment.objects.filter(provider=provider, number=line.trade).first()
    if payment is None:
        return None
    if line.kind == "pay":
        return Row("pay", line.trade, "", payment.received_minor, payment, True) if payment.received_minor else None
    refund = payment.refunds.filter(number=line.refund).first()
    if refund is None or (refund.accepted_at is None and refund.state != Refund.State.SUCCEEDED):
        return None
    done = refund.state == Refund.State.SUCCEEDED
    return Row("refund", line.trade, line.refund, refund.amount_minor, payment, done)


def _compare(actor: Actor, provider: str, day: date, bill: Sequence[BillLine]) -> Reconciliation:
    ours = _ours(provider, day)
    seen: set[tuple[str, str, str]] = set()
    open_now: set[int] = set()
    for line in bill:
        key: tuple[str, str, str] = (line.kind, line.trade, line.refund)
        seen.add(key)
        found = _differs(provider, line, ours.get(key) or _elsewhere(provider, line))
        if found is not None:
            open_now.add(found.pk)
    for held, row in ours.items():
        if held not in seen and (row.done or row.kind == "pay"):
            open_now.add(_note(Difference.Kind.MISSING_THERE, provider, row, ours=row.amount).pk)
    _close_gone(provider, day, open_now)
    Difference.objects.filter(pk__in=open_now).update(day=day)
    made, _new = Reconciliation.objects.update_or_create(
        provider=provider,
        day=day,
        defaults={
            "at": timezone.now(),
            "lines": len(bill),
            "ours_minor": sum(row.amount if row.kind == "pay" else -row.amount for row in ours.values()),
            "theirs_minor": sum(line.amount if line.kind == "pay" else -line.amount for line in bill),
        },
    )
    data = {"provider": provider, "day": str(day), "lines": len(bill), "differences": len(open_now)}
    record(actor, Act("payments.reconcile", made, data=data))
    return made


def _differs(provider: str, line: BillLine, row: Row | None) -> Difference | None:
    if row is None:
        payment = Payment.objects.select_related("order__place").filter(provider=provider, number=line.trade).first()
        order = payment.order if payment else None
        return differ(
            Difference.Kind.MISSING_HERE, provider, line.trade, order=order, refund=line.refund, theirs=line.amount,
            text=line.trade_no,
        )  # fmt: skip
    if row.amount != line.amount:
        return _note(Difference.Kind.AMOUNT, provider, row, ours=row.amount, theirs=line.amount)
    if line.kind == "refund" and line.state == "success" and not row.done:
        return _note(Difference.Kind.STATE, provider, row, ours=row.amount, theirs=line.amount)
    return None


def _note(kind: str, provider: str, row: Row, *, ours: int | None = None, theirs: int | None = None) -> Difference:
    order = row.payment.order
    return differ(kind, provider, row.trade, order=order, refund=row.refund, ours=ours, theirs=theirs)


def _close_gone(provider: str, day: date, open_now: set[int]) -> None:
    rows = Difference.objects.filter(provider=provider, day=day, kind__in=COMPARED, resolved_at__isnull=True)
    for one in rows.exclude(pk__in=open_now):
        one.resolution, one.reason = Difference.Resolution.CORRECTED, _("It agrees in a later comparison.")
        one.resolved_by, one.resolved_at = SYSTEM.label, timezone.now()
        one.save()


@transaction.atomic
def resolve(actor: Actor, difference_id: int, resolution: str, reason: str) -> Difference:
    """A person says what became of a difference; the reason stays."""
    rows = limit(Difference.objects.select_related("place"), actor, VIEW)
    found = rows.select_for_update(of=("self",)).filter(pk=difference_id).first()
    if found is None:
        raise NotFound(_("There is no difference %(id)s that you may see.") % {"id": difference_id})
    require(actor, RECONCILE, found.place)
    if found.resolved_at is not None:
        raise Conflict(_("%(who)s has resolved it already.") % {"who": found.resolved_by})
    if resolution not in Difference.Resolution.values:
        words = {"codes": ", ".join(Difference.Resolution.values)}
        raise Invalid.one("resolution", _("Use one of: %(codes)s.") % words)
    if not reason.strip():
        raise Invalid.one("reason", _("Say why."))
    found.resolution, found.reason = resolution, reason.strip()[:200]
    found.resolved_by, found.resolved_at = actor.label[:120], timezone.now()
    found.save()
    data = {"kind": found.kind, "trade": found.trade, "resolution": resolution}
    record(actor, Act("payments.resolve", found, found.place_id, found.reason, data))
    return found
