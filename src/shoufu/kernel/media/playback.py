"""Pages that play recordings: a player with the holes shown, HLS playlists, segments, and the live picture."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.core import signing
from django.http import FileResponse, HttpResponse, HttpResponseBase, HttpResponseNotModified, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import http_date, parse_http_date_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from shoufu.kernel.base.errors import Forbidden, Invalid, NotFound
from shoufu.kernel.base.pages import PageRequest, needs
from shoufu.kernel.devices import selectors as devices
from shoufu.kernel.media import recordings, selectors, store
from shoufu.kernel.media.models import Segment

STALE = 15.0
PLAYABLE = timedelta(hours=1)
SHOWN = timedelta(minutes=10)
_SALT = "media.playlist"
_TICKET_SECONDS = 6 * 3600


@require_safe
@needs("media.view")
def latest(request: PageRequest, device_id: int) -> HttpResponseBase:
    """The camera's live picture, about a second old (JPEG, at most 480 pixels wide); 404 where it is older than 15 s.

    Made for walls of cameras that ask once a second: one file read, noted in the audit once an hour.
    """
    device = recordings.live_look(request.actor, device_id)
    path = store.path(f"{recordings.FOLDER}/{device.code}/latest.jpg")
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise NotFound(_("This camera has sent no picture yet.")) from error
    changed = os.fstat(file.fileno()).st_mtime
    if timezone.now().timestamp() - changed > STALE:
        file.close()
        raise NotFound(_("This camera has sent no picture for %(n)d seconds.") % {"n": STALE})
    since = parse_http_date_safe(request.headers.get("If-Modified-Since", ""))
    if since is not None and int(changed) <= since:
        file.close()
        return HttpResponseNotModified()
    response = FileResponse(file, content_type="image/jpeg")
    response["Last-Modified"] = http_date(changed)
    response["Cache-Control"] = "private, no-cache"
    return response


def _span(request: PageRequest) -> tuple[datetime, datetime]:
    since, until = _time(request, "since"), _time(request, "until")
    if since >= until:
        raise Invalid.one("until", _("Must be later than the beginning."))
    if until - since > PLAYABLE:
        raise Invalid.one("until", _("At most %(n)d minutes at once.") % {"n": PLAYABLE.seconds // 60})
    return since, until


def _time(request: PageRequest, name: str) -> datetime:
    text = request.GET.get(name, "").replace(" ", "+")
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Invalid.one(name, _("Give a time with its offset, such as 2026-11-23T18:42:07+08:00."))
    return found


@require_safe
@needs("media.view")
def playlist(request: PageRequest, device_id: int) -> HttpResponse:
    """What a camera recorded from `since` until `until` (an hour at most) as an HLS playlist (RFC 8216).

    Each piece carries its moment (EXT-X-PROGRAM-DATE-TIME); a hole is a discontinuity. One look in the audit.
    """
    since, until = _span(request)
    recordings.record_span_look(request.actor, device_id, since, until)
    rows = [row for row in selectors.segments(request.actor, device_id, since, until) if row.key]
    if not rows:
        raise NotFound(_("Nothing was recorded by this camera at that time."))
    ticket = signing.dumps([request.actor.id, device_id, rows[0].pk, rows[-1].pk], salt=_SALT, compress=True)
    response = HttpResponse(_m3u8(rows, ticket), content_type="application/vnd.apple.mpegurl")
    response["Cache-Control"] = "private, no-store"
    return response


def _m3u8(rows: Sequence[Segment], ticket: str) -> str:
    longest = max((row.until - row.t).total_seconds() for row in rows if row.until)
    lines = ["#EXTM3U", "#EXT-X-VERSION:6", f"#EXT-X-TARGETDURATION:{int(longest) + 1}", "#EXT-X-PLAYLIST-TYPE:VOD"]
    end: datetime | None = None
    for row in rows:
        assert row.until is not None
        if end is None or abs((row.t - end).total_seconds()) > 0.5:
            lines += ["#EXT-X-DISCONTINUITY"] * (end is not None)
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{row.t.astimezone(UTC).isoformat(timespec='milliseconds')}")
        lines.append(f"#EXTINF:{(row.until - row.t).total_seconds():.3f},")
        lines.append(f"{reverse('media:segment', args=[row.pk])}?ticket={ticket}")
        end = row.until
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


@require_safe
@needs("media.view")
def segment(request: PageRequest, segment_id: int) -> HttpResponseBase:
    """One piece of a playlist (MPEG-TS). The ticket shows that the look at it was noted."""
    row = selectors.segment(request.actor, segment_id)
    try:
        who, device, first, last = signing.loads(request.GET.get("ticket", ""), salt=_SALT, max_age=_TICKET_SECONDS)
    except (signing.BadSignature, ValueError) as error:
        raise Forbidden(_("Ask for the playlist again: this address is no longer good.")) from error
    if (who, device) != (request.actor.id, row.device_id) or not first <= segment_id <= last:
        raise Forbidden(_("Ask for the playlist again: this address is no longer good."))
    try:
        file = store.open_key(row.key or "")
    except FileNotFoundError as error:
        raise NotFound(_("The bytes of this recording are gone from the disk.")) from error
    response = FileResponse(file, content_type="video/mp2t")
    response["Cache-Control"] = "private, max-age=3600, immutable"
    return response


@require_safe
@needs("media.view")
def coverage(request: PageRequest, device_id: int) -> JsonResponse:
    """Which parts of a span were recorded and where the holes are, with their reasons, for timelines."""
    devices.get(request.actor, device_id)
    since, until = _time(request, "since"), _time(request, "until")
    if not timedelta(0) < until - since <= timedelta(days=31):
        raise Invalid.one("until", _("At most %(n)d days at once.") % {"n": 31})
    found = selectors.coverage(request.actor, device_id, since, until)
    return JsonResponse({"spans": [{"t": span.t, "until": span.until, "gap": span.gap} for span in found]})


@require_safe
@needs("media.view")
def player(request: PageRequest, device_id: int) -> HttpResponse:
    """Ten minutes of a camera's recording (around `at`, else the last ones), with a bar that shows the holes."""
    device = devices.get(request.actor, device_id)
    now = timezone.now()
    at = _time(request, "at") if "at" in request.GET else request.moment.at
    since = at - SHOWN / 2 if at is not None else now - SHOWN
    until = min(since + SHOWN, now)
    spans = selectors.coverage(request.actor, device_id, since, until)
    length = max((until - since).total_seconds(), 1.0)
    bar = [
        {
            "gap": span.gap,
            "label": gap_label(span.gap),
            "left": round((span.t - since).total_seconds() / length * 100, 3),
            "width": round((span.until - span.t).total_seconds() / length * 100, 3),
            "t": span.t,
            "until": span.until,
        }
        for span in spans
    ]
    query = f"?since={since.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z&until={until.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"
    start = {
        "playlist": reverse("media:playlist", args=[device_id]) + query,
        "since": since.isoformat(),
        "until": until.isoformat(),
        "at": at.isoformat() if at else "",
    }
    context = {
        "device": device,
        "bar": bar,
        "holes": [row for row in bar if row["gap"]],
        "recorded": any(not row["gap"] for row in bar),
        "since": since,
        "until": until,
        "at": at or since,
        "earlier": (since - SHOWN / 2).astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "later": (until + SHOWN / 2).astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "may_later": until < now - timedelta(seconds=5),
        "start": start,
    }
    return render(request, "media/player.html", context)


def gap_label(gap: str) -> str:
    """Why nothing was recorded, in the reader's language; what was recorded where `gap` is empty."""
    if gap == "unknown":
        return _("Not recorded; nobody knows why")
    return str(Segment.Gap(gap).label)


@require_POST
@needs("media.view")
def cut(request: PageRequest, device_id: int) -> HttpResponseBase:
    """Keep a span as a clip (MP4); answers with its address."""
    request.GET = request.POST
    since, until = _span(request)
    made = recordings.cut(request.actor, device_id, since, until, reason=request.POST.get("reason", ""))
    return JsonResponse(
        {"id": str(made.pk), "url": reverse("media:content", args=[made.pk]), "gaps": made.data["gaps"]}
    )
