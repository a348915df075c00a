"""Movement without people: passages by door, line, zone and hour, kept only where a group hides everybody in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Max, Min, Sum

from shoufu.kernel.access.policy import limit
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.history.models import Flow
from shoufu.kernel.observations.selectors import VIEW

LEAST = 5
"""So many different cards, plates or tracks must have passed within the hour; fewer are not kept at all."""


@dataclass(frozen=True)
class Stream:
    """What passed a spot in one hour of the day, summed over days."""

    device: int
    what: str
    spot: str
    hour: int
    count: int


def streams(actor: Actor, path: str, first: date, last: date) -> list[Stream]:
    """Passages by spot and hour of the day over the days [first, last] at a place that the actor may see (one query).

    Every addend has at least five different ones in its hour, so no sum and no difference of sums tells of fewer.
    """
    rows = limit(Flow.objects.filter(day__gte=first, day__lte=last), actor, VIEW).filter(place__path__startswith=path)
    summed = rows.values_list("device_id", "what", "spot", "hour").annotate(total=Sum("count"))
    return [Stream(*row) for row in summed.order_by("device_id", "what", "spot", "hour")]


def days(actor: Actor, path: str) -> Sequence[date]:
    """The first and the last day that there is movement of; empty where there is none."""
    rows = limit(Flow.objects.all(), actor, VIEW).filter(place__path__startswith=path)
    found = rows.aggregate(first=Min("day"), last=Max("day"))
    return (found["first"], found["last"]) if found["first"] else ()
