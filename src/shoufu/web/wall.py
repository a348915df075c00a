"""What the wall of the operation centre shows: the same figures as the desk, to be read from five metres."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.pages import Scope
from shoufu.kernel.cases import selectors as cases
from shoufu.kernel.cases.models import Case, Severity
from shoufu.kernel.devices import selectors as devices
from shoufu.kernel.devices.models import Device
from shoufu.kernel.media import selectors as media
from shoufu.kernel.places import selectors as places
from shoufu.kernel.places.models import Place

WIDTH, HEIGHT, MARGIN = 1000.0, 690.0, 90.0
LEAST = 1_500.0
"""Metres that the picture shows at least, so that a single compound keeps its roads round it."""
LEAST_INSIDE = 160.0
MOST_ROADS = 200
WEEK = timedelta(days=7)
LISTED = 4
WALL_CAMERAS = 36
DOORS = (Device.Kind.DOOR_CONTROLLER, Device.Kind.BARRIER)
SEVERITIES = tuple(Severity.values)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Spot:
    """A compound, or a building in one, on the wall's map: its circle grows with the cases of the last hour, its
    colour is that of the most severe open one."""

    place: Place
    x: float
    y: float
    radius: float
    severity: str
    recent: int


@dataclass(frozen=True)
class Column:
    """An hour of today: cases raised, and a week before; heights are shares of the tallest."""

    hour: int
    now: float
    then: float
    past: bool


@dataclass(frozen=True)
class Plane:
    """From degrees to the picture: round its middle (degrees), picture units a degree east and north."""

    longitude: float
    latitude: float
    east: float
    north: float

    @classmethod
    def of(cls, points: Sequence[tuple[float, float]], least: float = LEAST) -> "Plane":
        """So that these points (longitude, latitude; at least one), or `least` metres, fill it up to its margin."""
        xs, ys = [x for x, _ in points], [y for _, y in points]
        longitude, latitude = (max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2
        east, north = 111_320 * math.cos(math.radians(latitude)), 110_900
        wide, tall = max((max(xs) - min(xs)) * east, least), max((max(ys) - min(ys)) * north, least)
        scale = min((WIDTH - 2 * MARGIN) / wide, (HEIGHT - 2 * MARGIN) / tall)
        return cls(longitude, latitude, east * scale, north * scale)

    def at(self, longitude: float, latitude: float) -> tuple[float, float]:
        """Where a position stands in the picture."""
        x = WIDTH / 2 + (longitude - self.longitude) * self.east
        return round(x, 1), round(HEIGHT / 2 - (latitude - self.latitude) * self.north, 1)


WIDE = (Place.Kind.DISTRICT, Place.Kind.BLOCK)
INSIDE = (Place.Kind.BUILDING, Place.Kind.GATE, Place.Kind.AREA)


def sites(actor: Actor, scope: Scope) -> list[Place]:
    """What the map marks, as far as it has a position: a district's compounds, or the buildings, gates and areas
    of a compound; one query, two where a compound has none of these."""
    inside = scope.place is not None and scope.place.kind not in WIDE
    found = _placed(actor, scope, INSIDE if inside else (Place.Kind.COMPOUND,))
    return found or (_placed(actor, scope, (Place.Kind.COMPOUND,)) if inside else [])


def _placed(actor: Actor, scope: Scope, kinds: Sequence[str]) -> list[Place]:
    rows = places.subtree(actor, scope.place, kinds=list(kinds))[:60]
    return [row for row in rows if row.longitude is not None and row.latitude is not None]


def _plane(rows: Sequence[Place]) -> Plane:
    least = LEAST if any(row.kind == Place.Kind.COMPOUND for row in rows) else LEAST_INSIDE
    return Plane.of([(row.longitude or 0, row.latitude or 0) for row in rows], least)


@dataclass(frozen=True)
class Road:
    """A road as an SVG path; `area` where it is known by its outline."""

    path: str
    area: bool


def roads(actor: Actor, rows: Sequence[Place]) -> list[Road]:
    """The roads round these sites; one query, none without sites."""
    if not rows:
        return []
    plane = _plane(rows)
    found = places.visible(actor).filter(kind=Place.Kind.ROAD, geometry__isnull=False)[:MOST_ROADS]
    return [road for row in found for road in _drawn(plane, row.geometry or {})]


def _drawn(plane: Plane, geometry: dict[str, Any]) -> list[Road]:
    lines: dict[str, Any] = {
        "LineString": lambda parts: [parts],
        "MultiLineString": lambda parts: parts,
        "Polygon": lambda parts: parts[:1],
    }
    kind = geometry.get("type", "")
    if kind not in lines:
        return []
    area = kind == "Polygon"
    return [Road(_path(plane, line) + ("Z" if area else ""), area) for line in lines[kind](geometry["coordinates"])]


def _path(plane: Plane, line: Sequence[Sequence[float]]) -> str:
    points = (plane.at(point[0], point[1]) for point in line)
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def spots(actor: Actor, scope: Scope, rows: Sequence[Place]) -> list[Spot]:
    """The sites on a plane that fills the picture; two queries."""
    if not rows:
        return []
    plane = _plane(rows)
    least = 20 if rows[0].kind == Place.Kind.COMPOUND else 13
    now = timezone.now()
    recent = cases.listing(actor, cases.CaseFilter(place=scope.path, since=now - HOUR)).values_list(
        "place__path", flat=True
    )
    opened = cases.queue(actor, cases.CaseFilter(place=scope.path)).values_list("place__path", "severity_rank")
    paths, ranks = list(recent[:2000]), list(opened[:5000])
    found = []
    for row in rows:
        x, y = plane.at(row.longitude or 0, row.latitude or 0)
        count = sum(path.startswith(row.path) for path in paths)
        worst = min((rank for path, rank in ranks if path.startswith(row.path)), default=None)
        if row.kind == Place.Kind.AREA and worst is None and not count:
            # A quiet yard lies over or between the buildings: its name would only cover theirs.
            continue
        found.append(
            Spot(
                row,
                x,
                y,
                round(least + min(44.0, 11 * math.sqrt(count)), 1),
                "good" if worst is None else SEVERITIES[worst],
                count,
            )
        )
    return found


def _hourly(actor: Actor, path: str, day: datetime) -> list[int]:
    counts = [0] * 24
    for moment, _severity, count in cases.per_bucket(actor, path, day, day + timedelta(days=1), "hour"):
        counts[timezone.localtime(moment).hour] += count
    return counts


def columns(actor: Actor, path: str, now: datetime) -> list[Column]:
    """Cases by hour of today beside the same day a week before; two queries."""
    day = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    today, before = _hourly(actor, path, day), _hourly(actor, path, day - timedelta(days=7))
    most = max(1, *today, *before)
    hour = timezone.localtime(now).hour
    return [Column(n, today[n] / most, before[n] / most, n <= hour) for n in range(24)]


@dataclass(frozen=True)
class View:
    """A camera on the wall with its newest picture, or since when it has been away. `live`: a picture a second."""

    device: Device
    picture: Any
    live: bool


def cameras(actor: Actor, path: str, most: int = 6) -> list[View]:
    """Cameras: those that work first, then those with a recent picture; two queries."""
    rows = devices.visible(actor).filter(kind=Device.Kind.CAMERA, place__path__startswith=path)
    found = list(rows.order_by("-last_seen", "pk")[: most * 2])
    may = actor.may_anywhere("media.view")
    newest = media.latest_by_device(actor, [row.pk for row in found]) if may else {}
    views = [
        View(
            row,
            newest.get(row.pk),
            row.status == Device.Status.ONLINE and actor.may("media.view", row.place.path),
        )
        for row in found
    ]
    return sorted(views, key=lambda view: (not view.live, view.picture is None))[:most]


def worst_doors(actor: Actor, path: str, now: datetime) -> list[cases.Tally]:
    """Doors and barriers with most cases in the last seven days; one query."""
    return cases.by_device(actor, path, DOORS, now - WEEK, now)[:LISTED]


def false_alarms(actor: Actor, path: str, now: datetime) -> list[cases.Tally]:
    """The rules of which most judged cases of the last seven days were false alarms; one query."""
    return [one for one in cases.by_rule(actor, path, now - WEEK, now) if one.judged][:LISTED]


@dataclass(frozen=True)
class Counts:
    critical: int
    high: int
    other: int


def waiting(actor: Actor, path: str) -> Counts:
    """The open cases by how urgent they are; one query."""
    rows = list(cases.queue(actor, cases.CaseFilter(place=path)).order_by().values_list("severity", flat=True))
    critical, high = rows.count(Severity.CRITICAL), rows.count(Severity.HIGH)
    return Counts(critical, high, len(rows) - critical - high)


def urgent(actor: Actor, path: str) -> list[Case]:
    """The four most urgent cases."""
    return list(places.with_names(cases.queue(actor, cases.CaseFilter(place=path)))[:4])
