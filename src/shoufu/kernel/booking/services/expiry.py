import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.booking import providers
from shoufu.kernel.booking.models import Booking, BookingEvent, Request, Tally, WaitingEntry
from shoufu.kernel.booking.services.claims import lapse
from shoufu.kernel.booking.services.waiting import promote_soon

log = logging.getLogger(__name__)
SILENCE = timedelta(hours=24)


def expire_holds(most: int = 200) -> int:
    """End holds that are past their time and offer what they took to who waits. Returns how many."""
    due = Booking.objects.filter(state=Booking.State.HELD, held_until__lte=timezone.now())
    return sum(_each_offering(due.values_list("offering", flat=True), lambda offering: _expired(offering, most)))


@transaction.atomic
def _expired(offering: int, most: int) -> int:
    due = Booking.objects.filter(offering=offering, state=Booking.State.HELD, held_until__lte=timezone.now())
    count = lapse(list(due.order_by("held_until").values_list("pk", flat=True)[:most]), skip=True)
    promote_soon(offering)
    return count


def _each_offering(offerings: Iterable[int], step: Callable[[int], int]) -> Iterator[int]:
    """One offering whose provider refuses or breaks must not keep the others waiting: the log says why, and it is tried
    again in the next round."""
    for offering in sorted(set(offerings)):
        try:
            yield step(offering)
        except Exception:
            log.exception("bookings of offering %s were not looked after", offering)


def complete_past(now: datetime | None = None, most: int = 500) -> int:
    """A confirmed booking of which nobody said anything for a day after its end was kept. Returns how many."""
    moment = now or timezone.now()
    due = Booking.objects.filter(state=Booking.State.CONFIRMED, ends_at__lte=moment - SILENCE)
    return sum(_each_offering(due.values_list("offering", flat=True), lambda one: _completed(one, moment, most)))


@transaction.atomic
def _completed(offering: int, moment: datetime, most: int) -> int:
    rows = Booking.objects.select_for_update(of=("self",), skip_locked=True).select_related("offering")
    rows = rows.filter(offering=offering, state=Booking.State.CONFIRMED, ends_at__lte=moment - SILENCE)
    due = list(rows.order_by("pk")[:most])
    for row in due:
        row.state, row.ended_at = Booking.State.COMPLETED, moment
        row.version += 1
    Booking.objects.bulk_update(due, ["state", "ended_at", "version"])
    clock = BookingEvent.Cause.CLOCK
    BookingEvent.objects.bulk_create([BookingEvent(booking=row, at=moment, kind=row.state, cause=clock) for row in due])
    record_many(SYSTEM, [Act("booking.completed", row, row.place_id, subject=row.person_id) for row in due])
    for row in due:
        providers.tell(row, row.state)
    return len(due)


@transaction.atomic
def expire(now: datetime | None = None) -> int:
    """Forget what is past its retention: keys, waiting entries, tallies, and who had bookings that ended two years ago.
    Returns how many rows were touched."""
    moment = now or timezone.now()

    def before(days: int) -> datetime:
        return moment - timedelta(days=days)

    old = Booking.objects.filter(ends_at__lt=before(Booking.RETENTION_DAYS)).exclude(state__in=Booking.LIVE)
    named = old.exclude(user__isnull=True, person__isnull=True, details={})
    waited = WaitingEntry.objects.filter(until__lt=before(WaitingEntry.RETENTION_DAYS))
    figures = {
        "requests": Request.objects.filter(made_at__lt=before(Request.RETENTION_DAYS)).delete()[0],
        "waiting": waited.delete()[0],
        "tallies": Tally.objects.filter(starts_at__lt=before(Booking.RETENTION_DAYS)).delete()[0],
        "events": BookingEvent.objects.filter(booking__in=old, user__isnull=False).update(user=None),
        "bookings": named.update(user=None, person=None, details={}),
    }
    if any(figures.values()):
        record(SYSTEM, Act("booking.forget", object_type="booking.booking", data=figures))
    return sum(figures.values())
