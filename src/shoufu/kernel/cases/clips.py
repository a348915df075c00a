"""Clips for cases: what the cameras there recorded before and after, cut once enough was recorded."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import cos, hypot, radians

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import NotFound, Problem
from shoufu.kernel.cases import live
from shoufu.kernel.cases.evidence import Exhibit, attach_many
from shoufu.kernel.cases.models import Case, CaseEvent
from shoufu.kernel.devices.models import Device
from shoufu.kernel.media import recordings
from shoufu.kernel.media.models import MediaObject, Segment

log = structlog.get_logger("cases")

BEFORE, AFTER = 10.0, 20.0
NEAR_METRES = 60.0
MOST_CAMERAS = 3
MOST_CASES = 1_000
REACH = timedelta(hours=1)
PATIENCE = timedelta(seconds=90)
_METRES_A_DEGREE = 111_320.0


@dataclass(frozen=True)
class Wanted:
    """A clip that a case should have of a camera."""

    device: Device
    since: datetime
    until: datetime


def cut_due(now: datetime | None = None, most: int = 20) -> int:
    """Cut the clips of cases raised within the last hour whose after-time was recorded; returns how many clips.

    Each case is seen to once; what could not be cut is said on its timeline.
    """
    now = now or timezone.now()
    rows = Case.objects.filter(known_at__gte=now - REACH, opened_at__gte=now - REACH, opened_at__lte=now)
    seen = CaseEvent.objects.filter(
        kind=CaseEvent.Kind.EVIDENCE, data__has_key="clips", case__known_at__gte=now - REACH
    )
    due = rows.exclude(pk__in=seen.values("case_id")).select_related("place", "device__place").order_by("pk")
    cameras = list(_recording_cameras())
    if not cameras:
        return 0
    ends = recordings.recorded_until([camera.pk for camera in cameras])
    cut = 0
    for case in due[:MOST_CASES]:
        if cut >= most:
            break
        wanted = [_wanted(case, camera) for camera in _at(case, cameras)]
        if wanted and all(_ready(item, ends, now) for item in wanted):
            cut += _serve(case, wanted, now)
    return cut


def _recording_cameras() -> Iterable[Device]:
    recorded = Exists(Segment.objects.filter(device=OuterRef("pk")))
    return Device.objects.filter(recorded, kind=Device.Kind.CAMERA, retired_at__isnull=True).select_related("place")


def _at(case: Case, cameras: Sequence[Device]) -> list[Device]:
    """The case's own camera first, then those at its place, then the nearest around; at most three."""
    ranked = sorted((rank, camera.pk, camera) for camera in cameras if (rank := _rank(case, camera)) is not None)
    return [camera for _, _, camera in ranked[:MOST_CAMERAS]]


def _rank(case: Case, camera: Device) -> float | None:
    """Smaller is nearer; None for a camera that does not look there."""
    if camera.pk == case.device_id:
        return -2.0
    if camera.place_id == case.place_id:
        return -1.0
    here = _position(case.device) or _position(case.place)
    there = _position(camera)
    if here is None or there is None:
        return None
    metres = _metres(here, there)
    return metres if metres <= NEAR_METRES else None


def _position(thing: object) -> tuple[float, float] | None:
    longitude, latitude = getattr(thing, "longitude", None), getattr(thing, "latitude", None)
    return None if longitude is None or latitude is None else (longitude, latitude)


def _metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Distance on the ground of two WGS-84 points near one another."""
    return hypot((a[0] - b[0]) * cos(radians(a[1])), a[1] - b[1]) * _METRES_A_DEGREE


def _wanted(case: Case, camera: Device) -> Wanted:
    watch = camera.config.get("watch", {}) if isinstance(camera.config, dict) else {}
    before, after = float(watch.get("before", BEFORE)), float(watch.get("after", AFTER))
    return Wanted(camera, case.opened_at - timedelta(seconds=before), case.opened_at + timedelta(seconds=after))


def _ready(item: Wanted, ends: dict[int, datetime], now: datetime) -> bool:
    if now < item.until:
        return False
    return ends.get(item.device.pk, item.since) >= item.until or now >= item.until + PATIENCE


def _serve(case: Case, wanted: Sequence[Wanted], now: datetime) -> int:
    """Cut first, outside of any lock, then attach all at once."""
    made: list[tuple[Device, MediaObject]] = []
    missing: list[str] = []
    for item in wanted:
        try:
            clip = recordings.cut(SYSTEM, item.device.pk, item.since, item.until, reason=case.number)
            made.append((item.device, clip))
        except NotFound:
            missing.append(item.device.code)
        except Problem as problem:
            log.error("no clip", case=case.number, camera=item.device.code, reason=str(problem))
            missing.append(item.device.code)
    _attach(case, made, missing, now)
    return len(made)


@transaction.atomic
def _attach(case: Case, made: Sequence[tuple[Device, MediaObject]], missing: Sequence[str], now: datetime) -> None:
    attach_many([(case, Exhibit("clip", clip.t, media=clip.pk)) for _, clip in made])
    told = {"clips": [str(clip.pk) for _, clip in made], "media": str(made[0][1].pk) if made else ""}
    if missing:
        told |= {"missing": list(missing), "problem": "" if made else "missing"}
    CaseEvent.objects.create(case=case, kind=CaseEvent.Kind.EVIDENCE, at=now, known=now, actor=SYSTEM.label, data=told)
    record(SYSTEM, Act("cases.evidence", case, case.place_id, data={key: told[key] for key in told if told[key]}))
    if made:
        live.publish([case], "evidence")
