from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from shoufu.kernel.base.errors import Invalid, NotFound
from shoufu.kernel.base.lists import csv_response
from shoufu.kernel.base.pages import PageRequest, needs
from shoufu.kernel.places import selectors as places_of
from shoufu.kernel.places.models import Place
from shoufu.scenes.homecare.planning import board as boards
from shoufu.scenes.homecare.planning import selectors, words
from shoufu.scenes.homecare.planning.board import Board
from shoufu.scenes.homecare.register.models import Institution

COARSE = (Place.Kind.DISTRICT, Place.Kind.BLOCK, Place.Kind.COMPOUND)
DETAIL = 3000


def wanted(request: PageRequest) -> tuple[Institution | None, date]:
    """The institution and day that a page is about: those named in the address, else the first one's today."""
    rows = selectors.offices(request.actor).filter(place__path__startswith=request.scope.path)
    named = request.GET.get("institution", "")
    if named:
        found = rows.filter(pk=named).first() if named.isdecimal() and len(named) < 10 else None
        if found is None:
            raise NotFound(_("There is no institution %(id)s that you may see.") % {"id": named[:12]})
    else:
        found = rows.order_by("pk").first()
    text = request.GET.get("day", "")
    if found is None or not text:
        return found, selectors.today(found) if found is not None else date.min
    try:
        return found, date.fromisoformat(text)
    except ValueError as error:
        raise Invalid.one("day", _("Write a day like 2026-11-23.")) from error


def _shown(request: PageRequest) -> Board:
    office, day = wanted(request)
    if office is None:
        raise NotFound(_("There is no institution whose days you plan."))
    return boards.board(request.actor, office.pk, day)


def _lists(request: PageRequest, shown: Board) -> dict[str, Any]:
    return {"board": shown, "rows": _rows(shown), "request": request, "risky": {one.visit.pk for one in shown.risks}}


@needs(selectors.PLAN)
def board(request: PageRequest) -> HttpResponse:
    """The coordinator's board of a day: lists on the server, the Gantt and the map by the island."""
    office, day = wanted(request)
    if office is None:
        return render(request, "homecare/planning/none.html")
    shown = boards.board(request.actor, office.pk, day)
    context = _lists(request, shown) | {
        "offices": list(selectors.offices(request.actor).filter(place__path__startswith=request.scope.path)),
        "office": office,
        "day": day,
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1),
        "today": selectors.today(office),
        "start": boards.as_dict(shown) | {"words": _words()},
        "people": [line.person for line in shown.lines],
    }
    return render(request, "homecare/planning/board.html", context)


@needs(selectors.PLAN)
def data(request: PageRequest) -> JsonResponse:
    """The board as the island draws it, with the lists as HTML; only its number where `number` is the newest."""
    office, day = wanted(request)
    if office is None:
        raise NotFound(_("There is no institution whose days you plan."))
    known = request.GET.get("number", "")
    if known.isdecimal() and int(known[:9]) == selectors.number(office, day) and "if_new" in request.GET:
        return JsonResponse({"number": int(known[:9])})
    shown = boards.board(request.actor, office.pk, day)
    lists = render_to_string("homecare/planning/lists.html", _lists(request, shown), request)
    head = render_to_string("homecare/planning/figures.html", _lists(request, shown), request)
    return JsonResponse(boards.as_dict(shown) | {"lists": lists, "head": head})


@needs(selectors.PLAN)
def places(request: PageRequest) -> JsonResponse:
    """The places that the map draws, as GeoJSON."""
    office, _day = wanted(request)
    place = office.place if office is not None else None
    wide = places_of.subtree(request.actor, place).count() > DETAIL
    return JsonResponse(
        {
            "scope": place.pk if place is not None else None,
            "places": places_of.geojson(request.actor, place, kinds=COARSE if wide else ()),
        }
    )


@needs(selectors.PLAN)
def routes(request: PageRequest) -> HttpResponseBase:
    """Everybody's route of the day, to be printed; as CSV with `format=csv`."""
    shown = _shown(request)
    if request.GET.get("format") == "csv":
        return csv_response(_sheet(shown), f"routes-{shown.day.day.isoformat()}")
    context = _lists(request, shown) | {"office": shown.office, "day": shown.day.day}
    return render(request, "homecare/planning/routes.html", context)


def _rows(shown: Board) -> list[dict[str, Any]]:
    """Each person's stops with clock times, for templates."""
    zone = shown.office.place.time_zone
    found = []
    for line in shown.lines:
        bars = [
            {
                "bar": bar,
                "order": n + 1,
                "start": words.clock(shown.day, bar.start),
                "end": words.clock(shown.day, bar.end),
                "leave": words.clock(shown.day, bar.start - bar.travel),
                "promised": words.promise(bar.visit),
            }
            for n, bar in enumerate(line.bars)
        ]
        shift = (words.clock(shown.day, line.shift[0]), words.clock(shown.day, line.shift[1]))
        found.append({"line": line, "bars": bars, "shift": shift if line.shift[1] else None, "zone": zone})
    return found


def _sheet(shown: Board) -> Iterator[dict[str, Any]]:
    for row in _rows(shown):
        for one in row["bars"]:
            bar = one["bar"]
            yield {
                _("Full name"): row["line"].person.person.name,
                pgettext("dispatch", "No."): one["order"],
                _("Leaves at"): one["leave"],
                _("Way (min)"): round(bar.travel),
                _("Begins at"): one["start"],
                _("Ends at"): one["end"],
                pgettext("dispatch", "Promised"): one["promised"],
                pgettext("dispatch", "Visit"): bar.visit.number,
                _("Patient"): bar.visit.patient.person.name,
                _("Service"): bar.visit.version.label,
                pgettext("dispatch", "Home"): bar.visit.place.label,
            }
    for one in shown.open:
        yield {
            _("Full name"): pgettext("dispatch", "Open"),
            pgettext("dispatch", "No."): "",
            _("Leaves at"): "",
            _("Way (min)"): "",
            _("Begins at"): "",
            _("Ends at"): "",
            pgettext("dispatch", "Promised"): words.promise(one.visit),
            pgettext("dispatch", "Visit"): one.visit.number,
            _("Patient"): one.visit.patient.person.name,
            _("Service"): one.visit.version.label,
            pgettext("dispatch", "Home"): one.visit.place.label,
        }


def _words() -> dict[str, str]:
    """What the island writes, in the reader's language."""
    return {
        "now": pgettext("dispatch", "Now"),
        "open": pgettext("dispatch", "Open"),
        "pinned": pgettext("dispatch", "Pinned"),
        "held": pgettext("dispatch", "Held, to be paid"),
        "underway": pgettext("dispatch", "Under way"),
        "done": pgettext("dispatch", "Done"),
        "late": _("{n} min late"),
        "promised": _("Promised {window}"),
        "fits": _("Fits at {time}"),
        "checking": _("Looking …"),
        "pushes": _("{names}: later, within the promise"),
        "way": _("{n} min more on the way"),
        "less": _("{n} min less on the way"),
        "given": _("{patient}: {name} at {time}"),
        "undo": _("Undo"),
        "undone": _("Undone."),
        "changed": _("Somebody changed the plan: {text}"),
        "drop": _("Enter gives it, Esc leaves it as it was"),
        "keys": _("Arrow keys move a visit: left and right in time, up and down to somebody else."),
        "travel": _("{n} min on the way"),
        "rest": pgettext("dispatch", "Rest"),
        "base": _("Begins here"),
        "home": _("back {time}"),
        "noMap": _("The map did not load; the board works without it."),
        "stopLabel": _("{patient}, {service}, {time}, {name}"),
    }
