"""Settlement: what an institution's paid orders earn for whom, in batches that a person confirms."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import limit, require
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, Invalid, NotFound
from shoufu.kernel.parties.models import Organisation
from shoufu.kernel.payments import books, money
from shoufu.kernel.payments.models import Order, Settlement, SettlementLine, ShareRule
from shoufu.kernel.payments.services.common import SETTLE, VIEW, lock

WHOLE = 10_000


@dataclass(frozen=True)
class Share:
    """`points` hundredths of a per cent for "performer", "institution" or "organisation:ID"."""

    payee: str
    points: int


@dataclass(frozen=True)
class Payee:
    """Whose account a share goes to."""

    account: str
    organisation: int | None = None
    person: int | None = None


def _institution(actor: Actor, organisation_id: int) -> Organisation:
    rows = limit(Organisation.objects.select_related("place"), actor, VIEW)
    found = rows.filter(pk=organisation_id).first()
    if found is None:
        raise NotFound(_("There is no organisation %(id)s that you may see.") % {"id": organisation_id})
    require(actor, SETTLE, found.place)
    return found


@transaction.atomic
def set_shares(actor: Actor, organisation_id: int, since: date, shares: Sequence[Share]) -> ShareRule:
    """How the institution's income is shared from a day on; earlier rules stay for what was sold under them."""
    institution = _institution(actor, organisation_id)
    _check(actor, shares)
    rows = [{"payee": one.payee, "points": one.points} for one in shares]
    defaults = {"shares": rows, "author": actor.label[:120]}
    made, _new = ShareRule.objects.update_or_create(institution=institution, since=since, defaults=defaults)
    record(actor, Act("payments.shares", made, institution.place_id, data={"since": str(since), "shares": rows}))
    return made


def _check(actor: Actor, shares: Sequence[Share]) -> None:
    names = [one.payee for one in shares]
    if sum(one.points for one in shares) != WHOLE or any(one.points <= 0 for one in shares):
        raise Invalid.one("shares", _("Shares above zero that sum to 10,000 hundredths of a per cent."))
    if len(set(names)) != len(names):
        raise Invalid.one("shares", _("Each payee once."))
    organisations = limit(Organisation.objects.all(), actor, VIEW)
    for name in names:
        kind, _colon, number = name.partition(":")
        if name in ("performer", "institution"):
            continue
        if kind != "organisation" or not number.isdigit() or not organisations.filter(pk=int(number)).exists():
            raise Invalid.one("shares", _("Payees are performer, institution or organisation:ID."))


def _payees(name: str, order: Order) -> list[Payee]:
    """Who gets a share; those who did the work get theirs in equal parts, and without them it is the institution's."""
    people = list(order.performers.all()) if name == "performer" else []
    if people:
        return [Payee(one.account, person=one.person_id) for one in people]
    organisation = int(name.partition(":")[2]) if name.startswith("organisation:") else order.institution_id
    return [Payee(f"payable:organisation:{organisation}", organisation=organisation)]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, timezone.get_current_timezone())


@transaction.atomic
def draft_settlement(actor: Actor, organisation_id: int, since: date, until: date) -> Settlement:
    """Gather what the institution's orders paid from `since` to before `until` earned since they were last settled.

    Orders of earlier days come along where a refund changed them after their settlement.
    """
    institution = _institution(actor, organisation_id)
    if not since < until <= timezone.localdate() + timedelta(days=1):
        raise Invalid.one("until", _("After the first day, and not after today."))
    Organisation.objects.select_for_update().get(pk=institution.pk)
    if Settlement.objects.filter(institution=institution, state=Settlement.State.DRAFT).exists():
        raise Conflict(_("There is a draft already; confirm or drop it first."))
    rules = list(ShareRule.objects.filter(institution=institution).order_by("-since"))
    now = timezone.now()
    made = Settlement.objects.create(
        number=f"S{now:%Y%m%d}{institution.pk}-{Settlement.objects.filter(institution=institution).count() + 1}",
        institution=institution,
        since=since,
        until=until,
        created_by=actor.label[:120],
        created_at=now,
    )
    lines = [line for order in _due(institution, since, until) for line in _lines(made, order, rules)]
    if not lines:
        raise Invalid.one("since", _("Nothing was earned in these days that is not settled already."))
    SettlementLine.objects.bulk_create(lines)
    made.total_minor = sum(line.amount_minor for line in lines)
    made.save(update_fields=["total_minor"])
    data = {"number": made.number, "lines": len(lines), "total": made.total_minor}
    record(actor, Act("payments.settle", made, institution.place_id, data=data))
    return made


def _due(institution: Organisation, since: date, until: date) -> Sequence[Order]:
    net = F("total_minor") - F("refunded_minor") - F("insurance_refunded_minor")
    rows = Order.objects.filter(
        institution=institution, state__in=Order.SETTLED, paid_at__lt=_midnight(until), currency="CNY"
    )
    fresh = Q(paid_at__gte=_midnight(since), settled_minor=0) | ~Q(settled_minor=0)
    due = rows.filter(fresh).exclude(settled_minor=net).order_by("pk")
    return list(due.prefetch_related("performers"))


def _lines(settlement: Settlement, order: Order, rules: Sequence[ShareRule]) -> list[SettlementLine]:
    """What each payee gets of all that the order earned, less what earlier settlements gave them of it.

    An order that was settled before keeps the payees and shares of its first settlement.
    """
    rows = SettlementLine.objects.filter(order=order, settlement__state__in=Settlement.BOOKED).order_by("id")
    before = list(rows)
    shares = _settled_shares(before) if before else _rule_shares(order, rules)
    earlier = Counter[str]()
    for line in before:
        earlier[line.account] += line.amount_minor
    amounts = money.split(order.net_minor, list(shares.values()))
    return [
        SettlementLine(
            settlement=settlement,
            order=order,
            account=payee.account,
            organisation_id=payee.organisation,
            person_id=payee.person,
            base_minor=order.net_minor - order.settled_minor,
            points=points,
            amount_minor=amount - earlier[payee.account],
        )
        for (payee, points), amount in zip(shares.items(), amounts, strict=True)
    ]


def _rule_shares(order: Order, rules: Sequence[ShareRule]) -> dict[Payee, int]:
    """Payees and their points by the rule of the day when the order was paid."""
    paid = timezone.localdate(order.paid_at)
    rule = next((one for one in rules if one.since <= paid), None)
    shares: list[dict[str, Any]] = rule.shares if rule else [{"payee": "institution", "points": WHOLE}]
    found = Counter[Payee]()
    for one in shares:
        payees = _payees(one["payee"], order)
        for payee, points in zip(payees, money.split(one["points"], [1] * len(payees)), strict=True):
            found[payee] += points
    return dict(found)


def _settled_shares(before: Sequence[SettlementLine]) -> dict[Payee, int]:
    """Payees and their points in the first settlement; who came later has none and gives back what they got."""
    first, found = before[0].settlement_id, dict[str, tuple[Payee, int]]()
    for line in before:
        payee = Payee(line.account, line.organisation_id, line.person_id)
        found.setdefault(line.account, (payee, line.points if line.settlement_id == first else 0))
    return dict(found.values())


def _locked(actor: Actor, settlement_id: int, state: str) -> Settlement:
    rows = limit(Settlement.objects.select_related("institution__place"), actor, VIEW, "institution__place__path")
    found = rows.select_for_update(of=("self",)).filter(pk=settlement_id).first()
    if found is None:
        raise NotFound(_("There is no settlement %(id)s that you may see.") % {"id": settlement_id})
    require(actor, SETTLE, found.institution.place)
    if found.state != state:
        raise Conflict(_("This settlement is “%(state)s”.") % {"state": found.get_state_display()}, state=found.state)
    return found


@transaction.atomic
def confirm_settlement(actor: Actor, settlement_id: int) -> Settlement:
    """Book a draft: from now on the payees are owed their shares. Conflict where an order changed since it was
    drafted."""
    found = _locked(actor, settlement_id, Settlement.State.DRAFT)
    lines = list(found.lines.order_by("order_id", "id"))
    for line in lines:
        line.settlement = found
        books.shared(line)
    for order_id, base in {line.order_id: line.base_minor for line in lines}.items():
        order = lock(order_id)
        if order.net_minor - order.settled_minor != base:
            raise Conflict(
                _("Order %(number)s has changed; drop the draft and make it anew.") % {"number": order.number}
            )
        order.settled_minor += base
        order.save(update_fields=["settled_minor"])
    found.state, found.confirmed_by, found.confirmed_at = "confirmed", actor.label[:120], timezone.now()
    found.confirmer_id = actor.user_id
    found.save()
    record(actor, Act("payments.settled", found, found.institution.place_id, data={"number": found.number}))
    return found


@transaction.atomic
def drop_settlement(actor: Actor, settlement_id: int) -> Settlement:
    """Throw a draft away."""
    found = _locked(actor, settlement_id, Settlement.State.DRAFT)
    found.lines.all().delete()
    found.state = Settlement.State.DROPPED
    found.save(update_fields=["state"])
    record(actor, Act("payments.drop", found, found.institution.place_id, data={"number": found.number}))
    return found


def _confirmed(actor: Actor, found: Settlement) -> bool:
    """Whether the actor confirmed it. The shown name may change and tells only where no user is known."""
    if found.confirmer_id is None:
        return found.confirmed_by == actor.label[:120]
    return found.confirmer_id == actor.user_id


@transaction.atomic
def pay_out(actor: Actor, settlement_id: int, reference: str) -> Settlement:
    """A person says that the payees were paid from the bank; who confirmed the batch does not pay it.

    Nobody is paid more than they are owed in all: what refunds took back beyond it is kept for later settlements.
    """
    found = _locked(actor, settlement_id, Settlement.State.CONFIRMED)
    if not reference.strip():
        raise Invalid.one("reference", _("Write the number of the receipt or of the transfer."))
    if not actor.is_system and _confirmed(actor, found):
        raise Conflict(_("Somebody else must pay what you confirmed."))
    for row in found.lines.values("account").annotate(sum=Sum("amount_minor")).order_by("account"):
        books.paid_out(found.pk, row["account"], row["sum"], found.currency, reference.strip())
    found.state, found.paid_by, found.paid_at = "paid", actor.label[:120], timezone.now()
    found.reference = reference.strip()[:120]
    found.save()
    data = {"number": found.number, "reference": found.reference}
    record(actor, Act("payments.payout", found, found.institution.place_id, data=data))
    return found
