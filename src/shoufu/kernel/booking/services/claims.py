"""Taking and giving back resources and places; whoever calls has a transaction open.

Read first, then the advisory locks of the resources in ascending order, then read again and write: racing requests
queue at the lock instead of at the exclusion constraint, which alone deadlocks and stalls (docs/decisions/0010). Every
writer takes locks before rows of bookings, and those in ascending order too; then the provider locks its own rows, and
the tallies of slots come last. The lock of a person comes before all others.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from shoufu.kernel.audit.services import Act, record_many
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.booking import providers, slots
from shoufu.kernel.booking.calendar import Span
from shoufu.kernel.booking.models import Allocation, Booking, BookingEvent, Offering, Tally, WaitingEntry

SPACE = 0x626B


class Taken(Exception):
    """Somebody else was faster; nothing was written."""


class InTheWay(Exception):
    """Holds that ran out take what is wanted; nothing was written. `let_go` ends them, then it can be tried again."""

    def __init__(self, bookings: Sequence[int]) -> None:
        super().__init__(f"{len(bookings)} expired holds are in the way")
        self.bookings = bookings


def lock(resources: Iterable[int], names: Iterable[str] = ()) -> None:
    """Take the locks of resources and of a provider's names until the transaction ends, in one order for all."""
    keys = {(SPACE << 32) | one for one in resources} | {_number(name) for name in names}
    with connection.cursor() as cursor:
        for key in sorted(keys):
            cursor.execute("select pg_advisory_xact_lock(%s)", [key])


def lock_person(person: int | None) -> None:
    """Take the lock of whom a booking is for, before every other: nothing is booked while their end is written down."""
    if person is not None:
        lock((), [f"person.{person}"])


def lock_to_end(bookings: Iterable[int]) -> None:
    """Take the locks of what bookings (their ids) free when they end; before their rows are locked."""
    lock((), providers.locks_to_end(bookings))


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(b"booking:" + name.encode()).digest()[:8], "big", signed=True)


def occupy(booking: Booking, resources: Sequence[int], blocked: Span) -> None:
    """Take resources that are locked; Taken where one is not free after all."""
    give_up(resources, blocked)
    if any(True for _row in slots.busy(resources, blocked, ignoring=booking.pk)):
        raise Taken
    span = DateTimeTZRange(blocked.start, blocked.end)
    try:
        Allocation.objects.bulk_create([Allocation(booking=booking, resource_id=one, span=span) for one in resources])
    except IntegrityError as error:
        raise Taken from error


def give_up(resources: Sequence[int], blocked: Span) -> None:
    """Let expired holds of locked resources go, so that nobody waits for the task that clears them."""
    expired = Booking.objects.filter(
        state=Booking.State.HELD,
        held_until__lte=timezone.now(),
        allocations__resource__in=resources,
        allocations__live=True,
        allocations__span__overlap=DateTimeTZRange(blocked.start, blocked.end),
    )
    lapse(list(expired.values_list("pk", flat=True).distinct()))


def lapse(ids: Sequence[int], *, skip: bool = False) -> int:
    """End those of the holds that are past their time: what they took is free. Returns how many.

    A hold that somebody is confirming is waited for, or left to later (`skip`).
    """
    if not ids:
        return 0
    lock_to_end(ids)
    now = timezone.now()
    rows = Booking.objects.select_for_update(of=("self",), skip_locked=skip).select_related("offering", "terms")
    due = list(rows.filter(pk__in=ids, state=Booking.State.HELD, held_until__lte=now).order_by("pk"))
    if not due:
        return 0
    for row in due:
        row.state, row.ended_at = Booking.State.EXPIRED, now
        row.version += 1
    Booking.objects.bulk_update(due, ["state", "ended_at", "version"])
    BookingEvent.objects.bulk_create([BookingEvent(booking=row, at=now, kind=row.state) for row in due])
    WaitingEntry.objects.filter(booking__in=due, state=WaitingEntry.State.OFFERED).update(
        state=WaitingEntry.State.LAPSED
    )
    record_many(SYSTEM, [Act("booking.expire", row, row.place_id) for row in due])
    for row in due:
        providers.tell(row, "expired")
    release(due)
    return len(due)


def release(rows: Sequence[Booking]) -> None:
    """Free what bookings take."""
    Allocation.objects.filter(booking__in=[row.pk for row in rows], live=True).update(live=False)
    places = [(row.offering_id, row.starts_at, row.quantity) for row in rows if row.terms.capacity > 1]
    for offering, start, quantity in sorted(places):
        give_back(offering, start, quantity)


def give_back(offering: int, start: datetime, quantity: int) -> None:
    """Free places of a slot."""
    with connection.cursor() as cursor:
        cursor.execute(
            "update booking_tally set taken = taken - %s where offering_id = %s and starts_at = %s",
            [quantity, offering, start],
        )


def room(offering: Offering, start: datetime, capacity: int, taken: int | None) -> int:
    """How many places of a slot are left, of which so many are taken (None: nobody counted them yet); those of holds
    that ran out and were not ended yet count as taken."""
    if taken is None:
        Tally.objects.bulk_create([Tally(offering=offering, starts_at=start, capacity=capacity)], ignore_conflicts=True)
    return capacity - (taken or 0)


def refuse_expired(offering: Offering, start: datetime) -> None:
    """InTheWay where expired holds take places of a slot: ending them here would take locks out of order."""
    rows = Booking.objects.filter(offering=offering, starts_at=start, state=Booking.State.HELD)
    due = list(rows.filter(held_until__lte=timezone.now()).values_list("pk", flat=True))
    if due:
        raise InTheWay(due)


def let_go(holds: InTheWay) -> None:
    """End the holds that stood in the way, between two tries."""
    with transaction.atomic():
        lapse(holds.bookings)


def take_places(offering: Offering, start: datetime, quantity: int, capacity: int) -> None:
    """The conditional update, the last statement before the commit; Taken where the places do not suffice."""
    with connection.cursor() as cursor:
        cursor.execute(
            "update booking_tally set taken = taken + %(q)s, capacity = greatest(%(c)s, taken + %(q)s) "
            "where offering_id = %(o)s and starts_at = %(s)s and taken + %(q)s <= %(c)s",
            {"q": quantity, "c": capacity, "o": offering.pk, "s": start},
        )
        if cursor.rowcount != 1:
            raise Taken
