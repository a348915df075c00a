"""Recordings of cameras: the index of their segments, the holes in them, clips cut out of them, their retention."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Subquery, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import FieldError, Invalid, NotFound
from shoufu.kernel.devices.models import Device
from shoufu.kernel.media import selectors, services
from shoufu.kernel.media import store as files
from shoufu.kernel.media.models import LiveLook, MediaObject, Segment

if TYPE_CHECKING:
    from shoufu.engines.video import Joined

FOLDER = "ring"
WATCHED_NAME = ".watched"
"""The file in a camera's folder that is touched while somebody watches its live picture."""
WATCHED_GRAIN = 5.0
LONGEST = timedelta(minutes=30)
_SEAM = timedelta(seconds=1)


@dataclass(frozen=True)
class Recorded:
    """A segment whose bytes lie in the store under `key`; `first` of a recorder that has just begun."""

    device: str
    t: datetime
    until: datetime
    key: str
    size: int
    sha256: bytes
    keyed: bool = True
    group: float = 0
    clock_offset: float | None = None
    first: bool = False


@dataclass(frozen=True)
class Lost:
    """From `t` on nothing is recorded of a device; `gap` is one of `Segment.Gap`."""

    device: str
    t: datetime
    gap: str
    detail: str = ""


def key_of(code: str, t: datetime) -> str:
    """The key of a segment: by camera, day and hour, so that no folder grows without end; the name is its beginning."""
    moment = t.astimezone(UTC)
    return f"{FOLDER}/{code}/{moment:%Y%m%d/%H}/{round(t.timestamp() * 1000)}.ts"


def began(path: Path) -> float:
    """When the segment in this file began, seconds since 1970, by its name. Raises ValueError for another's file."""
    return int(path.stem) / 1000


@transaction.atomic
def index(events: Sequence[Recorded | Lost]) -> int:
    """Note what was recorded and what was lost, in order; the same twice is kept once. Returns how many rows it made.

    Called by the recorder, so without an actor and without audit entries: a recording is an observation, not an act.
    Devices that are not in service are passed over. A constant number of queries where nothing begins or is lost.
    """
    codes = {event.device for event in events}
    rows = Device.objects.filter(code__in=codes, kind=Device.Kind.CAMERA, retired_at__isnull=True)
    devices = {device.code: device for device in rows.order_by("pk").select_for_update(of=("self",), no_key=True)}
    made: list[Segment] = []
    keep = timezone.now() + timedelta(days=settings.RECORDING_DAYS)
    returned: dict[int, datetime] = {}
    for event in events:
        device = devices.get(event.device)
        if device is None:
            continue
        if isinstance(event, Lost):
            _write(made, returned)
            made, returned = [], {}
            _lose(device, event, keep)
            continue
        returned.setdefault(device.pk, event.t)
        if event.first:
            _note_absence(device, event.t, keep)
        made.append(_segment(device, event, keep))
    return _write(made, returned)


def _segment(device: Device, event: Recorded, keep: datetime) -> Segment:
    return Segment(
        device=device,
        place_id=device.place_id,
        t=event.t,
        until=event.until,
        key=event.key,
        size=event.size,
        sha256=event.sha256,
        keyed=event.keyed,
        group=event.group,
        clock_offset=event.clock_offset,
        keep_until=keep,
    )


def _write(made: Sequence[Segment], returned: dict[int, datetime]) -> int:
    if not made:
        return 0
    open_gaps = Segment.objects.filter(device__in=returned, until__isnull=True)
    for gap in open_gaps:
        gap.until = max(returned[gap.device_id], gap.t + timedelta(milliseconds=1))
        gap.save(update_fields=["until"])
    return len(Segment.objects.bulk_create(made, ignore_conflicts=True))


def _lose(device: Device, event: Lost, keep: datetime) -> None:
    last = Segment.objects.filter(device=device).order_by("-t").first()
    if last is not None and last.until is None:
        return
    t = max(event.t, last.until) if last is not None and last.until is not None else event.t
    Segment.objects.create(
        device=device, place_id=device.place_id, t=t, gap=event.gap, detail=event.detail[:200], keep_until=keep
    )


def _note_absence(device: Device, t: datetime, keep: datetime) -> None:
    """A recorder begins: what lies between the last that is known and now is a hole of its own."""
    last = Segment.objects.filter(device=device).order_by("-t").first()
    if last is None or last.until is None or last.until > t - _SEAM:
        return
    Segment.objects.create(
        device=device, place_id=device.place_id, t=last.until, until=t, gap=Segment.Gap.RECORDER, keep_until=keep
    )


def cut(actor: Actor, device_id: int, since: datetime, until: datetime, *, reason: str = "") -> MediaObject:
    """A playable MP4 of what a camera recorded from `since` until `until`, kept as a clip; nothing is encoded again.

    It begins with the key picture at or before `since`. Its `data` says what was `asked`, which `gaps` lie in it (`t`,
    `until`, `gap`; "damaged" where recorded bytes cannot be read), the camera's `clock_offset` (seconds, its clock
    less ours) and the `segments` it is made of with their SHA-256. Raises NotFound where nothing was recorded or the
    actor may not see it. Needs `media.view` at the camera; one audit entry.
    """
    # The codecs take memory in every process that has them; few ever cut.
    from shoufu.engines.video import JoinError, Piece, join

    device = _camera(actor, device_id)
    _check_span(since, until)
    rows = list(selectors.segments(actor, device_id, since, until))
    pieces = [Piece(files.path(row.key), row.t.timestamp()) for row in rows if row.key]
    holes = [span for span in selectors.spans(rows, since, until) if span.gap]
    with tempfile.TemporaryDirectory(prefix="cut-", dir=_scratch()) as folder:
        path = Path(folder) / "clip.mp4"
        try:
            joined = join(pieces, since.timestamp(), until.timestamp(), path)
        except JoinError as error:
            raise NotFound(_("Nothing was recorded by this camera at that time.")) from error
        draft = services.StoreMedia(
            MediaObject.Kind.CLIP,
            "video/mp4",
            _moment(joined.start),
            _moment(joined.end),
            device_id=device.pk,
            data={
                "asked": [since.isoformat(), until.isoformat()],
                "gaps": [_hole(span) for span in _holes(holes, joined)],
                "clock_offset": next((row.clock_offset for row in rows if row.clock_offset is not None), None),
                "segments": [{"key": row.key, "sha256": bytes(row.sha256).hex()} for row in rows if row.sha256],
            },
        )
        made = services.store(SYSTEM, draft, path)
    record(actor, Act("media.cut", made, device.place_id, reason=reason, data={"device": device.code}))
    return made


def _holes(known: Sequence[selectors.Span], joined: "Joined") -> list[selectors.Span]:
    """The holes that the index knows, and those that only showed when the bytes were read."""
    found = [selectors.Span(_moment(a), _moment(b), "damaged") for a, b in joined.gaps]
    unknown = [gap for gap in found if not any(span.t < gap.until and gap.t < span.until for span in known)]
    return sorted([*known, *unknown], key=lambda span: span.t)


def _hole(span: selectors.Span) -> dict[str, str]:
    return {"t": span.t.isoformat(), "until": span.until.isoformat(), "gap": span.gap}


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _scratch() -> Path:
    folder = Path(settings.MEDIA_ROOT)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _camera(actor: Actor, device_id: int) -> Device:
    device = Device.objects.select_related("place").filter(pk=device_id, kind=Device.Kind.CAMERA).first()
    if device is None:
        raise NotFound(_("There is no camera %(id)s that you may see.") % {"id": device_id})
    policy.require(actor, "media.view", device.place)
    return device


def _check_span(since: datetime, until: datetime) -> None:
    if since >= until:
        raise Invalid(FieldError("until", _("Must be later than the beginning.")))
    if until - since > LONGEST:
        raise Invalid(FieldError("until", _("At most %(n)d minutes at once.") % {"n": LONGEST.seconds // 60}))


def record_span_look(actor: Actor, device_id: int, since: datetime, until: datetime) -> None:
    """Note that somebody played a span of a camera's recording; needs `media.view` there."""
    device = _camera(actor, device_id)
    span = {"device": device.code, "since": since.isoformat(), "until": until.isoformat()}
    record(actor, Act("media.look", device, device.place_id, data=span))


def live_look(actor: Actor, device_id: int, now: datetime | None = None) -> Device:
    """The camera, for somebody who watches its live picture; noted in the audit once an hour. Needs `media.view`.

    While somebody watches, the watcher writes a picture a second instead of one in ten.
    """
    device = _camera(actor, device_id)
    _touch(device.code)
    hour = (now or timezone.now()).replace(minute=0, second=0, microsecond=0)
    who = f"{actor.kind}:{actor.id}"
    if LiveLook.objects.filter(actor=who, device=device, hour=hour).exists():
        return device
    try:
        with transaction.atomic():
            LiveLook.objects.create(actor=who, device=device, hour=hour)
            record(actor, Act("media.look_live", device, device.place_id, data={"device": device.code}))
    except IntegrityError:
        pass  # another tab was first
    return device


def _touch(code: str) -> None:
    """Tell the watcher that somebody watches; a camera that never recorded has no folder and needs none."""
    mark = files.path(f"{FOLDER}/{code}/{WATCHED_NAME}")
    try:
        if time.time() - mark.stat().st_mtime > WATCHED_GRAIN:
            os.utime(mark)
    except FileNotFoundError:
        if mark.parent.is_dir():
            mark.touch(mode=0o640)


def expire(now: datetime | None = None, most: int = 5_000) -> int:
    """Delete segments past their retention, and the oldest ones while recordings take more room than they may.

    Rows first, then the bytes. Returns how many rows went; one audit entry for all.
    """
    now = now or timezone.now()
    old = Segment.objects.filter(keep_until__lte=now).order_by("keep_until", "pk")
    gone = _delete(old[:most], "age")
    LiveLook.objects.filter(hour__lt=now - timedelta(days=LiveLook.RETENTION_DAYS)).delete()
    surplus = _surplus()
    if surplus > 0:
        oldest = Segment.objects.filter(gap="").order_by("t", "pk")
        gone += _delete(_first_bytes(oldest.iterator(chunk_size=500), surplus, most), "room")
    return gone


def _surplus() -> int:
    """Bytes by which recordings exceed their room: the set size, or what leaves the disk its reserve."""
    if settings.RECORDING_BYTES:
        held = Segment.objects.aggregate(size=Sum("size"))["size"] or 0
        return int(held) - int(settings.RECORDING_BYTES)
    usage = shutil.disk_usage(_scratch())
    reserve = min(usage.total // 20, 10 << 30)
    return reserve - usage.free


def _first_bytes(rows: Iterable[Segment], surplus: int, most: int) -> list[Segment]:
    chosen: list[Segment] = []
    for row in rows:
        if surplus <= 0 or len(chosen) >= most:
            break
        chosen.append(row)
        surplus -= row.size
    return chosen


def _delete(rows: Iterable[Segment], why: str) -> int:
    with transaction.atomic():
        chosen = list(rows)
        if not chosen:
            return 0
        Segment.objects.filter(pk__in=[row.pk for row in chosen]).delete()
        figures = {"rows": len(chosen), "bytes": sum(row.size for row in chosen), "why": why}
        newest = max(row.t for row in chosen)
        record(SYSTEM, Act("media.expire_recordings", data={**figures, "until": newest.isoformat()}))
    for row in chosen:
        if row.key:
            files.remove(row.key)
    return len(chosen)


def recorded_until(device_ids: Sequence[int]) -> dict[int, datetime]:
    """Until when each camera's recording is indexed; one that is lost now counts until now. For processes."""
    newest = Segment.objects.filter(device=OuterRef("pk")).order_by("-t")
    rows = Device.objects.filter(Exists(newest), pk__in=device_ids).annotate(end=Subquery(newest.values("until")[:1]))
    now = timezone.now()
    return {device: end or now for device, end in rows.values_list("pk", "end")}
