from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import require
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid
from shoufu.kernel.booking import calendar, providers, selectors, slots
from shoufu.kernel.booking.models import Booking, BookingEvent, Offering, Terms
from shoufu.kernel.booking.providers import Query, Slot
from shoufu.kernel.places.models import Place

State = Booking.State
LOOKED = 24


def locked(actor: Actor, booking_id: int, *, office_only: bool = False) -> Booking:
    """A booking that the actor may change, its row locked; errors as for `permitted`."""
    permitted(actor, booking_id, office_only=office_only)
    return row_locked(booking_id)


def permitted(actor: Actor, booking_id: int, *, office_only: bool = False) -> Booking:
    """A booking that the actor may change: their own, or as the office of its place; nothing is locked.

    NotFound where they may not see it, Forbidden where they may only look.
    """
    seen = selectors.to_change(actor, booking_id)
    if office_only or not selectors.is_own(actor, seen):
        require_office(actor, seen.place)
    return seen


def row_locked(booking_id: int) -> Booking:
    """A booking with its row locked, for whoever asked `permitted` before."""
    rows: QuerySet[Booking] = Booking.objects.select_related("offering__place", "offering__current", "terms", "place")
    rows = rows.defer("place__geometry", "offering__place__geometry")
    return rows.select_for_update(of=("self",)).get(pk=booking_id)


def require_office(actor: Actor, place: Place) -> None:
    """Raise Forbidden unless the actor works in the office that handles bookings of the place."""
    if actor.may_anywhere(selectors.HANDLE):
        require(actor, selectors.HANDLE, place)
    elif not actor.is_system:
        raise Forbidden(_("You need the right “%(right)s” at %(place)s.") % {
            "right": selectors.HANDLE, "place": place.label
        })  # fmt: skip


def check_version(row: Booking, version: int | None) -> None:
    """Conflict where the decision was made on an older version."""
    if version is not None and row.version != version:
        raise Conflict(_("Somebody changed this meanwhile; load the page again."), version=row.version, state=row.state)


def refuse_unless(row: Booking, *allowed: str) -> None:
    """Conflict unless the booking is in one of the states; a hold past its time says so."""
    if row.state == State.HELD and row.held_until is not None and row.held_until <= timezone.now():
        raise hold_expired(row)
    if row.state == State.EXPIRED and State.HELD in allowed:
        raise hold_expired(row)
    if row.state not in allowed:
        said = _("This cannot be done to a booking that is “%(state)s”.") % {"state": row.get_state_display()}
        raise Conflict(said, reason="state", state=row.state, version=row.version)


def hold_expired(row: Booking) -> Conflict:
    at = timezone.localtime(row.held_until, slots.zone_named(row.place.time_zone)) if row.held_until else None
    said = _("The hold ended at %(time)s; choose a time again.") % {"time": f"{at:%H:%M:%S}" if at else "—"}
    return Conflict(said, reason="hold-expired", state=row.state)


def write_down(
    actor: Actor,
    row: Booking,
    kind: str,
    *,
    cause: str = "",
    before: datetime | None = None,
    after: datetime | None = None,
    reason: str = "",
) -> None:
    """A line of the history, an audit entry, and a word to the provider; the row is saved already."""
    BookingEvent.objects.create(
        booking=row, at=timezone.now(), kind=kind, cause=cause, user_id=actor.user_id, before=before, after=after
    )
    data = {"offering": row.offering_id, "start": row.starts_at.isoformat(), "state": row.state}
    act = Act(f"booking.{kind}", row, row.place_id, reason, data, subject=row.person_id)
    record(actor, act)
    providers.tell(row, kind)


def check_time(offering: Offering, terms: Terms, start: datetime, now: datetime) -> None:
    """Whether a booking may start then, asked now: not past, not too soon, not too far, and not after the offering."""
    if offering.ends_at is not None and (offering.ends_at <= now or start >= offering.ends_at):
        raise Conflict(_("This offering has ended; choose another one."), reason="ended")
    if start <= now:
        raise Invalid.one("start", _("This time lies in the past; choose a later one."))
    first, last = slots.bounds(offering, terms, now)
    if start < first:
        said = _("Book at least %(minutes)s minutes before the start.") % {"minutes": terms.lead_minutes}
        raise Invalid.one("start", said)
    if start >= last:
        said = _("It can be booked at most %(days)s days ahead.") % {"days": terms.horizon_days}
        raise Invalid.one("start", said)


def check_end(terms: Terms, start: datetime, end: datetime | None, units: int) -> int:
    """How many units a booking lasts: said, or from its end. Invalid where the end does not fit."""
    if end is None:
        return units
    length = timedelta(minutes=terms.duration_minutes)
    if end <= start:
        raise Invalid.one("end", _("Must be after the start."))
    found, rest = divmod(end - start, length)
    if rest:
        said = _("The length must be a multiple of %(minutes)s minutes (elapsed time, also when clocks change).")
        raise Invalid.one("end", said % {"minutes": terms.duration_minutes})
    return found


def nearest(
    plan: slots.Plan, query: Query, start: datetime, most: int = 3, *, refused: Slot | None = None
) -> list[str]:
    """Free and feasible starts nearest to one that cannot be had, within a day of it. None where the provider can serve
    the slot that it `refused`: then it was for another reason than the time."""
    now = timezone.now()
    grid = plan.grid(calendar.Span(start - calendar.DAY, start + calendar.DAY))
    near = sorted((one for one in grid if one != start and one > now), key=lambda one: abs(one - start))
    found = [one for one in (plan.at(at, query.units) for at in near) if one and one.left >= query.quantity][:LOOKED]
    provider = providers.of(query.offering)
    if provider is not None:
        asked = [*found, refused] if refused is not None else found
        kept = {one.start for one in provider.filter(query, sorted(asked, key=lambda one: one.start))}
        if refused is not None and refused.start in kept:
            return []
        found = [one for one in found if one.start in kept]
    return [one.start.isoformat() for one in found[:most]]
