"""An institution's own page: money of its orders, and how its people's time is used."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.db.models import Count, DurationField, ExpressionWrapper, F, Func, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, TruncMonth
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from shoufu.kernel.access.policy import lent, subtree
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Invalid, NotFound
from shoufu.kernel.booking.calendar import Span as Time
from shoufu.kernel.booking.slots import diaries
from shoufu.kernel.payments import selectors as payments
from shoufu.kernel.payments import services as paying
from shoufu.kernel.payments.models import LedgerEntry, Order, Settlement, ShareRule
from shoufu.kernel.payments.services.settling import Share
from shoufu.kernel.places.distances import between
from shoufu.scenes.homecare.planning import travel
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.models import Institution, Practitioner
from shoufu.scenes.homecare.visits.models import Stop, Visit
from shoufu.scenes.homecare.visits.orders import SEE

MOST_DAYS = 92


def office(actor: Actor, institution_id: int | None, permission: str) -> Institution:
    """The institution that is asked for, or the first one, where the actor has a right; NotFound otherwise."""
    rows = register.institutions(actor)
    if not actor.is_system:
        rows = rows.filter(subtree(actor.paths(permission), "place__path"))
    found = (rows.filter(pk=institution_id) if institution_id is not None else rows).first()
    if found is None:
        raise NotFound(_("There is no institution %(id)s that you may see.") % {"id": institution_id or ""})
    return found


def _able(actor: Actor, row: Institution, *rights: str) -> Actor:
    return lent(actor, row.organisation.place.path, *rights)


@dataclass(frozen=True)
class MonthOfMoney:
    """An institution's orders that were paid in a month, in minor units. `insurance_due` is what the insurance bears of
    them, `insurance_received` what came of that so far."""

    month: date
    orders: int
    total: int
    paid: int
    refunded: int
    insurance_due: int
    insurance_received: int


@dataclass(frozen=True)
class Money:
    """`open` are orders that wait to be paid. `unsettled` is what was earned and stands in no settlement yet."""

    months: Sequence[MonthOfMoney]
    open: int
    open_minor: int
    unsettled: int
    settlements: Sequence[Settlement]
    rules: Sequence[ShareRule]

    @property
    def total(self) -> MonthOfMoney:
        names = ("orders", "total", "paid", "refunded", "insurance_due", "insurance_received")
        return MonthOfMoney(date.min, *(sum(getattr(one, name) for one in self.months) for name in names))


def money(actor: Actor, row: Institution, since: date, until: date) -> Money:
    """The money of an institution's orders that were paid on days within [since, until) by the days of its place."""
    zone = ZoneInfo(row.organisation.place.time_zone)
    able = _able(actor, row, SEE, "payments.view", "payments.settle")
    orders = _orders(able, row).select_related(None).order_by()
    spans = Q(paid_at__gte=_midnight(since, zone), paid_at__lt=_midnight(until, zone))
    paid = orders.filter(spans, state__in=Order.SETTLED)
    month = TruncMonth("paid_at", tzinfo=zone)
    sums = paid.order_by().annotate(month=month).values("month").annotate(
        orders=Count("pk"), total=Sum("total_minor"), paid=Sum("paid_minor"), refunded=Sum("refunded_minor"),
        due=Sum(F("insurance_minor") - F("insurance_refunded_minor")),
    )  # fmt: skip
    received = dict(
        LedgerEntry.objects.filter(
            account__code="insurance",
            journal__kind__in=("insurance", "insreturn"),
            journal__order__in=paid.values("pk"),
        )
        .annotate(month=TruncMonth("journal__order__paid_at", tzinfo=zone))
        .order_by()
        .values("month")
        .annotate(sum=-Sum("amount_minor"))
        .values_list("month", "sum")
    )
    months = [
        MonthOfMoney(
            one["month"].date(), one["orders"], one["total"], one["paid"], one["refunded"], one["due"],
            int(received.get(one["month"], 0)),
        )
        for one in sums.order_by("month")
    ]  # fmt: skip
    waiting = orders.filter(state=Order.State.PENDING).aggregate(n=Count("pk"), sum=Coalesce(Sum("payer_minor"), 0))
    earned = F("total_minor") - F("refunded_minor") - F("insurance_refunded_minor") - F("settled_minor")
    unsettled = orders.filter(Order.UNSETTLED).aggregate(sum=Coalesce(Sum(earned), 0))
    return Money(
        months,
        waiting["n"],
        waiting["sum"],
        unsettled["sum"],
        list(payments.settlements(able).filter(institution=row.organisation)[:24]),
        list(payments.share_rules(able).filter(institution=row.organisation)[:12]),
    )


def _orders(able: Actor, row: Institution) -> QuerySet[Order]:
    return payments.orders(able).filter(institution=row.organisation)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def set_share(actor: Actor, row: Institution, since: date, performer_percent: int) -> ShareRule:
    """From a day on, who came gets so many per cent of what a visit earns, the institution the rest."""
    if not 0 <= performer_percent <= 100:
        raise Invalid.one("percent", _("Must be a number from %(least)s to %(most)s.") % {"least": 0, "most": 100})
    shares = [Share("performer", performer_percent * 100), Share("institution", 10_000 - performer_percent * 100)]
    able = _able(actor, row, SEE, "payments.view", "payments.settle")
    return paying.set_shares(able, row.organisation_id, since, [one for one in shares if one.points])


@dataclass(frozen=True)
class Use:
    """How a practitioner's time was used, in minutes: on duty, planned with patients, really with them, on the way."""

    practitioner: Practitioner
    shift: float
    planned: float
    visited: float
    travel: float
    visits: int
    nobody_home: int

    @property
    def share(self) -> float | None:
        return self.planned / self.shift if self.shift else None

    @property
    def visited_share(self) -> float | None:
        return self.visited / self.shift if self.shift else None


def use(row: Institution, since: date, until: date) -> list[Use]:
    """The time of everybody of an institution on days within [since, until), in a fixed number of queries; the caller
    checked the right. At most three months."""
    if not 0 < (until - since).days <= MOST_DAYS:
        raise Invalid.one("until", _("At most three months."))
    zone = ZoneInfo(row.place.time_zone)
    begin, end = _midnight(since, zone), _midnight(until, zone)
    people = list(
        Practitioner.objects.filter(Q(left_at__isnull=True) | Q(left_at__gte=begin), institution=row)
        .select_related("person", "institution__place")
        .order_by("person__name", "pk")
    )
    ids = [one.resource_id for one in people if one.resource_id is not None]
    found = diaries(ids, Time(begin, end))
    held = Stop.objects.filter(visit__institution=row, visit__day__gte=since, visit__day__lt=until)
    held = held.filter(Q(live=True) | Q(visit__state__in=("done", "missed"))).exclude(visit__state="cancelled")
    sums = _sums(held)
    ways = _ways(row, people, held)
    nothing = (0.0, 0.0, 0, 0)
    used = []
    for one in people:
        planned, visited, visits, nobody = sums.get(one.pk, nothing)
        diary = found.get(one.resource_id or 0)
        shift = sum(_minutes(span.end - span.start) for span in diary.there) if diary is not None else 0.0
        used.append(Use(one, shift, planned, visited, ways.get(one.pk, 0.0), visits, nobody))
    return used


def _sums(held: QuerySet[Stop]) -> dict[int, tuple[float, float, int, int]]:
    """Of each practitioner: minutes planned and spent with patients, visits done, times that nobody was at home."""
    length = Func(F("span"), function="upper") - Func(F("span"), function="lower")
    planned = ExpressionWrapper(length, output_field=DurationField())
    spent = ExpressionWrapper(F("visit__ended_at") - F("visit__began_at"), output_field=DurationField())
    done = Q(visit__state="done", visit__began_at__isnull=False, visit__ended_at__isnull=False)
    rows = held.order_by().values("practitioner").annotate(
        planned=Sum(planned),
        spent=Sum(spent, filter=done),
        visits=Count("pk", filter=done),
        nobody=Count("pk", filter=Q(visit__end_cause="nobody_home")),
    )  # fmt: skip
    none = timedelta()
    return {
        one["practitioner"]: (
            _minutes(one["planned"] or none),
            _minutes(one["spent"] or none),
            one["visits"],
            one["nobody"],
        )
        for one in rows
    }


def _minutes(length: timedelta) -> float:
    return length.total_seconds() / 60


def _ways(row: Institution, people: Sequence[Practitioner], held: QuerySet[Stop]) -> dict[int, float]:
    """Minutes on the way of each practitioner: from where their day begins through the homes in order, and back."""
    begin = Func(F("span"), function="lower")
    wanted = ("practitioner", "visit__day", "visit__place", "visit__place__path")
    stops = list(held.order_by("practitioner", begin).values_list(*wanted))
    paths = {place: path for _who, _day, place, path in stops} | {row.place_id: row.place.path}
    located = register.positions_of(paths)
    office = located.get(row.place_id)
    found: dict[int, float] = {}
    days: dict[int, dict[date, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    for who, day, place, _path in stops:
        at = located.get(place)
        if at is not None:
            days[who][day].append(at)
    for one in people:
        base = (one.base_longitude, one.base_latitude) if one.base_longitude is not None else office
        if base is None or base[1] is None or one.pk not in days:
            continue
        tours = [[base, *homes, base] for homes in days[one.pk].values()]
        starts = [at for tour in tours for at in tour[:-1]]
        ends = [at for tour in tours for at in tour[1:]]
        found[one.pk] = float(_between(starts, ends, one.transport).sum())
    return found


def _between(starts: Sequence[Any], ends: Sequence[Any], transport: str) -> NDArray[np.float64]:
    """[n] minutes from each start to its end (longitude, latitude in degrees), as planning reckons them."""
    metres = between(np.asarray(starts, np.float64), np.asarray(ends, np.float64))
    return travel.minutes(metres, transport)


def no_shows(row: Institution, since: date, until: date) -> tuple[int, int]:
    """How many visits found nobody at home, and how many were to take place."""
    rows = Visit.objects.filter(institution=row, day__gte=since, day__lt=until, state__in=("done", "missed"))
    counts = rows.aggregate(all=Count("pk"), absent=Count("pk", filter=Q(end_cause="nobody_home")))
    return counts["absent"], counts["all"]
