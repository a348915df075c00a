from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import Invalid, NotFound
from shoufu.kernel.base.pages import PageRequest, needs
from shoufu.kernel.cases.pages import panel_context, waiting
from shoufu.web.desk import selectors

TABS = ("mine", "open", "dispatched", "today")
BUCKETS = 120
SPANS = {"2h": 2, "7h": 7, "24h": 24, "7d": 168}


def _tab(request: PageRequest) -> str:
    tab = request.GET.get("tab") or request.session.get("desk_tab") or "open"
    return tab if tab in TABS else "open"


def _queue(request: PageRequest) -> dict[str, Any]:
    tab = _tab(request)
    counts = waiting(request)
    queue = selectors.queue(request.actor, request.scope, request.moment, tab)
    numbers = {"mine": counts.mine, "open": counts.open, "dispatched": counts.dispatched, "today": None}
    words = {"mine": _("Mine"), "open": _("All"), "dispatched": _("Dispatched"), "today": _("Today")}
    return {
        "queue": queue,
        "tab": tab,
        "tabs": [(code, words[code], numbers[code]) for code in TABS],
        "counts": counts,
        "chosen": _chosen(request),
        "moment": request.moment,
    }


def _chosen(request: PageRequest) -> int | None:
    text = request.GET.get("case", "")
    return int(text) if text.isdigit() else None


@needs("cases.view")
def desk(request: PageRequest) -> HttpResponse:
    """Queue, map and the chosen case in one page."""
    if request.GET.get("tab") in TABS:
        request.session["desk_tab"] = request.GET["tab"]
    context = _queue(request)
    chosen = context["chosen"] or (context["queue"].rows[0].id if context["queue"].rows else None)
    context |= {"chosen": chosen, "page": "desk"}
    if chosen:
        try:
            context |= panel_context(request, chosen)
        except NotFound:
            context["chosen"] = None
    return render(request, "desk/desk.html", context)


@needs("cases.view")
def queue(request: PageRequest) -> HttpResponse:
    """The queue alone, for htmx; from `start` on, only its further rows."""
    start = request.GET.get("start", "")
    if start.isdigit():
        tab, begin = _tab(request), min(int(start), selectors.MOST_WAITING)
        further = selectors.queue(request.actor, request.scope, request.moment, tab, begin)
        return render(request, "desk/rows.html", {"queue": further, "tab": tab, "moment": request.moment})
    return render(request, "desk/queue.html", _queue(request))


@needs("cases.view")
def map_data(request: PageRequest) -> JsonResponse:
    """The map's data as JSON."""
    return JsonResponse(selectors.map_data(request.actor, request.scope))


@needs("observations.view")
def bars(request: PageRequest) -> JsonResponse:
    """Counts per bucket and case marks for the time bar, ending at `until` (default now)."""
    hours = SPANS.get(request.GET.get("span", "7h"))
    if hours is None:
        raise Invalid.one("span", _("Choose one of: %(spans)s.") % {"spans": ", ".join(SPANS)})
    until = _seconds(request, "until") if "until" in request.GET else timezone.now()
    since = until - timedelta(hours=hours)
    return JsonResponse(selectors.bars(request.actor, request.scope, since, until, BUCKETS))


@needs("devices.view")
def chunk(request: PageRequest) -> JsonResponse:
    """Half an hour of state changes, for the browser to play back."""
    since = selectors.rounded(_seconds(request, "since"), selectors.CHUNK)
    response = JsonResponse(selectors.chunk(request.actor, request.scope, since))
    if since + selectors.CHUNK < timezone.now() - timedelta(minutes=2):
        response["Cache-Control"] = "private, max-age=300"
    return response


def _seconds(request: PageRequest, name: str) -> datetime:
    try:
        return datetime.fromtimestamp(float(request.GET.get(name, "")), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Invalid.one(name, _("Must be seconds since 1970.")) from error
