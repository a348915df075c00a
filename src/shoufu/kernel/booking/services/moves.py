"""What becomes of a booking: confirmed, moved, completed, cancelled, not come to."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict
from shoufu.kernel.booking import policy, selectors, slots, telling
from shoufu.kernel.booking.models import Booking, BookingEvent, WaitingEntry
from shoufu.kernel.booking.providers import Query
from shoufu.kernel.booking.services import claims, requests
from shoufu.kernel.booking.services.common import (
    check_end,
    check_time,
    check_version,
    locked,
    permitted,
    refuse_unless,
    require_office,
    row_locked,
    write_down,
)
from shoufu.kernel.booking.services.holding import NotAdmitted, blocked, find, lock_and_admit, lock_person, still_there
from shoufu.kernel.booking.services.requests import Once
from shoufu.kernel.booking.services.waiting import promote_soon

State = Booking.State
Cause = BookingEvent.Cause
TURNS = 5


@dataclass(frozen=True)
class Move:
    """A new time for a booking: as in `HoldDraft`; `version` is the one that the decision was made on. `own` says
    whether it is the booker's wish, where a scene that lent the right knows better than who made the booking."""

    start: datetime
    end: datetime | None = None
    resources: Sequence[int] = ()
    version: int | None = None
    own: bool | None = None


def _once(actor: Actor, once: Once | None, act: Callable[[], Booking]) -> Booking:
    with transaction.atomic():
        earlier = requests.begin(actor, once)
        if earlier is not None:
            return earlier
        done = act()
        requests.end(actor, once, done)
        return done


def confirm(actor: Actor, booking_id: int, version: int | None = None, once: Once | None = None) -> Booking:
    """Make a hold a booking, while it lasts. Confirmed already is no error: nothing changes."""

    def act() -> Booking:
        row = locked(actor, booking_id)
        if row.state == State.CONFIRMED:
            return row
        check_version(row, version)
        refuse_unless(row, State.HELD)
        row.held_until = None
        return _step(actor, row, State.CONFIRMED)

    return _once(actor, once, act)


def cancel(
    actor: Actor,
    booking_id: int,
    version: int | None = None,
    once: Once | None = None,
    *,
    reason: str = "",
    own: bool | None = None,
) -> Booking:
    """Give a hold or booking up; what it costs by its terms stands in the row (`policy.of_cancelling`). `own` says
    whether it is the booker's wish, where a scene that lent the right knows better than who made the booking."""

    def act() -> Booking:
        permitted(actor, booking_id)
        claims.lock_to_end([booking_id])
        row = row_locked(booking_id)
        check_version(row, version)
        refuse_unless(row, State.HELD, State.CONFIRMED)
        if row.starts_at <= timezone.now() and row.state == State.CONFIRMED:
            raise Conflict(_("It has begun already; say whether they came."), reason="begun", state=row.state)
        booker = selectors.is_own(actor, row) if own is None else own
        return _cancelled(actor, row, Cause.BOOKER if booker else Cause.OFFICE, reason)

    return _once(actor, once, act)


def _cancelled(actor: Actor, row: Booking, cause: str, reason: str) -> Booking:
    charge = policy.of_cancelling(row, timezone.now(), by_office=cause != Cause.BOOKER)
    row.charge, row.charge_reason = charge.amount, charge.reason
    done = _step(actor, row, State.CANCELLED, cause=cause, reason=reason)
    claims.release([done])
    if cause == Cause.OFFICE:
        telling.cancelled(done)
    promote_soon(done.offering_id)
    return done


@transaction.atomic
def cancel_many(actor: Actor, ids: Iterable[int], *, reason: str = "") -> int:
    """As the office: cancel those of the bookings that have not begun. Returns how many."""
    rows = selectors.bookings(actor).filter(pk__in=list(ids), state__in=Booking.LIVE, starts_at__gt=timezone.now())
    found = list(rows.order_by("pk"))
    for row in found:
        require_office(actor, row.place)
    claims.lock_to_end(row.pk for row in found)
    return sum(_cancel_if_live(actor, row.pk, Cause.OFFICE, reason) for row in found)


def end_of_person(actor: Actor, person: int, reason: str) -> list[Booking]:
    """Cancel what a person who left or died had before them, free of charge, in the caller's transaction; which."""
    # Whoever promotes an entry has its row before the lock of the person.
    WaitingEntry.objects.filter(person=person, state=WaitingEntry.State.WAITING).update(
        state=WaitingEntry.State.WITHDRAWN
    )
    claims.lock_person(person)
    rows = Booking.objects.filter(person=person, state__in=Booking.LIVE, starts_at__gt=timezone.now())
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    claims.lock_to_end(ids)
    gone = [pk for pk in ids if _cancel_if_live(actor, pk, Cause.LEFT, reason)]
    return list(Booking.objects.filter(pk__in=gone).select_related("offering"))


def _cancel_if_live(actor: Actor, booking_id: int, cause: str, reason: str) -> bool:
    rows = Booking.objects.select_related("offering__place", "terms", "place").select_for_update(of=("self",))
    row = rows.filter(pk=booking_id, state__in=Booking.LIVE).first()
    if row is None:
        return False
    _cancelled(actor, row, cause, reason)
    return True


def complete(
    actor: Actor, booking_id: int, version: int | None = None, once: Once | None = None, *, unsaid: bool = False
) -> Booking:
    """As the office: they came and it was done; also where it was said that nobody came, which then costs nothing.

    `unsaid`: nobody said so, it is closed by the clock, and may still be found not to have been kept.
    """
    return _after_start(actor, booking_id, version, once, State.COMPLETED, cause=Cause.CLOCK if unsaid else "")


def no_show(actor: Actor, booking_id: int, version: int | None = None, once: Once | None = None) -> Booking:
    """As the office: nobody came; what it costs by the terms stands in the row. Also of one that the clock closed as
    kept, because the word came late (a phone was offline); what somebody said was kept stays so."""
    return _after_start(actor, booking_id, version, once, State.NO_SHOW)


def _after_start(
    actor: Actor, booking_id: int, version: int | None, once: Once | None, state: str, *, cause: str = ""
) -> Booking:
    def act() -> Booking:
        row = locked(actor, booking_id, office_only=True)
        check_version(row, version)
        refuse_unless(row, State.CONFIRMED, *_put_right(row, state, cause))
        if row.starts_at > timezone.now():
            raise Conflict(_("It has not begun yet."), reason="not-begun", state=row.state)
        row.charge, row.charge_reason = 0, ""
        if state == State.NO_SHOW:
            charge = policy.of_not_coming(row)
            row.charge, row.charge_reason = charge.amount, charge.reason
        return _step(actor, row, state, cause=cause)

    return _once(actor, once, act)


def _put_right(row: Booking, state: str, cause: str) -> tuple[str, ...]:
    """The state that may be put right by what is said now: what only the clock said, and that nobody came."""
    if state == State.COMPLETED:
        return () if cause == Cause.CLOCK else (State.NO_SHOW,)
    return (State.COMPLETED,) if closed_by_clock(row) else ()


def closed_by_clock(row: Booking) -> bool:
    """Whether a booking counts as kept only because nobody said anything."""
    last = BookingEvent.objects.filter(booking=row).last()
    return row.state == State.COMPLETED and last is not None and last.cause == Cause.CLOCK


def _step(actor: Actor, row: Booking, state: str, *, cause: str = "", reason: str = "") -> Booking:
    row.state = state
    row.ended_at = None if state == State.CONFIRMED else timezone.now()
    row.version += 1
    row.save()
    write_down(actor, row, state, cause=cause, before=row.starts_at, reason=reason)
    waited = WaitingEntry.State.TAKEN if state == State.CONFIRMED else WaitingEntry.State.LAPSED
    if state in (State.CONFIRMED, State.CANCELLED):
        WaitingEntry.objects.filter(booking=row, state=WaitingEntry.State.OFFERED).update(state=waited)
    return row


def reschedule(actor: Actor, booking_id: int, move: Move, once: Once | None = None) -> Booking:
    """Give a booking another time by the terms that were agreed; all or nothing, and the history keeps the old one.

    Errors as for `hold`; Conflict where it has begun, or later than `move_hours` before the start (the office may).
    """
    for _turn in range(TURNS):
        try:
            return _once(actor, once, lambda: _moved(actor, booking_id, move))
        except claims.Taken:
            continue
        except claims.InTheWay as holds:
            claims.let_go(holds)
        except NotAdmitted as no:
            raise no.conflict() from no
    raise Conflict(_("Somebody else was faster; choose another time."), reason="taken", nearest=[])


def _moved(actor: Actor, booking_id: int, move: Move) -> Booking:
    seen = selectors.to_change(actor, booking_id)
    own = selectors.is_own(actor, seen)
    if not own:
        require_office(actor, seen.place)
    if move.own is not None:
        own = move.own
    offering = selectors.offerings(actor).filter(pk=seen.offering_id).first() or seen.offering
    units = check_end(seen.terms, move.start, move.end, seen.units)
    slots.check_size(seen.terms, units, seen.quantity)
    query = Query(offering, units, seen.quantity, seen.person_id, seen.details, seen.pk, seen.terms)
    check_time(offering, seen.terms, move.start, timezone.now())
    lock_person(query)
    slot = find(query, move.start, move.resources)
    lock_and_admit(query, slot)
    row = row_locked(booking_id)
    check_version(row, move.version)
    refuse_unless(row, State.HELD, State.CONFIRMED)
    still_there(query, slot)
    _check_move(row, own, units)
    before, row.starts_at, row.ends_at, row.units = row.starts_at, slot.start, slot.end, units
    if row.terms.capacity == 1:
        claims.release([row])
        claims.occupy(row, slot.resources, blocked(row.terms, slot))
    row.version += 1
    row.save()
    row.asked = query
    write_down(actor, row, BookingEvent.Kind.MOVED, before=before, after=row.starts_at)
    if row.terms.capacity > 1:
        _move_place(row, before)
    promote_soon(row.offering_id)
    return row


def _move_place(row: Booking, before: datetime) -> None:
    """From the tally of one slot to that of another, in the order of time, as everybody does."""
    steps = [
        (before, lambda: claims.give_back(row.offering_id, before, row.quantity)),
        (row.starts_at, lambda: claims.take_places(row.offering, row.starts_at, row.quantity, row.terms.capacity)),
    ]
    for _start, step in sorted(steps, key=lambda one: one[0]):
        step()


def _check_move(row: Booking, own: bool, units: int) -> None:
    if row.starts_at <= timezone.now():
        raise Conflict(_("It has begun already; it cannot be moved."), reason="begun", state=row.state)
    if own and row.state == State.CONFIRMED and units != row.units:
        said = _("A confirmed booking keeps its length; ask the office, or book the rest separately.")
        raise Conflict(said, reason="length", state=row.state)
    hours = policy.read(row.terms.policy).move_hours
    if own and row.state == State.CONFIRMED and row.starts_at - timezone.now() < timedelta(hours=hours):
        said = _("It can be moved until %(hours)s hours before the start; ask the office.") % {"hours": hours}
        raise Conflict(said, reason="too-late", state=row.state)
