from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.base.pages import PageRequest, needs
from shoufu.kernel.history import chunks, flows, services
from shoufu.kernel.places.models import Place
from shoufu.web.replay import selectors
from shoufu.web.replay.packing import packed

VIEW = "observations.view"
SPEEDS = (1, 10, 60, 600)
SETTLED = timedelta(minutes=2)
FIRST_LOOK = timedelta(minutes=30)
MOST_DAYS = 92
YEARS = range(1990, 2200)


@require_safe
@needs(VIEW)
def replay(request: PageRequest) -> HttpResponseBase:
    """The time machine of a compound (or a part of one): `at`, `speed`, `with` (another day) and `later` are the
    address, so that a link leads to the same moment."""
    place = request.scope.place
    if place is None or place.kind in selectors.WIDE:
        return render(
            request, "replay/choose.html", {"compounds": selectors.compounds(request.actor, request.scope), "to": ""}
        )
    at = request.moment.at or timezone.now() - FIRST_LOOK
    other = _day(request, "with") if request.GET.get("with") else None
    return render(
        request,
        "replay/replay.html",
        {
            "place": place,
            "at": min(at, timezone.now()),
            "speed": _choice(request, "speed", SPEEDS, 1),
            "speeds": SPEEDS,
            "other": other,
            "later": request.GET.get("later") == "1",
            "start": {"at": min(at, timezone.now()).timestamp(), "zone": place.time_zone, "words": _words()},
            "today": timezone.localdate(),
        },
    )


def _words() -> dict[str, str]:
    """What the island says besides the words of every page."""
    return {
        "open": pgettext("door", "Open"),
        "closed": pgettext("door", "Closed"),
        "granted": pgettext("door", "Let in"),
        "refused": _("Not let in"),
        "in": _("In"),
        "out": _("Out"),
        "late": _("Came late"),
        "noPicture": _("No picture of this moment"),
        "noDoors": _("No door here."),
        "noCars": _("No car in the hour before"),
        "noCases": _("No open case at this moment"),
        "noEvents": _("Nothing in the ten minutes before"),
        "unknownState": _("Not known"),
        "forced": _("Forced"),
        "linkCopied": _("Link copied"),
        "linkFailed": _("Copy the address of this page instead."),
        "noCase": _("No further case"),
        "withLater": _("With what was learned later"),
        "loadFailed": _("This part of the past did not load. It is tried again."),
        "door.access": _("Door"),
        "door.alarm": _("Door alarm"),
        "line.crossing": _("Crossed"),
        "zone.dwell": _("Stayed"),
        "camera.tamper": _("Camera"),
        "car": _("Car"),
        "person": _("Person"),
        "bicycle": _("Bicycle"),
        "motorcycle": _("Motorcycle"),
        "bus": _("Bus"),
        "truck": _("Truck"),
        "vehicle": _("Vehicle"),
        "registered": _("Registered"),
        "white": _("Always let in"),
        "visitor": _("Visitor"),
        "emergency": _("Emergency vehicle"),
        "watch": _("Watched for"),
        "similar": _("Like a known plate"),
        "unknown": _("Unknown"),
        "card": _("Card"),
        "pin": _("PIN"),
        "qr": _("QR code"),
        "face": _("Face"),
        "plate": _("Number plate"),
        "remote": _("From afar"),
        "button": _("Button"),
        "recording": _("Recording"),
        "clip": _("Clip"),
        "people": _("People"),
        "vehicles": _("Vehicles"),
        "passages": _("passages"),
        "wholeDay": _("Whole day"),
        "opened": _("Opened"),
        "new": _("New"),
        "acknowledged": _("Acknowledged"),
        "dispatched": _("Dispatched"),
        "open_warning": _("Open too long soon"),
        "open_too_long": _("Open too long"),
        "closed_again": _("Closed again"),
        "antipassback": _("Anti-passback violated"),
        "tailgating": _("Tailgating"),
        "fire": _("Fire release"),
        "tamper": _("Tampered with"),
    }


@require_safe
@needs(VIEW)
def stage(request: PageRequest) -> HttpResponse:
    """What stands still while time moves, as JSON."""
    _narrow(request)
    return packed(request, selectors.stage(request.actor, request.scope))


@require_safe
@needs(VIEW)
def chunk(request: PageRequest) -> HttpResponse:
    """A piece of the past (10 or 60 minutes from `since`, whole pieces since 1970). Noted as a look, once an hour."""
    place = _narrow(request)
    length = timedelta(minutes=_choice(request, "minutes", (10, 60), 10))
    since = chunks.begin(_seconds(request, "since"), length)
    now = timezone.now()
    made = chunks.chunk(request.actor, request.scope.path, since, length, now)
    services.note_look(request.actor, place, since.astimezone(ZoneInfo(place.time_zone)).date())
    response = packed(request, chunks.columns(made))
    settled = since + length < now - SETTLED
    response["Cache-Control"] = "private, max-age=300" if settled else "private, no-store"
    return response


@require_safe
@needs(VIEW)
def bars(request: PageRequest) -> HttpResponse:
    """The bars of a day and the cases opened in it, for the time bar."""
    place = _narrow(request)
    since, until = _span_of(_day(request, "day"), place)
    return packed(request, selectors.bars(request.actor, request.scope, since, until))


@require_safe
@needs(VIEW)
def pictures(request: PageRequest) -> JsonResponse:
    """What the cameras show at a moment, as known then or (with `later`) as known now."""
    _narrow(request)
    at = _seconds(request, "at")
    known = timezone.now() if request.GET.get("later") == "1" else at
    return JsonResponse({"cameras": selectors.pictures(request.actor, request.scope, at, known)})


@require_safe
@needs("cases.view")
def next_case(request: PageRequest) -> JsonResponse:
    """The moment of the case opened next after `at`, or with `back` last before it; null where there is none."""
    _narrow(request)
    back = request.GET.get("back") == "1"
    found = selectors.next_case(request.actor, request.scope.path, _seconds(request, "at"), back=back)
    return JsonResponse({"at": found.opened_at.timestamp() if found else None, "id": found.pk if found else None})


@require_safe
@needs(VIEW)
def days(request: PageRequest) -> HttpResponse:
    """Two days hour by hour."""
    _narrow(request)
    rows = selectors.compare(request.actor, request.scope, _day(request, "day"), _day(request, "with"))
    return packed(request, {"rows": [row.__dict__ for row in rows]})


@require_safe
@needs(VIEW)
def movement(request: PageRequest) -> HttpResponseBase:
    """Where how much moves at which hour, without people."""
    place = request.scope.place
    if place is None or place.kind in selectors.WIDE:
        found = selectors.compounds(request.actor, request.scope)
        return render(request, "replay/choose.html", {"compounds": found, "to": "movement/"})
    kept = flows.days(request.actor, request.scope.path)
    first, last = _days(request, place)
    rows = selectors.movement(request.actor, request.scope, first, last)
    return render(
        request,
        "replay/movement.html",
        {
            "place": place,
            "first": first,
            "last": last,
            "kept": kept,
            "least": flows.LEAST,
            "rows": _table(rows),
            "hours": range(24),
            "start": {"rows": rows, "stage": f"{reverse('replay-stage')}?place={place.pk}", "words": _words()},
        },
    )


@require_safe
@needs(VIEW)
def counts(request: PageRequest) -> HttpResponse:
    """The movement of some days as JSON."""
    place = _narrow(request)
    first, last = _days(request, place)
    return packed(request, {"rows": selectors.movement(request.actor, request.scope, first, last)})


def _table(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One line a spot with its hours, busiest first."""
    found: dict[tuple[int, str, str], dict[str, Any]] = {}
    for row in rows:
        key = (row["device"], row["what"], row["spot"])
        line = found.setdefault(
            key, {"name": row["name"], "what": row["what"], "spot": row["spot"], "hours": [0] * 24, "total": 0}
        )
        line["hours"][row["hour"]] += row["count"]
        line["total"] += row["count"]
    return sorted(found.values(), key=lambda line: -line["total"])


def _narrow(request: PageRequest) -> Place:
    """The place of the request, which must not be wider than a compound."""
    place: Place | None = request.scope.place
    if place is None or place.kind in selectors.WIDE:
        raise Invalid.one("place", _("Too much at once: choose a compound or a building."))
    return place


def _span_of(day: date, place: Place) -> tuple[datetime, datetime]:
    zone = ZoneInfo(place.time_zone)
    return datetime.combine(day, time(), zone), datetime.combine(day + timedelta(days=1), time(), zone)


def _days(request: PageRequest, place: Place) -> tuple[date, date]:
    """The span of days asked for; without one, the seven days until yesterday and today."""
    today = timezone.now().astimezone(ZoneInfo(place.time_zone)).date()
    first = _day(request, "first") if request.GET.get("first") else today - timedelta(days=7)
    last = _day(request, "last") if request.GET.get("last") else today
    if last < first:
        raise Invalid.one("last", _("Must not be before the first day."))
    if last - first >= timedelta(days=MOST_DAYS):
        raise Invalid.one("last", _("At most %(n)d days at once.") % {"n": MOST_DAYS})
    return first, last


def _choice(request: PageRequest, name: str, values: tuple[int, ...], default: int) -> int:
    text = request.GET.get(name, "")
    if not text:
        return default
    if not text.isdigit() or int(text) not in values:
        raise Invalid.one(name, _("Choose one of: %(values)s.") % {"values": ", ".join(map(str, values))})
    return int(text)


def _day(request: PageRequest, name: str) -> date:
    try:
        found = date.fromisoformat(request.GET.get(name, ""))
    except ValueError as error:
        raise Invalid.one(name, _("Not a day. Write it like 2026-11-23.")) from error
    if found.year not in YEARS:
        raise Invalid.one(name, _("Not a day. Write it like 2026-11-23."))
    return found


def _seconds(request: PageRequest, name: str) -> datetime:
    try:
        found = datetime.fromtimestamp(float(request.GET.get(name, "")), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Invalid.one(name, _("Must be seconds since 1970.")) from error
    if found.year not in YEARS:
        raise Invalid.one(name, _("Must be seconds since 1970."))
    return found
