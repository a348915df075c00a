from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import limit
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.media import store
from shoufu.kernel.media.models import MediaObject, Segment


def visible(actor: Actor) -> QuerySet[MediaObject]:
    """Every media object that the actor may see."""
    return limit(MediaObject.objects.all(), actor, "media.view")


def get(actor: Actor, media_id: UUID) -> MediaObject:
    """One object; NotFound where the actor may not see it or it has expired."""
    found = visible(actor).select_related("place", "device").filter(pk=media_id).first()
    if found is None:
        raise NotFound(_("There is no such picture, or you may not see it."))
    return found


def latest_by_device(actor: Actor, device_ids: list[int], known: datetime | None = None) -> dict[int, MediaObject]:
    """The newest snapshot of each device, as known at a moment; one query."""
    rows = visible(actor).filter(device__in=device_ids, kind=MediaObject.Kind.SNAPSHOT)
    if known:
        rows = rows.filter(known__lte=known)
    return {item.device_id: item for item in rows.order_by("device_id", "-t").distinct("device_id") if item.device_id}


def of_device(actor: Actor, device_id: int, since: datetime, until: datetime) -> QuerySet[MediaObject]:
    """Pictures and clips of a device that began in [since, until), newest first."""
    return visible(actor).filter(device=device_id, t__gte=since, t__lt=until).order_by("-t")


@dataclass(frozen=True)
class Stock:
    """How much the store holds, for the health page."""

    objects: int
    bytes: int
    free: int


def stock() -> Stock:
    counted = MediaObject.objects.aggregate(objects=Count("pk"), bytes=Sum("size"))
    return Stock(counted["objects"], counted["bytes"] or 0, store.free_bytes())


_LONGEST_SEGMENT = timedelta(seconds=30)
_SEAM = timedelta(seconds=1)


def segments(actor: Actor, device_id: int, since: datetime, until: datetime) -> QuerySet[Segment]:
    """What a camera recorded, and the holes, that overlap [since, until), oldest first. Limited to `media.view`."""
    recorded = Q(gap="", t__gte=since - _LONGEST_SEGMENT, until__gt=since)
    holes = ~Q(gap="") & (Q(until__isnull=True) | Q(until__gt=since))
    rows = limit(Segment.objects.all(), actor, "media.view").filter(recorded | holes, device=device_id, t__lt=until)
    return rows.order_by("t", "pk")


@dataclass(frozen=True)
class Span:
    """[t, until): recorded where `gap` is empty, else why not; "unknown" where nothing says why."""

    t: datetime
    until: datetime
    gap: str = ""


def spans(rows: Iterable[Segment], since: datetime, until: datetime) -> list[Span]:
    """Segments as few spans that cover [since, until) whole, so that every hole shows, explained or not."""
    found: list[Span] = []
    at = since
    for row in rows:
        start, end = max(row.t, since), min(row.until or until, until)
        if start - at > _SEAM:
            _extend(found, Span(at, start, "unknown"))
            at = start
        if end > at:
            _extend(found, Span(at, end, row.gap))
            at = end
    if until - at > _SEAM:
        _extend(found, Span(at, until, "unknown"))
    return found


def _extend(found: list[Span], span: Span) -> None:
    if found and found[-1].gap == span.gap:
        found[-1] = Span(found[-1].t, span.until, span.gap)
        return
    found.append(span)


def coverage(actor: Actor, device_id: int, since: datetime, until: datetime) -> list[Span]:
    """What of [since, until) a camera recorded and where the holes are, as few spans; for timelines and exports.

    Nothing later than now; the segment that is being written just now is no hole.
    """
    now = timezone.now()
    until = min(until, now)
    if since >= until:
        return []
    found = spans(segments(actor, device_id, since, until), since, until)
    last = found[-1]
    if last.gap == "unknown" and until > now - _SEAM and last.until - last.t < _LONGEST_SEGMENT and len(found) > 1:
        found.pop()
    return found


def segment(actor: Actor, segment_id: int) -> Segment:
    """One recorded segment; NotFound where the actor may not see it or it is gone."""
    rows = limit(Segment.objects.all(), actor, "media.view")
    found = rows.filter(pk=segment_id, gap="").first()
    if found is None:
        raise NotFound(_("There is no such recording, or you may not see it."))
    return found


@dataclass(frozen=True)
class Recording:
    """How a camera's recording is: since and until when there is one, the hole that lasts, and of the last minutes:
    bytes a day, the longest picture group (seconds), the camera's clock (seconds ahead of ours)."""

    since: datetime | None
    until: datetime | None
    lost: Segment | None
    bytes_a_day: int
    group: float
    clock_offset: float | None


def recording(actor: Actor, device_id: int) -> Recording | None:
    """How a camera's recording is now; None where there was never one that the actor may see."""
    rows = limit(Segment.objects.filter(device=device_id), actor, "media.view")
    recent = list(rows.order_by("-t")[:60])
    if not recent:
        return None
    recorded = [row for row in recent if not row.gap]
    seconds = sum((row.until - row.t).total_seconds() for row in recorded if row.until)
    offsets = [row.clock_offset for row in recorded if row.clock_offset is not None]
    return Recording(
        since=rows.filter(gap="").order_by("t").values_list("t", flat=True).first(),
        until=recorded[0].until if recorded else None,
        lost=recent[0] if recent[0].gap and recent[0].until is None else None,
        bytes_a_day=round(sum(row.size for row in recorded) / seconds * 86_400) if seconds else 0,
        group=max((_group(row) for row in recorded), default=0.0),
        clock_offset=offsets[0] if offsets else None,
    )


def _group(row: Segment) -> float:
    """A segment with one key picture is at least one picture group long."""
    return row.group or ((row.until - row.t).total_seconds() if row.until else 0.0)
