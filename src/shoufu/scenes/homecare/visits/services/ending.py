"""Visits of patients whose care ends."""

from django.db.models import F
from django.utils import timezone

from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.hooks import Ending
from shoufu.kernel.booking import services as booking
from shoufu.scenes.homecare.planning import days
from shoufu.scenes.homecare.visits import ordering
from shoufu.scenes.homecare.visits.history import write_down
from shoufu.scenes.homecare.visits.models import Visit

State = Visit.State


def end_of_patient(actor: Actor, ending: Ending) -> list[Visit]:
    """Cancel what is still to come for a person whose care ended, in the caller's transaction; which."""
    ended = Visit.objects.filter(patient__person=ending.person, patient__ended_at__isnull=False)
    live = list(ended.filter(state__in=(State.HELD, State.BOOKED)).order_by("booking", "pk"))
    ids = [row.booking_id for row in live if row.booking_id is not None]
    booking.lock_to_end(ids)
    booking.cancel_many(SYSTEM, ids, reason=ending.reason)
    rows = Visit.objects.select_for_update(of=("self",)).select_related("patient", "institution__place", "place")
    found = list(rows.filter(pk__in=[row.pk for row in live]).order_by("pk"))
    for row in found:
        if row.state in (State.HELD, State.BOOKED):  # it was to begin already: the kernel leaves such a booking alone
            _cancel(actor, row, ending.cause)
    _excuse(ending)
    return found


def _excuse(ending: Ending) -> None:
    """Whoever died is charged nothing for visits of that day and after that were cancelled or missed."""
    charged = Visit.objects.filter(
        patient__person=ending.person, patient__person__died_on__lte=F("day"), booking__charge__gt=0,
        state__in=(State.CANCELLED, State.MISSED),
    )  # fmt: skip
    for number in list(charged.values_list("pk", flat=True)):
        Visit.objects.filter(pk=number, money_due_at__isnull=True).update(money_due_at=timezone.now())
        ordering.follow_soon(number)


def _cancel(actor: Actor, row: Visit, cause: str) -> None:
    row.state, row.ended_at, row.end_cause = State.CANCELLED, timezone.now(), cause[:16]
    row.money_due_at = row.ended_at
    row.changed += 1
    row.save(update_fields=["state", "ended_at", "end_cause", "money_due_at", "changed"])
    days.release(actor, row, row.day, "cancel")
    write_down(actor, row, "cancel", cause=cause)
    ordering.follow_soon(row.pk)


def to_be_paid_back(ending: Ending) -> list[Visit]:
    """Visits that were cancelled by this ending and whose money is still here."""
    rows = Visit.objects.select_related("order").filter(patient__person=ending.person, state=State.CANCELLED)
    return list(rows.filter(money_due_at__isnull=False, patient__ended_at__isnull=False).order_by("pk"))


def follow_home(actor: Actor, person: int) -> list[Visit]:
    """Visits to come of a patient who lives elsewhere now, and whose care goes on there, are at the new home; which.
    The plans of their days reckon with the new way from then on, and say what no longer fits."""
    rows = Visit.objects.select_for_update(of=("self",)).select_related("patient", "place")
    rows = rows.filter(patient__person=person, patient__ended_at__isnull=True, state__in=(State.HELD, State.BOOKED))
    found = list(rows.exclude(place=F("patient__place")).order_by("pk"))
    for row in found:
        before = row.place_id
        row.place_id = row.patient.place_id
        row.changed += 1
        row.save(update_fields=["place", "changed"])
        write_down(actor, row, "place", before=before, after=row.place_id)
    return found
