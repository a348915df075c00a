from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from operator import or_
from typing import Any
from zoneinfo import ZoneInfo

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import limit, subtree
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Forbidden, Invalid, NotFound
from shoufu.kernel.booking import calendar, policy, providers, slots
from shoufu.kernel.booking.calendar import Span
from shoufu.kernel.booking.models import Allocation, Booking, BookingEvent, Offering, Override, Resource, WaitingEntry
from shoufu.kernel.booking.providers import Query, Slot
from shoufu.kernel.parties.models import Person
from shoufu.kernel.places.models import Place
from shoufu.kernel.places.selectors import with_names
from shoufu.kernel.privacy import selectors as privacy

VIEW, BOOK, HANDLE, MANAGE = "booking.view", "booking.book", "booking.handle", "booking.manage"
ACT = "booking.act"
"""What a person allows another to do for them (see privacy.py)."""


def _above(path: str) -> list[str]:
    steps = path.strip("/").split("/")
    return ["/" + "/".join(steps[: n + 1]) + "/" for n in range(len(steps))]


def _reached(actor: Actor) -> Q:
    """Offerings open to the actor: of a place below or above one where they may book (a pool of the whole district is
    open to everybody in it)."""
    found = subtree(actor.paths(BOOK))
    for path in actor.paths(BOOK):
        found |= Q(place__path__in=_above(path))
    return found


def offerings(actor: Actor) -> QuerySet[Offering]:
    """Offerings that the actor sees or may book."""
    rows = Offering.objects.select_related("place", "current").defer("place__geometry")
    return rows if actor.is_system else rows.filter(subtree(actor.paths(VIEW)) | _reached(actor))


def offering(actor: Actor, offering_id: int) -> Offering:
    """One offering; NotFound where the actor may neither see nor book it."""
    found = offerings(actor).filter(pk=offering_id).first()
    if found is None:
        raise NotFound(_("There is no offering %(id)s that you may see.") % {"id": offering_id})
    return found


def bookable(actor: Actor, offering_id: int) -> Offering:
    """One offering that the actor may book; NotFound or Forbidden."""
    found = offering(actor, offering_id)
    _require_bookable(actor, found)
    return found


def still_bookable(actor: Actor, found: int | Offering) -> Offering:
    """The offering, read now where only its id is given; NotFound or Forbidden."""
    if isinstance(found, int):
        return bookable(actor, found)
    _require_bookable(actor, found)
    return found


def _require_bookable(actor: Actor, row: Offering) -> None:
    if not may_book(actor, row.place):
        said = _("You need the right “%(right)s” at %(place)s.")
        raise Forbidden(said % {"right": BOOK, "place": row.place.label})


def may_book(actor: Actor, place: Place) -> bool:
    """Whether the actor belongs to the place: may book there, above it, or at a place inside it."""
    return actor.may(BOOK, place.path) or any(path.startswith(place.path) for path in actor.paths(BOOK))


def resources(actor: Actor, *, retired: bool = False) -> QuerySet[Resource]:
    """Resources of the actor's places."""
    rows = limit(Resource.objects.select_related("place", "organisation"), actor, VIEW)
    return rows if retired else rows.filter(retired_at__isnull=True)


def resource(actor: Actor, resource_id: int) -> Resource:
    """One resource, retired or not; NotFound where the actor may not see it."""
    found = resources(actor, retired=True).prefetch_related("rules").filter(pk=resource_id).first()
    if found is None:
        raise NotFound(_("There is no resource %(id)s that you may see.") % {"id": resource_id})
    return found


def bookings(actor: Actor) -> QuerySet[Booking]:
    """Bookings of the actor's places, their own, and those of people who let them act for them."""
    return limited(with_names(Booking.objects.select_related("offering", "terms", "user", "person")), actor)


def limited(rows: QuerySet[Booking], actor: Actor) -> QuerySet[Booking]:
    """Those of the bookings that the actor may see."""
    if actor.is_system:
        return rows
    return rows.filter(_open() & (subtree(actor.paths(VIEW)) | _theirs(actor)) | _kept(actor))


def _open(field: str = "offering__provider") -> Q:
    """Of offerings whose provider does not keep its bookings to itself."""
    return ~Q(**{f"{field}__in": list(providers.keeping())})


def _kept(actor: Actor) -> Q:
    """What providers that keep their bookings to themselves let the actor see."""
    seen = (Q(offering__provider=code) & one.visible(actor) for code, one in providers.keeping().items())
    return reduce(or_, seen, Q(pk__in=[]))


def _theirs(actor: Actor) -> Q:
    if actor.user_id is None or not actor.may_anywhere(BOOK):
        return Q(pk__in=[])
    people = [person.pk for person in privacy.acts_for(actor, ACT)]
    return Q(user=actor.user_id) | Q(person__in=people)


def booking(actor: Actor, booking_id: int) -> Booking:
    """One booking; NotFound where the actor may not see it (somebody else's looks like none)."""
    return _one(bookings(actor), booking_id)


def to_change(actor: Actor, booking_id: int) -> Booking:
    """The same with what a change asks of it, not what a page shows."""
    rows = Booking.objects.select_related("offering", "terms", "place").defer("place__geometry")
    return _one(limited(rows, actor), booking_id)


def _one(rows: QuerySet[Booking], booking_id: int) -> Booking:
    found = rows.filter(pk=booking_id).first()
    if found is None:
        raise NotFound(_("There is no booking %(id)s that you may see.") % {"id": booking_id})
    return found


def is_own(actor: Actor, row: Booking) -> bool:
    """Whether the booking is the actor's own affair."""
    keeper = providers.keeping().get(row.offering.provider)
    if keeper is not None:
        return not actor.is_system and Booking.objects.filter(keeper.own(actor), pk=row.pk).exists()
    if actor.user_id is None or not actor.may_anywhere(BOOK):
        return False
    return row.user_id == actor.user_id or bool(row.person_id and privacy.may_act_for(actor, row.person_id, ACT))


def charge_now(actor: Actor, booking_id: int) -> policy.Charge:
    """What cancelling a booking costs now, for who asks: free where the office does it."""
    row = booking(actor, booking_id)
    return policy.of_cancelling(row, timezone.now(), by_office=not is_own(actor, row))


def history(actor: Actor, row: Booking) -> Sequence[BookingEvent]:
    """What happened to a booking that the actor may see, oldest first."""
    rows = BookingEvent.objects.filter(booking=row, booking__in=bookings(actor))
    return list(rows.select_related("user").order_by("at", "id"))


def taken_by(actor: Actor, row: Booking) -> Sequence[Resource]:
    """The resources that a visible booking takes or took last."""
    found = Allocation.objects.filter(booking=row, booking__in=bookings(actor)).select_related("resource")
    last = [one for one in found if one.live] or [one for one in found if one.span.lower <= row.starts_at]
    return list({one.resource_id: one.resource for one in last}.values())


def waiting(actor: Actor) -> QuerySet[WaitingEntry]:
    """Who waits for a slot: in the actor's places, and the actor themselves."""
    rows = WaitingEntry.objects.select_related("offering__place", "user")
    if actor.is_system:
        return rows
    own = Q(user=actor.user_id) if actor.user_id is not None and actor.may_anywhere(BOOK) else Q(pk__in=[])
    return rows.filter(_open() & subtree(actor.paths(VIEW), "offering__place__path") | own)


def person_for(actor: Actor, place: Place, person_id: int | None) -> int | None:
    """Whom a booking is for: the actor, one who let them act for them, or anybody of the place for its office."""
    if person_id is None:
        if actor.user_id is None or actor.may(HANDLE, place.path):
            return None
        return Person.objects.filter(user=actor.user_id).values_list("pk", flat=True).first()
    if actor.is_system or privacy.may_act_for(actor, person_id, ACT):
        return person_id
    known = Person.objects.filter(pk=person_id, erased_at__isnull=True, died_on__isnull=True)
    if actor.may(HANDLE, place.path) and limit(known, actor, "parties.view").exists():
        return person_id
    raise NotFound(_("There is no person %(id)s for whom you may do this.") % {"id": person_id})


def lives(person_id: int) -> bool:
    """Whether a person is known and not known to have died, as it is written down now."""
    return Person.objects.filter(pk=person_id, erased_at__isnull=True, died_on__isnull=True).exists()


@dataclass(frozen=True)
class Ask:
    """A question for free slots: from when to when, how much, for whom, with which resources among those chosen."""

    offering: Offering
    since: datetime
    until: datetime
    units: int = 1
    quantity: int = 1
    person: int | None = None
    resources: Sequence[int] = ()
    details: dict[str, Any] = field(default_factory=dict)


def free_slots(actor: Actor, ask: Ask) -> list[Slot]:
    """The free slots of an offering that the actor may book, soonest first; two statements, however many slots."""
    found = ask.offering
    _require_bookable(actor, found)
    if found.ends_at is not None and found.ends_at <= ask.since:
        return []
    details = providers.checked(actor, found, ask.details) if ask.details or found.provider else {}
    person = person_for(actor, found.place, ask.person) if ask.person or found.provider else None
    query = Query(found, ask.units, ask.quantity, person, details)
    return slots.offered(query, ask.since, ask.until, wanted=ask.resources)


def named(ids: Iterable[int]) -> dict[int, Resource]:
    """Resources by id, for showing what a slot takes."""
    return {row.pk: row for row in Resource.objects.filter(pk__in=set(ids))}


@dataclass(frozen=True)
class Day:
    """A day of a resource's week, in its place's zone: when it is open, what takes it, and the exceptions."""

    date: date
    open: Sequence[Span]
    taken: Sequence[Allocation]
    overrides: Sequence[Override]


def week(actor: Actor, row: Resource, monday: date) -> list[Day]:
    """Seven days of a resource from a day on: five queries."""
    if row not in resources(actor, retired=True):
        raise NotFound(_("There is no resource %(id)s that you may see.") % {"id": row.pk})
    where = slots.zone_of(row)
    edges = [calendar.instant(monday + timedelta(days=n), time(), where) for n in range(8)]
    whole = Span(edges[0], edges[-1])
    diary = slots.diary(row.pk, whole)
    taken = (
        Allocation.objects.filter(resource=row, live=True, span__overlap=DateTimeTZRange(whole.start, whole.end))
        .select_related("booking__offering")
        .order_by("span")
    )
    overrides = row.overrides.filter(starts_at__lt=whole.end, ends_at__gt=whole.start)
    listed, exceptions = list(taken), list(overrides)
    return [
        Day(
            monday + timedelta(days=n),
            _cut(diary.there, Span(edges[n], edges[n + 1])),
            [one for one in listed if one.span.lower < edges[n + 1] and one.span.upper > edges[n]],
            [one for one in exceptions if one.starts_at < edges[n + 1] and one.ends_at > edges[n]],
        )
        for n in range(7)
    ]


def _cut(spans: Iterable[Span], within: Span) -> list[Span]:
    return [Span(max(one.start, within.start), min(one.end, within.end)) for one in spans if one.overlaps(within)]


def moment(text: str, where: ZoneInfo, field_name: str = "start") -> datetime:
    """An instant from ISO 8601: with an offset as it is, without one by the wall clock of the zone.

    Invalid for a time that the clocks skip or that happens twice there: it says which to write instead.
    """
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise Invalid.one(field_name, _("Not a time. Write it like 2026-11-23T18:42:07+08:00.")) from error
    if found.tzinfo is not None:
        try:
            return found.astimezone(UTC)
        except OverflowError as error:
            raise Invalid.one(field_name, _("Not a time that can be booked.")) from error
    try:
        return calendar.exact(found, where)
    except calendar.SkippedTime as skipped:
        said = _("The clocks of %(zone)s skip this time; the first one after it is %(later)s.")
        words = {"zone": where.key, "later": skipped.later.isoformat()}
        raise Invalid.one(field_name, said % words) from skipped
    except calendar.RepeatedTime as twice:
        said = _("In %(zone)s this time happens twice that day: write %(first)s or %(second)s.")
        words = {"zone": where.key, "first": twice.first.isoformat(), "second": twice.second.isoformat()}
        raise Invalid.one(field_name, said % words) from twice
