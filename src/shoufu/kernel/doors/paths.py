"""Which doors lie on the way to a place."""

from collections.abc import Iterable

from django.db.models import QuerySet

from shoufu.kernel.doors.models import AccessPoint
from shoufu.kernel.places.models import Place


def steps(path: str) -> list[str]:
    """The paths of a place and of all places around it, the place first."""
    parts = path.strip("/").split("/")
    return ["/" + "/".join(parts[:end]) + "/" for end in range(len(parts), 0, -1)]


def on_the_way(place: Place) -> QuerySet[AccessPoint]:
    """Access points in service that one passes to get to a place: those at it or around it, and the gates and doors
    that stand directly in one of these (a gate of the compound, the door of the unit). Barriers are for cars."""
    around = Place.objects.filter(path__in=steps(place.path)).values("pk")
    at = AccessPoint.objects.filter(retired_at__isnull=True).exclude(kind=AccessPoint.Kind.BARRIER)
    return (at.filter(place__in=around) | at.filter(place__parent__in=around)).order_by("place__path", "code")


def on_the_ways(places: Iterable[Place]) -> dict[int, list[int]]:
    """Place id → ids of the access points on the way there; two queries however many."""
    listed = list(places)
    around = {path for place in listed for path in steps(place.path)}
    ids = dict(Place.objects.filter(path__in=around).values_list("path", "pk"))
    rows = AccessPoint.objects.filter(retired_at__isnull=True).exclude(kind=AccessPoint.Kind.BARRIER)
    found: dict[int, list[int]] = {}
    for pk, place, parent in rows.order_by("place__path", "code").values_list("pk", "place_id", "place__parent_id"):
        found.setdefault(place, []).append(pk)
        if parent is not None:
            found.setdefault(parent, []).append(pk)
    # A door is listed at its own place and at the place around it: the way to a place is what stands in each of them.
    return {
        place.pk: list(dict.fromkeys(pk for path in steps(place.path) for pk in found.get(ids.get(path, 0), [])))
        for place in listed
    }
