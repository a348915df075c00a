"""Which slots of an offering are free: the rules, exceptions and bookings of its resources, read in two statements."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.booking import calendar, providers, reading
from shoufu.kernel.booking.calendar import Span
from shoufu.kernel.booking.models import (
    Allocation,
    Booking,
    Offering,
    Resource,
    Tally,
    Terms,
)
from shoufu.kernel.booking.providers import Query, Slot
from shoufu.kernel.booking.reading import Needs

MOST_DAYS = 42
MOST_SLOTS = 2000
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Diary:
    """A resource in a span of time: its openings as they begin, when it is there, and when it is taken."""

    resource: int
    openings: tuple[Span, ...]
    there: tuple[Span, ...]
    taken: tuple[Span, ...]

    def free(self, service: Span, blocked: Span) -> bool:
        """Whether it is there for the service and not taken for that with its buffers."""
        return calendar.holds(self.there, service) and not any(one.overlaps(blocked) for one in self.taken)


@dataclass(frozen=True)
class Plan:
    """An offering with the diaries of its resources in a span of time."""

    offering: Offering
    terms: Terms
    needs: tuple[tuple[int, ...], ...]
    diaries: dict[int, Diary]
    tallies: dict[datetime, int]

    def at(self, start: datetime, units: int = 1, wanted: Iterable[int] = ()) -> Slot | None:
        """The slot that starts then, free or not being a matter of its resources; None where there is none."""
        service, blocked = self.service(start, units), self.blocked(start, units)
        if self.terms.capacity > 1:
            there = all(any(self._there(one, service) for one in need) for need in self.needs)
            left = self.terms.capacity - self.tallies.get(start, 0)
            return Slot(start, service.end, left=left) if there and left > 0 else None
        only = frozenset(wanted)
        choices = tuple(tuple(one for one in need if self.diaries[one].free(service, blocked)) for need in self.needs)
        narrowed = tuple(tuple(one for one in need if not only or one in only) for need in choices)
        found = calendar.match(narrowed)
        return Slot(start, service.end, found, choices) if found and only <= set(found) else None

    def _there(self, resource: int, service: Span) -> bool:
        return calendar.holds(self.diaries[resource].there, service)

    def grid(self, within: Span) -> list[datetime]:
        """Every moment inside `within` at which a booking can start by the openings."""
        step = self.terms.step_minutes * MINUTE
        openings = [one for diary in self.diaries.values() for one in diary.openings]
        return sorted(calendar.starts(openings, step, within))

    def open(self, start: datetime, units: int) -> bool:
        """Whether there is a slot then at all, taken or not."""
        service = self.service(start, units)
        on_grid = start in calendar.starts(
            [one for diary in self.diaries.values() for one in diary.openings],
            self.terms.step_minutes * MINUTE,
            Span(start, start + MINUTE),
        )
        return on_grid and all(any(self._there(one, service) for one in need) for need in self.needs)

    def service(self, start: datetime, units: int) -> Span:
        return Span(start, start + units * self.terms.duration_minutes * MINUTE)

    def blocked(self, start: datetime, units: int) -> Span:
        before, after = self.terms.buffer_before * MINUTE, self.terms.buffer_after * MINUTE
        return self.service(start, units).widened(before, after)


def load(query: Query, within: Span, *, now: datetime | None = None, places: bool = True) -> Plan:
    """The plan of an offering for starts in `within`: two statements, three where slots have places that are to be
    counted. What an expired hold takes is free; so is what the booking takes that is being moved."""
    offering, terms = query.offering, terms_of(query)
    needs = reading.needs(offering.pk)
    longest = terms.most_units * terms.duration_minutes + terms.buffer_after
    wide = within.widened(terms.buffer_before * MINUTE, longest * MINUTE)
    quota = terms.capacity > 1
    rows = Tally.objects.filter(offering=offering, starts_at__gte=within.start, starts_at__lt=within.end)
    return Plan(
        offering,
        terms,
        needs.choices,
        _diaries(needs, wide, now or timezone.now(), ignoring=query.moving, bookings=not quota),
        dict(rows.values_list("starts_at", "taken")) if quota and places else {},
    )


def terms_of(query: Query) -> Terms:
    """The terms by which a question is answered: those agreed, else the current ones."""
    return query.terms or current(query.offering)


def current(offering: Offering) -> Terms:
    """The terms of new bookings. Invalid where the offering has none yet."""
    if offering.current is None:
        raise Invalid.one("offering", _("This offering has no terms yet."))
    return offering.current


def diary(resource: int, within: Span) -> Diary:
    """When a resource is there in a span of time, whatever takes it (two statements)."""
    return diaries([resource], within)[resource]


def diaries(resources: Sequence[int], within: Span) -> dict[int, Diary]:
    """When each of the resources is there in a span of time, whatever takes it (two statements); retired ones too."""
    return _diaries(reading.rules(resources), within, timezone.now(), bookings=False) if resources else {}


def _diaries(
    needs: Needs, within: Span, now: datetime, *, ignoring: int | None = None, bookings: bool = True
) -> dict[int, Diary]:
    opened: dict[int, list[Span]] = {}
    for resource, rules in needs.rules.items():
        where = zone_named(needs.zones[resource])
        opened[resource] = [span for rule in rules for span in calendar.spans(rule, where, within)]
    away: dict[int, list[Span]] = {pk: [] for pk in opened}
    taken: dict[int, list[Span]] = {pk: [] for pk in opened}
    kinds = {"open": opened, "away": away, "taken": taken}
    for kind, resource, span in reading.events(list(opened), within, now, ignoring=ignoring, bookings=bookings):
        kinds[kind][resource].append(span)
    return {
        pk: Diary(
            pk,
            tuple(opened[pk]),
            tuple(calendar.without(calendar.merged(opened[pk]), away[pk])),
            tuple(sorted(taken[pk])),
        )
        for pk in opened
    }


def busy(
    ids: Sequence[int], within: Span, *, ignoring: int | None = None, now: datetime | None = None
) -> Iterable[Allocation]:
    """What is taken of the resources in a span; an expired hold takes nothing (one query)."""
    gone = Q(booking__state=Booking.State.HELD, booking__held_until__lte=now or timezone.now())
    rows = Allocation.objects.filter(
        resource__in=ids, live=True, span__overlap=DateTimeTZRange(within.start, within.end)
    ).exclude(gone)
    return rows if ignoring is None else rows.exclude(booking=ignoring)


def zone_of(resource: Resource) -> calendar.ZoneInfo:
    """The time zone of a resource's place."""
    return zone_named(resource.place.time_zone)


def zone_named(name: str, field: str = "zone") -> calendar.ZoneInfo:
    """A time zone by its name; Invalid for an unknown one."""
    try:
        return calendar.zone(name)
    except KeyError as error:
        said = _("“%(zone)s” is no time zone; write one such as Asia/Shanghai.") % {"zone": name[:64]}
        raise Invalid.one(field, said) from error


def offered(query: Query, since: datetime, until: datetime, *, wanted: Iterable[int] = ()) -> list[Slot]:
    """The free slots that start from `since` to `until`, soonest first: inside lead time and horizon, with a resource
    for each requirement, and feasible by the offering's provider."""
    return feasible(query, workable(query, since, until, wanted=wanted))


def feasible(query: Query, found: list[Slot]) -> list[Slot]:
    """Those of the slots that the offering's provider can serve."""
    provider = providers.of(query.offering)
    return list(provider.filter(query, found)) if provider is not None and found else found


def workable(query: Query, since: datetime, until: datetime, *, wanted: Iterable[int] = ()) -> list[Slot]:
    """The same before the offering's provider is asked: when there would be a resource for each requirement."""
    now = timezone.now()
    terms = terms_of(query)
    check_size(terms, query.units, query.quantity)
    first, last = bounds(query.offering, terms, now)
    within = Span(max(since, first), min(until, last))
    if until <= since:
        raise Invalid.one("until", _("Must be after “since”."))
    if until - since > MOST_DAYS * calendar.DAY:
        raise Invalid.one("until", _("Ask for at most %(days)s days.") % {"days": MOST_DAYS})
    if within.start >= within.end:
        return []
    plan = load(query, within, now=now)
    chosen = frozenset(wanted)
    found = (plan.at(start, query.units, chosen) for start in plan.grid(within))
    return [one for one in found if one is not None and one.left >= query.quantity][:MOST_SLOTS]


def bounds(offering: Offering, terms: Terms, now: datetime) -> tuple[datetime, datetime]:
    """From when to when a booking may start, asked now."""
    first = now + terms.lead_minutes * MINUTE
    last = now + terms.horizon_days * calendar.DAY
    return first, min(last, offering.ends_at) if offering.ends_at else last


def check_size(terms: Terms, units: int, quantity: int) -> None:
    """Invalid where so much cannot be booked at once."""
    if not 1 <= units <= terms.most_units:
        raise Invalid.one("units", _("Must be from 1 to %(most)s.") % {"most": terms.most_units})
    if not 1 <= quantity <= terms.capacity:
        raise Invalid.one("quantity", _("Must be from 1 to %(most)s.") % {"most": terms.capacity})
