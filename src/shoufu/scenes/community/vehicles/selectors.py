from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.parties.models import Residency, Vehicle
from shoufu.kernel.parties.selectors import current
from shoufu.scenes.community.vehicles.models import Lane, ListEntry, Parking, Passage, Stay
from shoufu.scenes.community.vehicles.tariff import Quote, Tariff, quote

VIEW, GUARD = "vehicles.view", "vehicles.guard"
DAY = timedelta(days=1)


def passages(actor: Actor) -> QuerySet[Passage]:
    """Passages at the actor's places, newest first."""
    rows = Passage.objects.select_related("lane", "place").defer("reads")
    return policy.limit(rows, actor, VIEW).order_by("-began_at", "-id")


def passage(actor: Actor, passage_id: int) -> Passage:
    """One passage with its readings; NotFound where the actor may not see it."""
    rows = Passage.objects.select_related("lane__place", "place", "entry", "vehicle__household")
    found = policy.limit(rows, actor, VIEW).filter(pk=passage_id).first()
    if found is None:
        raise NotFound(_("There is no passage %(id)s that you may see.") % {"id": passage_id})
    return found


def waiting(actor: Actor, path: str = "/") -> QuerySet[Passage]:
    """Vehicles that wait for a guard's word, oldest first."""
    rows = Passage.objects.select_related("lane__place", "place").filter(state=Passage.State.WAITING)
    return policy.limit(rows.filter(place__path__startswith=path), actor, VIEW).order_by("began_at")


def entries(actor: Actor, *, ended: bool = False) -> QuerySet[ListEntry]:
    """List entries at the actor's places; those that have ended only when asked for."""
    rows = policy.limit(ListEntry.objects.select_related("place"), actor, VIEW)
    if not ended:
        rows = rows.filter(revoked_at__isnull=True, until__gt=timezone.now())
    return rows.order_by("list", "plate", "-id")


def lanes(actor: Actor) -> QuerySet[Lane]:
    """Lanes at the actor's places."""
    rows = Lane.objects.select_related("place", "compound", "camera", "barrier")
    return policy.limit(rows, actor, VIEW).order_by("place__path", "name")


def stays(actor: Actor, *, inside: bool = True) -> QuerySet[Stay]:
    """Vehicles inside (or, with inside=False, all stays that are kept), longest first."""
    rows = policy.limit(Stay.objects.select_related("place", "household"), actor, VIEW)
    return (rows.filter(until__isnull=True) if inside else rows).order_by("since")


def vehicle(actor: Actor, vehicle_id: int) -> Vehicle:
    """One registered vehicle; NotFound where the actor may not see vehicles."""
    rows = Vehicle.objects.select_related("place", "household__place")
    found = policy.limit(rows, actor, VIEW).filter(pk=vehicle_id).first()
    if found is None:
        raise NotFound(_("There is no vehicle %(id)s that you may see.") % {"id": vehicle_id})
    return found


def cars_of(person: int | None = None, household: int | None = None) -> QuerySet[Vehicle]:
    """The registered cars of a household, or of every household that a person lives in now.

    For the pages of residents, which have checked whose they are.
    """
    homes = [household] if household is not None else []
    if person is not None:
        stays = Residency.objects.filter(person_id=person, ended_at__isnull=True)
        homes += list(stays.values_list("household_id", flat=True))
    return Vehicle.objects.select_related("place").filter(current(), household__in=homes).order_by("plate")


def passages_of(plates: list[str], since: datetime | None = None) -> QuerySet[Passage]:
    """Passages of some plates, newest first. For the pages of residents, about their own cars."""
    moment = since or timezone.now() - timedelta(days=Passage.RETENTION_DAYS)
    return Passage.objects.select_related("lane").filter(plate__in=plates, began_at__gte=moment).order_by("-began_at")


@dataclass(frozen=True)
class Occupancy:
    """How full a parking is. `inside` is the guard's count and what has passed since; `guests` as far as known."""

    parking: Parking
    inside: int
    guests: int

    @property
    def free(self) -> int:
        return max(0, self.parking.capacity - self.inside)

    @property
    def share(self) -> float:
        return min(1.0, self.inside / self.parking.capacity) if self.parking.capacity else 0.0


def inside(parking: Parking, until: datetime | None = None) -> int:
    """The cars inside at a moment (default: now): counted, and ways in less ways out since."""
    rows = Passage.objects.filter(place=parking.place_id, state__in=Passage.THROUGH, began_at__gt=parking.counted_at)
    if until is not None:
        rows = rows.filter(began_at__lte=until)
    came, left = rows.filter(direction="in").count(), rows.filter(direction="out").count()
    return max(0, parking.counted + came - left)


def occupancy(actor: Actor, path: str = "/") -> list[Occupancy]:
    """How full each parking of the actor's places is; one query."""
    rows = policy.limit(Parking.objects.select_related("place"), actor, VIEW).filter(place__path__startswith=path)
    passed = Passage.objects.filter(
        place=OuterRef("place"), state__in=Passage.THROUGH, began_at__gt=OuterRef("counted_at")
    )
    guests = Stay.objects.filter(place=OuterRef("place"), guest=True, until__isnull=True)
    rows = rows.annotate(
        came=_number_of(passed.filter(direction="in")),
        gone=_number_of(passed.filter(direction="out")),
        guests=_number_of(guests),
    )
    return [
        Occupancy(row, max(0, row.counted + row.came - row.gone), row.guests) for row in rows.order_by("place__path")
    ]


def _number_of(rows: QuerySet[Any]) -> Coalesce:
    """How many rows a subquery finds."""
    counted = rows.order_by().values("place").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted), 0, output_field=IntegerField())


def curve(parking: Parking, until: datetime, hours: int = 24) -> list[tuple[datetime, int]]:
    """The cars inside at the end of each hour of a span; one query."""
    first = until - timedelta(hours=hours)
    rows = Passage.objects.filter(
        place=parking.place_id, state__in=Passage.THROUGH, began_at__gt=min(first, parking.counted_at)
    )
    events = sorted((at, 1 if direction == "in" else -1) for at, direction in rows.values_list("began_at", "direction"))
    return list(_points(parking, events, first, hours))


def _points(
    parking: Parking, events: list[tuple[datetime, int]], first: datetime, hours: int
) -> Iterator[tuple[datetime, int]]:
    for hour in range(1, hours + 1):
        at = first + timedelta(hours=hour)
        if at >= parking.counted_at:
            since = sum(step for moment, step in events if parking.counted_at < moment <= at)
        else:  # before the count, backwards from it
            since = -sum(step for moment, step in events if at < moment <= parking.counted_at)
        yield at, max(0, parking.counted + since)


def price(actor: Actor, stay_id: int, until: datetime | None = None) -> Quote:
    """What a guest's stay would cost if it ended now (or at `until`), by the tariff of its compound."""
    stay = policy.limit(Stay.objects.select_related("place"), actor, VIEW).filter(pk=stay_id).first()
    parking = Parking.objects.filter(place=stay.place_id).first() if stay else None
    if stay is None or parking is None:
        raise NotFound(_("There is no stay %(id)s that you may see.") % {"id": stay_id})
    tariff = msgspec.convert(parking.tariff, Tariff)
    return quote(tariff, stay.since, stay.until or until or timezone.now())


def known_plate(actor: Actor, plate: str) -> Q:
    """The condition "this plate" for lists of passages and entries."""
    return Q(plate__icontains=plate.strip().upper())


def cars_inside(actor: object, path: str) -> float:
    """For the overview: cars inside the parkings of a place."""
    return float(sum(item.inside for item in occupancy(actor, path)))  # type: ignore[arg-type, misc]
