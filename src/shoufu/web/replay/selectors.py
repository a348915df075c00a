"""What the replay's pages draw besides the chunks: places, devices, doors, pictures, the bars of a day, the hours."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import limit
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.pages import Scope
from shoufu.kernel.cases import selectors as cases
from shoufu.kernel.cases.models import Case
from shoufu.kernel.devices import selectors as devices
from shoufu.kernel.devices.models import Device
from shoufu.kernel.doors import selectors as doors
from shoufu.kernel.history import chunks, flows
from shoufu.kernel.history.facts import facts
from shoufu.kernel.media.models import MediaObject, Segment
from shoufu.kernel.observations import selectors as observations
from shoufu.kernel.places import selectors as places
from shoufu.kernel.places.models import Place
from shoufu.web.templatetags.shell import label, where

WIDE = (Place.Kind.DISTRICT, Place.Kind.BLOCK)
BUCKETS = 144
RECENT = timedelta(minutes=10)
LONGEST_SEGMENT = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def compounds(actor: Actor, scope: Scope) -> list[Place]:
    """What can be replayed below a place that is too wide for it, in tree order."""
    return list(places.subtree(actor, scope.place, kinds=[Place.Kind.COMPOUND]).select_related("parent")[:500])


def stage(actor: Actor, scope: Scope) -> dict[str, Any]:
    """What stands still while time moves: the places (GeoJSON, WGS-84), the devices and the doors."""
    ids = chunks.device_ids(actor, scope.path)
    rows = list(devices.visible(actor, retired=True).filter(pk__in=ids))
    return {
        "scope": scope.id,
        "places": places.geojson(actor, scope.place),
        "devices": [_device(row) for row in rows],
        "doors": _doors(actor, scope, rows),
    }


def _device(row: Device) -> dict[str, Any]:
    config = row.config if isinstance(row.config, dict) else {}
    return {
        "id": row.pk,
        "code": row.code,
        "kind": row.kind,
        "name": row.name,
        "name_en": row.name_en,
        "longitude": row.longitude if row.longitude is not None else row.place.longitude,
        "latitude": row.latitude if row.latitude is not None else row.place.latitude,
        "heading": row.heading,
        "view": config.get("view_degrees", 56),
        "reach": config.get("view_metres", 16),
        "status": "",
        "state": {},
    }


def _doors(actor: Actor, scope: Scope, rows: Iterable[Device]) -> list[dict[str, Any]]:
    """Each door: whose device and which property says whether it stands open. Controllers without an access point are
    doors of their own."""
    points = list(doors.points(actor, scope.path, retired=True)) if actor.may_anywhere("doors.view") else []
    named = {point.controller_id for point in points}
    found = [
        {
            "device": point.controller_id,
            "property": "state" if point.output == 1 else f"state.{point.output - 1}",
            "output": point.output - 1,
            "name": label(point),
            "where": where(point.place),
        }
        for point in points
    ]
    bare = [row for row in rows if row.kind in ("door_controller", "barrier") and row.pk not in named]
    found += [
        {"device": row.pk, "property": "state", "output": 0, "name": label(row), "where": label(row.place)}
        for row in bare
    ]
    return found


DENSITY = """
    select least(floor(extract(epoch from t - %s) / %s)::int, %s) as bucket, count(*)
    from obs where t >= %s and t < %s and kind = any(%s) and place = any(%s) group by 1
"""


def bars(actor: Actor, scope: Scope, since: datetime, until: datetime) -> dict[str, Any]:
    """How much happened in each of 144 parts of a span, and the cases that were opened in it."""
    marks = cases.marks(actor, scope.path, since, until, 300) if actor.may_anywhere("cases.view") else []
    return {
        "since": since.timestamp(),
        "until": until.timestamp(),
        "counts": _density(actor, scope, since, until),
        "marks": [{"id": case.pk, "t": case.opened_at.timestamp(), "severity": case.severity} for case in marks],
    }


def _density(actor: Actor, scope: Scope, since: datetime, until: datetime) -> list[int]:
    visible = places.visible(actor, permission=observations.VIEW, closed=True).filter(path__startswith=scope.path)
    ids, kinds = list(visible.values_list("pk", flat=True)), list(facts().events)
    step = (until - since).total_seconds() / BUCKETS
    counts = [0] * BUCKETS
    with connection.cursor() as cursor:
        cursor.execute(DENSITY, [since, step, BUCKETS - 1, since, until, kinds, ids])
        for bucket, count in cursor.fetchall():
            counts[bucket] = count
    return counts


def next_case(actor: Actor, path: str, at: datetime, *, back: bool) -> Case | None:
    """The case opened next after a moment, or last before it."""
    rows = cases.visible(actor).filter(place__path__startswith=path)
    if back:
        return rows.filter(opened_at__lt=at).order_by("-opened_at", "-id").first()
    return rows.filter(opened_at__gt=at).order_by("opened_at", "id").first()


def pictures(actor: Actor, scope: Scope, at: datetime, known: datetime) -> list[dict[str, Any]]:
    """Each camera at a moment: its newest picture of the ten minutes before, a clip that runs just then, and whether
    its recording holds the moment. Nothing that was learned after `known`. Three queries."""
    if not actor.may_anywhere("media.view"):
        return []
    cameras = list(
        devices.visible(actor, retired=True).filter(kind=Device.Kind.CAMERA, place__path__startswith=scope.path)
    )
    ids = [camera.pk for camera in cameras]
    stills, clips = _media(actor, ids, at, known)
    covered = _segments(actor, ids, at)
    return [
        {
            "device": camera.pk,
            "name": label(camera),
            "picture": _picture(stills.get(camera.pk)),
            "clip": _picture(clips.get(camera.pk)),
            "recorded": camera.pk in covered,
            "player": reverse("media:player", args=[camera.pk]),
            "playlist": reverse("media:playlist", args=[camera.pk]),
        }
        for camera in cameras
    ]


def _media(
    actor: Actor, ids: Sequence[int], at: datetime, known: datetime
) -> tuple[dict[int, MediaObject], dict[int, MediaObject]]:
    rows = limit(MediaObject.objects.filter(device__in=ids, known__lte=known), actor, "media.view")
    still = Q(kind=MediaObject.Kind.SNAPSHOT, t__gt=at - RECENT, t__lte=at)
    clip = Q(kind=MediaObject.Kind.CLIP, t__lte=at, until__gte=at)
    stills: dict[int, MediaObject] = {}
    clips: dict[int, MediaObject] = {}
    for item in rows.filter(still | clip).order_by("t"):
        (clips if item.kind == MediaObject.Kind.CLIP else stills)[item.device_id or 0] = item
    return stills, clips


def _segments(actor: Actor, ids: Sequence[int], at: datetime) -> set[int]:
    rows = Segment.objects.filter(device__in=ids, gap="", t__gt=at - LONGEST_SEGMENT, t__lte=at, until__gt=at)
    return set(limit(rows, actor, "media.view").values_list("device_id", flat=True))


def _picture(item: MediaObject | None) -> dict[str, Any] | None:
    if item is None:
        return None
    return {"url": reverse("media:content", args=[item.pk]), "t": item.t.timestamp()}


@dataclass(frozen=True)
class Row:
    """A line of the comparison: how often in each hour of either day."""

    code: str
    name: str
    first: list[int]
    second: list[int]


def compare(actor: Actor, scope: Scope, first: date, second: date) -> list[Row]:
    """Two days of a place hour by hour: passages at doors, cars, movement, cases. From the kept hourly counts."""
    groups = _groups()
    zone = ZoneInfo(scope.place.time_zone)
    counted = [_hours(actor, scope, day, zone, groups) for day in (first, second)]
    words = {"doors": _("Passages at doors"), "cars": _("Cars passed"), "movement": _("Movement"), "cases": _("Cases")}
    return [Row(code, word, counted[0][code], counted[1][code]) for code, word in words.items()]


def _groups() -> dict[str, str]:
    found = {"door.access": "doors", "line.crossing": "movement", "zone.dwell": "movement"}
    return found | {code: "cars" for code, fields in facts().events.values() if "plate" in fields}


def _hours(actor: Actor, scope: Scope, day: date, zone: ZoneInfo, groups: dict[str, str]) -> dict[str, list[int]]:
    since = datetime.combine(day, time(), zone)
    until = datetime.combine(day + timedelta(days=1), time(), zone)
    found = {code: [0] * 24 for code in ("doors", "cars", "movement", "cases")}
    for hour, kind, count in observations.hourly(actor, scope.path, since, until):
        if kind in groups:
            found[groups[kind]][hour.astimezone(zone).hour] += count
    if actor.may_anywhere("cases.view"):
        for hour, _severity, count in cases.per_bucket(actor, scope.path, since, until):
            found["cases"][hour.astimezone(zone).hour] += count
    return found


def movement(actor: Actor, scope: Scope, first: date, last: date) -> list[dict[str, Any]]:
    """Where how much moved in each hour of the day, with the position and name of each spot."""
    rows = flows.streams(actor, scope.path, first, last)
    seen = {row.device for row in rows}
    spots = {row.pk: row for row in devices.visible(actor, retired=True).filter(pk__in=seen)}
    return [
        {
            "device": row.device,
            "name": label(spots[row.device]),
            "what": row.what,
            "spot": row.spot,
            "hour": row.hour,
            "count": row.count,
            "longitude": _position(spots[row.device])[0],
            "latitude": _position(spots[row.device])[1],
        }
        for row in rows
        if row.device in spots
    ]


def _position(device: Device) -> tuple[float | None, float | None]:
    if device.longitude is not None:
        return device.longitude, device.latitude
    return device.place.longitude, device.place.latitude
