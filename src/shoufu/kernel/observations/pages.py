from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.base.lists import csv_response
from shoufu.kernel.base.pages import PageRequest, needs
from shoufu.kernel.devices import selectors as devices
from shoufu.kernel.observations import selectors
from shoufu.kernel.observations.models import Observation
from shoufu.kernel.rules.spec.phrases import EN, ZH, Phrases

SIZE = 60
WORDS_IN_A_LINE = 6
UNSAID = ("snapshot", "clip", "box", "key", "rules", "clock", "person")
"""What a line leaves out: pictures have their link, and a controller's bookkeeping tells a reader nothing."""
LEADING = {name: number for number, name in enumerate(ZH.fields)}
MOST_NAMES = 200


@needs("observations.view")
def names(request: PageRequest) -> HttpResponse:
    """Devices by code (``?code=a&code=b``) as lines name them, for what comes in live; JSON of HTML."""
    codes = request.GET.getlist("code")[:MOST_NAMES]
    rows = devices.visible(request.actor).filter(code__in=codes).select_related("place__parent__parent")
    return JsonResponse({row.code: render_to_string("observations/who.html", {"device": row}) for row in rows})


@dataclass(frozen=True)
class Line:
    """An observation as the feed shows it: its result as short words."""

    row: Observation
    what: str
    late: bool
    snapshot: str


def in_words(result: Any) -> str:
    """The result's leading properties as `name value` pairs, in the words that rules use for them."""
    if not isinstance(result, dict):
        return str(result)
    fields = words().fields
    names = sorted((name for name in result if name not in UNSAID), key=lambda name: LEADING.get(name, len(LEADING)))
    return " · ".join(f"{fields.get(name, name)} {_short(result[name])}" for name in names[:WORDS_IN_A_LINE])


def words() -> Phrases:
    """The phrase book of the reader's language."""
    return EN if (get_language() or "").startswith("en") else ZH


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return f"{value:g}" if isinstance(value, float) else words().values.get(str(value), str(value))


def _line(row: Observation) -> Line:
    result = row.result if isinstance(row.result, dict) else {}
    return Line(row, in_words(row.result), (row.known - row.t).total_seconds() > 5, str(result.get("snapshot", "")))


def _before(request: PageRequest) -> datetime | None:
    text = request.GET.get("before", "").replace(" ", "+")
    if not text:
        return None
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None or timezone.is_naive(found):
        raise Invalid.one("before", _("Not a time. Write it like 2026-11-23T18:42:07+08:00."))
    return found


@needs("observations.view")
def feed(request: PageRequest) -> HttpResponse:
    """What happens, newest first, live; at a past moment what was known then."""
    chosen = selectors.FeedFilter(
        place=request.scope.path,
        kind=request.GET.get("kind", ""),
        device=request.GET.get("device", "").strip(),
        before=_before(request),
        at=request.moment.at,
        known=request.moment.known,
    )
    rows = selectors.feed(request.actor, chosen, timezone.now(), 10_000 if request.GET.get("format") == "csv" else SIZE)
    if request.GET.get("format") == "csv":
        return csv_response(  # type: ignore[return-value]
            (
                {
                    "id": row.id,
                    "phenomenonTime": row.t.isoformat(),
                    "known": row.known.isoformat(),
                    "kind": row.kind.code,
                    "device": row.device.code,
                    "place": row.place.label,
                    "featureOfInterest": row.foi,
                    "result": row.result,
                }
                for row in rows
            ),
            "observations",
        )
    english = (get_language() or "").startswith("en")
    kinds = [(kind.code, kind.name_en if english else kind.name) for kind in selectors.kinds()]
    context = {
        "lines": [_line(row) for row in rows],
        "kinds": kinds,
        "kind": chosen.kind,
        "device": chosen.device,
        "older": rows[-1].t if len(rows) == SIZE else None,
        "first": chosen.before is None,
        "start": {
            "kinds": dict(kinds),
            "kind": chosen.kind,
            "device": chosen.device,
            "live": request.moment.live,
            "fields": dict(words().fields),
            "order": list(LEADING),
            "unsaid": UNSAID,
            "names": reverse("observations:names"),
            "values": dict(words().values) | {"true": _("yes"), "false": _("no")},
        },
    }
    template = "observations/lines.html" if "HX-Request" in request.headers else "observations/feed.html"
    return render(request, template, context)
