import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import FieldError, Invalid
from shoufu.kernel.places import datum
from shoufu.kernel.places.datum import Position

Ring = list[Position]
MAXIMUM_POINTS = 2000
DEPTHS = {"Point": 0, "LineString": 1, "Polygon": 2, "MultiPolygon": 3}
NEAR_METRES = 150.0


def check(geometry: Mapping[str, Any], field: str = "geometry") -> dict[str, Any]:
    """A GeoJSON Point, LineString, Polygon or MultiPolygon (RFC 7946) as it may be stored, or Invalid naming the fault.

    Positions are longitude then latitude in degrees; heights are dropped. Rings are closed, have an area, do not cross
    themselves, and come back with the outer ring counter-clockwise.
    """
    kind = geometry.get("type")
    if kind not in DEPTHS:
        raise Invalid.one(f"{field}/type", _("Use one of: %(kinds)s.") % {"kinds": ", ".join(DEPTHS)})
    coordinates = _positions(geometry.get("coordinates"), DEPTHS[kind], f"{field}/coordinates")
    if sum(1 for _each in _flat(coordinates)) > MAXIMUM_POINTS:
        raise Invalid.one(field, _("At most %(n)d points; simplify the outline.") % {"n": MAXIMUM_POINTS})
    if kind == "LineString" and len(coordinates) < 2:
        raise Invalid.one(field, _("A line needs at least two points."))
    if kind == "Polygon":
        coordinates = _polygon(coordinates, f"{field}/coordinates")
    if kind == "MultiPolygon":
        coordinates = [_polygon(part, f"{field}/coordinates/{n}") for n, part in enumerate(coordinates)]
    return {"type": kind, "coordinates": _lists(coordinates)}


def _positions(value: Any, depth: int, field: str) -> Any:
    if not isinstance(value, list | tuple):
        raise Invalid.one(field, _("Expected a list here."))
    if depth:
        return [_positions(item, depth - 1, f"{field}/{n}") for n, item in enumerate(value)]
    return position(value, field)


def position(value: Sequence[Any], field: str) -> Position:
    """A longitude and a latitude in range, or Invalid."""
    numbers = [item for item in value[:2] if isinstance(item, int | float) and not isinstance(item, bool)]
    if len(numbers) != 2 or len(value) > 3 or not all(math.isfinite(number) for number in numbers):
        raise Invalid.one(field, _("A position is two numbers: longitude, then latitude, in degrees."))
    longitude, latitude = float(numbers[0]), float(numbers[1])
    if abs(latitude) > 90 >= abs(longitude):
        raise Invalid.one(field, _("Latitude %(y)s is out of range; longitude comes first.") % {"y": latitude})
    if abs(longitude) > 180 or abs(latitude) > 90:
        raise Invalid.one(field, _("Longitude lies within ±180 and latitude within ±90 degrees."))
    return longitude, latitude


def _polygon(rings: list[Ring], field: str) -> list[Ring]:
    if not rings:
        raise Invalid.one(field, _("A polygon needs an outer ring."))
    return [_ring(ring, f"{field}/{n}", outer=n == 0) for n, ring in enumerate(rings)]


def _ring(ring: Ring, field: str, *, outer: bool) -> Ring:
    if len(ring) < 4 or ring[0] != ring[-1]:
        raise Invalid.one(field, _("A ring has at least four positions and ends where it begins."))
    area = signed_area(ring)
    if abs(area) < 1e-14:
        raise Invalid.one(field, _("The ring encloses no area."))
    crossing = _crossing(ring)
    if crossing:
        edges = {"a": crossing[0], "b": crossing[1]}
        raise Invalid.one(field, _("The outline crosses itself at edges %(a)d and %(b)d.") % edges)
    return ring if (area > 0) == outer else ring[::-1]


def signed_area(ring: Ring) -> float:
    """Area of a closed ring in square degrees, positive when counter-clockwise (shoelace formula)."""
    x0, y0 = ring[0]
    pairs = zip(ring, ring[1:], strict=False)
    return sum((a[0] - x0) * (b[1] - y0) - (b[0] - x0) * (a[1] - y0) for a, b in pairs) / 2


def _side(a: Position, b: Position, c: Position) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _cross(a: Position, b: Position, c: Position, d: Position) -> bool:
    return _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0


def _crossing(ring: Ring) -> tuple[int, int] | None:
    edges = list(zip(ring, ring[1:], strict=False))
    for i, (a, b) in enumerate(edges):
        low, high = min(a[0], b[0]), max(a[0], b[0])
        for j in range(i + 2, len(edges)):
            c, d = edges[j]
            if max(c[0], d[0]) >= low and min(c[0], d[0]) <= high and _cross(a, b, c, d):
                return i, j
    return None


def _flat(coordinates: Any) -> Iterator[Position]:
    if isinstance(coordinates, tuple):
        yield coordinates
        return
    for item in coordinates:
        yield from _flat(item)


def _lists(coordinates: Any) -> Any:
    if isinstance(coordinates, tuple):
        return [round(number, 8) for number in coordinates]
    return [_lists(item) for item in coordinates]


def points(geometry: Mapping[str, Any]) -> list[Position]:
    """Every position of a stored geometry."""

    def walk(value: Any, depth: int) -> Iterator[Position]:
        if not depth:
            yield value[0], value[1]
            return
        for item in value:
            yield from walk(item, depth - 1)

    return list(walk(geometry["coordinates"], DEPTHS[geometry["type"]]))


def convert(geometry: Mapping[str, Any], how: Callable[[float, float], Position]) -> dict[str, Any]:
    """The geometry with every position passed through `how`."""

    def walk(value: Any, depth: int) -> Any:
        if not depth:
            x, y = how(value[0], value[1])
            return [round(x, 8), round(y, 8)]
        return [walk(item, depth - 1) for item in value]

    return {"type": geometry["type"], "coordinates": walk(geometry["coordinates"], DEPTHS[geometry["type"]])}


def centre(geometry: Mapping[str, Any]) -> Position:
    """A position that stands for the geometry: the centroid of its largest ring, or the middle of a line's box."""
    if geometry["type"] in ("Polygon", "MultiPolygon"):
        parts = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
        return _centroid(max(([tuple(p) for p in part[0]] for part in parts), key=lambda ring: abs(signed_area(ring))))
    found = points(geometry)
    xs, ys = [x for x, _y in found], [y for _x, y in found]
    return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2


def _centroid(ring: Ring) -> Position:
    x0, y0 = ring[0]
    total = x = y = 0.0
    for (ax, ay), (bx, by) in zip(ring, ring[1:], strict=False):
        weight = (ax - x0) * (by - y0) - (bx - x0) * (ay - y0)
        total += weight
        x += weight * (ax + bx - 2 * x0)
        y += weight * (ay + by - 2 * y0)
    return round(x0 + x / (3 * total), 8), round(y0 + y / (3 * total), 8)


def contains(geometry: Mapping[str, Any], point: Position) -> bool:
    """Whether the point lies inside the outer rings of a Polygon or MultiPolygon (holes are ignored)."""
    if geometry["type"] not in ("Polygon", "MultiPolygon"):
        return False
    parts = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    return any(_inside(part[0], point) for part in parts)


def _inside(ring: Sequence[Sequence[float]], point: Position) -> bool:
    x, y = point
    inside = False
    for (ax, ay), (bx, by) in zip(ring, ring[1:], strict=False):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            inside = not inside
    return inside


def away(geometry: Mapping[str, Any], point: Position) -> float:
    """Metres from the point to the nearest corner of the geometry; 0 inside."""
    if contains(geometry, point):
        return 0.0
    return min(datum.distance(point, corner) for corner in points(geometry))


def suspected_datum(
    found: Sequence[Position], parent: Mapping[str, Any] | None, neighbours: Sequence[Position] = ()
) -> str | None:
    """The datum that positions declared as WGS-84 more likely have ("GCJ-02", "BD-09"), or None.

    They are suspect when as given they lie outside the surrounding place's outline (without one: far from all
    neighbours) while converted from that datum they fall inside it (among the neighbours). The shift is 300–700 m for
    GCJ-02 and about 1.3 km for BD-09, so an outline of a compound or block decides; that of a whole district may not.
    """
    if not found:
        return None
    if parent is not None and parent["type"] in ("Polygon", "MultiPolygon"):
        return _first(found, lambda point: away(parent, point), near=1.0)
    if not neighbours:
        return None
    return _first(found, lambda point: min(datum.distance(point, other) for other in neighbours), near=NEAR_METRES)


def _first(found: Sequence[Position], miss: Callable[[Position], float], *, near: float) -> str | None:
    def misses(how: Callable[[float, float], Position]) -> list[float]:
        return [miss(how(*point)) for point in found]

    as_given = misses(datum.TO_WGS84["WGS-84"])
    if sum(distance > NEAR_METRES for distance in as_given) * 2 <= len(found):
        return None
    for name in ("GCJ-02", "BD-09"):
        if all(distance <= near for distance in misses(datum.TO_WGS84[name])):
            return name
    return None


def refuse_wrong_datum(name: str, field: str) -> FieldError:
    """The error for positions whose datum seems to be another than declared."""
    return FieldError(
        field,
        _("These positions fit only as %(datum)s, not as WGS-84: send datum=%(datum)s and they are converted.")
        % {"datum": name},
    )
