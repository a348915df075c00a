from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.places.models import Place

M = TypeVar("M", bound=Model)
VIEW = "places.view"
UNNAMED = ("geometry", "longitude", "latitude", "datum", "sort", "depth", "closed_at")
"""The columns of a place that its name does without."""


@dataclass(frozen=True)
class Node:
    """A place with its children, as the tree of places shows it."""

    place: Place
    children: list["Node"] = field(default_factory=list)

    def walk(self) -> Iterator["Node"]:
        """This node and everything below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()


def visible(actor: Actor, *, permission: str = VIEW, closed: bool = False) -> QuerySet[Place]:
    """Places in the subtrees where the actor has `permission`; closed ones only when asked for."""
    rows = policy.limit(Place.objects.all(), actor, permission, "path")
    return rows if closed else rows.filter(closed_at__isnull=True)


def get(actor: Actor, place_id: int, *, permission: str = VIEW) -> Place:
    """One place, closed or not; NotFound when the actor may not see it."""
    found = visible(actor, permission=permission, closed=True).filter(pk=place_id).first()
    if found is None:
        raise NotFound(_("There is no place %(id)s that you may see.") % {"id": place_id})
    return found


def by_code(actor: Actor, code: str) -> Place:
    """One place by its code; NotFound when the actor may not see it."""
    found = visible(actor, closed=True).filter(code=code).first()
    if found is None:
        raise NotFound(_("There is no place %(id)s that you may see.") % {"id": code})
    return found


def roots(actor: Actor, *, permission: str = VIEW) -> list[Place]:
    """The tops of what the actor may see, in tree order: for a property manager, their compound (one query)."""
    if actor.is_system:
        return list(Place.objects.filter(parent__isnull=True, closed_at__isnull=True).order_by("sort", "path"))
    paths = actor.paths(permission)
    tops = [path for path in paths if not any(path != other and path.startswith(other) for other in paths)]
    return list(Place.objects.filter(path__in=tops, closed_at__isnull=True).order_by("path"))


def subtree(
    actor: Actor, root: Place | None = None, *, kinds: Iterable[str] = (), closed: bool = False
) -> QuerySet[Place]:
    """Visible places at and below `root` (everything visible without one), by path."""
    rows = visible(actor, closed=closed)
    if root is not None:
        rows = rows.filter(path__startswith=root.path)
    wanted = list(kinds)
    return (rows.filter(kind__in=wanted) if wanted else rows).order_by("path")


def tree(actor: Actor, root: Place | None = None, *, kinds: Iterable[str] = ()) -> list[Node]:
    """The visible places as trees, siblings by `sort` then name (one query).

    A place whose parent is filtered out or not visible hangs on its nearest visible ancestor, or is a root.
    """
    nodes: dict[int, Node] = {}
    tops: list[Node] = []
    for place in subtree(actor, root, kinds=kinds).order_by("depth", "sort", "name", "id"):
        node = Node(place)
        nodes[place.pk] = node
        parent = next((nodes[pk] for pk in reversed(ancestor_ids(place)) if pk in nodes), None)
        (parent.children if parent else tops).append(node)
    return tops


def ancestor_ids(place: Place) -> list[int]:
    """Ids of the places above this one, topmost first."""
    return [int(step) for step in place.path.strip("/").split("/")[:-1]]


def ancestors(actor: Actor, place: Place) -> list[Place]:
    """The places above a visible place, topmost first (one query).

    The names above one's own place are shown even without rights there: everybody knows which district they live in.
    """
    if not actor.may(VIEW, place.path):
        raise NotFound(_("There is no place %(id)s that you may see.") % {"id": place.pk})
    return list(Place.objects.filter(pk__in=ancestor_ids(place)).order_by("depth"))


def with_names(rows: QuerySet[M], field: str = "place") -> QuerySet[M]:
    """The rows with the place in `field` and the two above it, as `where` names it; without shapes and positions,
    which cost most."""
    steps = field, f"{field}__parent", f"{field}__parent__parent"
    return rows.select_related(steps[-1]).defer(*(f"{step}__{name}" for step in steps for name in UNNAMED))


def matching(text: str) -> Q:
    """The condition "name, English name or code contains the text"."""
    words = text.strip()
    return Q(name__icontains=words) | Q(name_en__icontains=words) | Q(code__icontains=words)


def search(actor: Actor, text: str, *, limit: int = 20) -> list[Place]:
    """Visible places whose name, English name or code contains the text; nearest to the top first."""
    if not text.strip():
        return []
    return list(visible(actor).filter(matching(text)).order_by("depth", "path")[:limit])


def geojson(actor: Actor, root: Place | None = None, *, kinds: Iterable[str] = ()) -> dict[str, Any]:
    """A GeoJSON FeatureCollection (WGS-84, RFC 7946) of the visible places that have a geometry or a position."""
    rows = subtree(actor, root, kinds=kinds).exclude(geometry__isnull=True, longitude__isnull=True)
    return {"type": "FeatureCollection", "features": [_feature(place) for place in rows]}


def _feature(place: Place) -> dict[str, Any]:
    point = {"type": "Point", "coordinates": [place.longitude, place.latitude]}
    return {
        "type": "Feature",
        "id": place.pk,
        "geometry": place.geometry or point,
        "properties": {
            "kind": place.kind,
            "code": place.code,
            "name": place.name,
            "name_en": place.name_en,
            "label": place.label,
            "path": place.path,
            "parent": place.parent_id,
        },
    }


def bounds(places: Sequence[Place]) -> tuple[float, float, float, float] | None:
    """West, south, east, north in degrees of the given places' positions; None when none has one."""
    points = [(place.longitude, place.latitude) for place in places if place.longitude is not None]
    if not points:
        return None
    longitudes = [x for x, _ in points if x is not None]
    latitudes = [y for _, y in points if y is not None]
    return min(longitudes), min(latitudes), max(longitudes), max(latitudes)
