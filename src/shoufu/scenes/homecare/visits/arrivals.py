"""When somebody comes, as the plan of the day says it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from shoufu.scenes.homecare.visits.models import Stop, Visit

LATE = timedelta(minutes=5)
NEAR = timedelta(minutes=60)


@dataclass(frozen=True)
class Arrival:
    """The begin that the plan expects, who comes, and where that stands: "planned", "coming" (they go nowhere else
    before), "late" (expected after the promise, or over time already), "here", "done", or "none"."""

    expected: datetime | None
    state: str
    stops: tuple[Stop, ...] = ()


def arrival(visit: Visit, now: datetime) -> Arrival:
    """Asked now; the caller may see the visit. One query more on the day itself."""
    stops = tuple(visit.stops.all())
    if visit.state == Visit.State.UNDERWAY:
        return Arrival(visit.began_at, "here", stops)
    if visit.state not in (Visit.State.HELD, Visit.State.BOOKED) or not stops:
        return Arrival(None, "done" if visit.state == Visit.State.DONE else "none", stops)
    first = stops[0]
    expected = max(first.span.lower, now)
    if expected > visit.latest_at or now > first.span.lower + LATE:
        return Arrival(expected, "late", stops)
    if now > first.span.lower - NEAR and not _before(first).exists():
        return Arrival(expected, "coming", stops)
    return Arrival(expected, "planned", stops)


def _before(stop: Stop) -> QuerySet[Stop]:
    """Where the same person still goes before."""
    open_ones = (Visit.State.HELD, Visit.State.BOOKED, Visit.State.UNDERWAY)
    rows = Stop.objects.filter(practitioner=stop.practitioner_id, live=True, visit__state__in=open_ones)
    return rows.filter(span__startswith__lt=stop.span.lower, visit__day=stop.visit.day).exclude(visit=stop.visit_id)
