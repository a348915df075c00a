from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Prefetch, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import limit
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.parties.models import Organisation
from shoufu.kernel.payments import books
from shoufu.kernel.payments.models import (
    Difference,
    Journal,
    LedgerEntry,
    Order,
    Reconciliation,
    Refund,
    Settlement,
    ShareRule,
)
from shoufu.kernel.payments.services.common import ORDER, VIEW, person_of, seen

CHINA = ZoneInfo("Asia/Shanghai")


def orders(actor: Actor) -> QuerySet[Order]:
    """Orders at the actor's places; those that an app keeps to itself only with its right besides."""
    return seen(Order.objects.select_related("place", "institution", "payer"), actor)


def own(actor: Actor) -> QuerySet[Order]:
    """Orders that the actor has to pay or paid: a person's own, whatever the place."""
    person = person_of(actor)
    rows = Order.objects.select_related("place", "institution").prefetch_related("lines")
    return rows.filter(payer=person).exclude(state=Order.State.DRAFT) if person is not None else rows.none()


def order(actor: Actor, order_id: int) -> Order:
    """One order with its lines, payments, refunds and timeline; NotFound where the actor may not see it."""
    whole = ("lines", "payments__refunds", "events")
    found = orders(actor).prefetch_related(*whole).filter(pk=order_id).first()
    found = found or own(actor).prefetch_related(*whole[1:]).filter(pk=order_id).first()
    if found is None:
        raise NotFound(_("There is no order %(id)s that you may see.") % {"id": order_id})
    return found


def journals(actor: Actor, order: Order) -> Sequence[Journal]:
    """What was booked for an order, oldest first."""
    entries = Prefetch("entries", LedgerEntry.objects.select_related("account"))
    rows = seen(Journal.objects.filter(order=order), actor, "order__")
    return list(rows.prefetch_related(entries).order_by("id"))


def refunds(actor: Actor) -> QuerySet[Refund]:
    """Refunds of the orders that the actor may see."""
    return seen(Refund.objects.select_related("payment__order"), actor, "payment__order__")


def differences(actor: Actor) -> QuerySet[Difference]:
    """Differences with providers at the actor's places; those that no order is known for belong to the district."""
    return limit(Difference.objects.select_related("order", "place"), actor, VIEW)


def difference(actor: Actor, difference_id: int) -> Difference:
    """One difference; NotFound where the actor may not see it."""
    found = differences(actor).filter(pk=difference_id).first()
    if found is None:
        raise NotFound(_("There is no difference %(id)s that you may see.") % {"id": difference_id})
    return found


def reconciliations(actor: Actor, most: int = 31) -> Sequence[Reconciliation]:
    """The newest comparisons with the bills; for those who may reconcile the whole."""
    if not actor.may_anywhere("payments.reconcile"):
        return []
    return list(Reconciliation.objects.all()[:most])


def days_to_compare(provider: str, most: int) -> Sequence[date]:
    """The latest of so many days before today, by the providers' clock, whose bill was not compared yet; and yesterday,
    whose bill may have grown since. For the system."""
    today = timezone.localdate(timezone.now(), CHINA)
    days = [today - timedelta(days=n) for n in range(1, most + 1)]
    done = set(Reconciliation.objects.filter(provider=provider, day__in=days[1:]).values_list("day", flat=True))
    return [day for day in days if day not in done]


def settlements(actor: Actor) -> QuerySet[Settlement]:
    """Settlements of the institutions at the actor's places."""
    rows = Settlement.objects.select_related("institution__place")
    return limit(rows, actor, "payments.settle", "institution__place__path")


def settlement(actor: Actor, settlement_id: int) -> Settlement:
    """One settlement with its lines; NotFound where the actor may not see it."""
    rows = settlements(actor).prefetch_related("lines__order", "lines__organisation", "lines__person")
    found = rows.filter(pk=settlement_id).first()
    if found is None:
        raise NotFound(_("There is no settlement %(id)s that you may see.") % {"id": settlement_id})
    return found


def payees(settlement: Settlement) -> Sequence[tuple[str, str, int, int, int | None]]:
    """What each payee of a settlement gets: name, account, orders, minor units; and what of it is to be paid now or was
    paid, None for a draft."""
    sums: dict[str, list[int]] = {}
    names: dict[str, str] = {}
    for line in settlement.lines.all():
        counted = sums.setdefault(line.account, [0, 0])
        counted[0] += 1
        counted[1] += line.amount_minor
        who = line.person or line.organisation
        names[line.account] = who.name if who is not None else line.account
    return [
        (names[account], account, count, amount, _payout(settlement, account, amount))
        for account, (count, amount) in sums.items()
    ]


def _payout(settlement: Settlement, account: str, amount: int) -> int | None:
    if settlement.state == Settlement.State.CONFIRMED:
        return books.to_pay(account, amount)
    return books.was_paid_out(settlement.pk, account) if settlement.state == Settlement.State.PAID else None


def institutions(actor: Actor, permission: str = ORDER) -> QuerySet[Organisation]:
    """Organisations at places where the actor has the right."""
    return limit(Organisation.objects.select_related("place"), actor, permission).order_by("name")


def share_rules(actor: Actor) -> QuerySet[ShareRule]:
    """How the institutions of the actor's places share their income."""
    rows = ShareRule.objects.select_related("institution__place")
    return limit(rows, actor, "payments.settle", "institution__place__path")


def trial_balance(actor: Actor) -> Sequence[tuple[str, str, int]]:
    """Code, kind and balance of every account; for the system, drills and tests: it is nobody's place's."""
    if not actor.is_system:
        return []
    rows = LedgerEntry.objects.values_list("account__code", "account__kind").annotate(sum=Sum("amount_minor"))
    return [(code, kind, int(total)) for code, kind, total in rows.order_by("account__code")]
