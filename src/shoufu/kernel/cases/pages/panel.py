from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.base import registry
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.cases import selectors
from shoufu.kernel.cases.lifecycle import STEPS, next_role
from shoufu.kernel.cases.models import Case, CaseEvent, Evidence, Feedback
from shoufu.kernel.cases.pages.timeline import lines
from shoufu.kernel.cases.pages.words import kind_label, role_label, title_of
from shoufu.kernel.cases.parts import panel_parts
from shoufu.kernel.rules.explain import fired


@dataclass(frozen=True)
class Step:
    """An action that the case allows now; the first is the next one to do."""

    code: str
    label: str
    icon: str
    key: str = ""


def steps(case: Case) -> list[Step]:
    """What can be done with the case in its state, the most likely first."""
    words = {
        "acknowledge": Step("acknowledge", _("Acknowledge"), "hand-stop", "a"),
        "dispatch": Step("dispatch", _("Dispatch"), "send", "d"),
        "resolve": Step("resolve", _("Resolve"), "check", "r"),
        "close": Step("close", _("Close"), "archive", "c"),
        "false_alarm": Step("false_alarm", _("False alarm"), "x", "f"),
        "reopen": Step("reopen", _("Reopen"), "rotate", "o"),
        "merge": Step("merge", _("Merge"), "arrow-merge"),
    }
    order = ["acknowledge", "dispatch", "resolve", "close", "reopen", "false_alarm", "merge"]
    if case.state == Case.State.DISPATCHED:
        order = ["resolve", "false_alarm", "dispatch", "merge"]
    return [words[code] for code in order if case.state in STEPS[code].allowed]


@dataclass(frozen=True)
class Shown:
    """A picture or clip of the evidence, with the boxes that were found on it (shares of its width and height)."""

    item: Evidence
    url: str
    clip: bool
    boxes: list[dict[str, Any]]


def _object(code: str) -> str:
    """What the vision calls an object, in the reader's language."""
    words = {
        "person": _("Person"),
        "bicycle": _("Bicycle"),
        "car": _("Car"),
        "motorcycle": _("Motorcycle"),
        "bus": _("Bus"),
        "truck": _("Truck"),
    }
    return words.get(code, code)


def _found(items: Iterable[Any]) -> dict[str, list[dict[str, Any]]]:
    """By picture: what the observations of the case found on it (a box is left, top, right, bottom as shares)."""
    found: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        result = item.data.get("result") if isinstance(item.data, dict) else None
        if not isinstance(result, dict) or "snapshot" not in result:
            continue
        box = result.get("box")
        if not isinstance(box, list) or len(box) != 4:
            continue
        entry = {"box": box, "label": _object(str(result.get("object", "")))}
        if entry not in found.setdefault(str(result["snapshot"]), []):
            found[str(result["snapshot"])].append(entry)
    return found


def _shown(case: Case, at: datetime | None) -> list[Shown]:
    """The pictures and clips of a case; with `at` those of what had happened by then."""
    items = [item for item in case.evidence.all() if at is None or item.t <= at]
    found = _found(items)
    rows = [
        Shown(
            item,
            reverse("media:content", args=[item.media_id]),
            item.kind == "clip",
            [] if item.kind == "clip" else found.get(str(item.media_id), []),
        )
        for item in items
        if item.media is not None
    ]
    return sorted(rows, key=lambda shown: not shown.clip)


def _as_then(case: Case, events: Iterable[CaseEvent], at: datetime) -> None:
    """Take back on this instance, which is only shown, what came after `at`; without a state nobody knew of it."""
    case.state = selectors.state_then(case, events, at)
    case.due_at = None
    if case.state in Case.OPEN:
        case.outcome = ""
    if case.state != Case.State.MERGED:
        case.merged_into = None


def panel_context(request: PageRequest, case_id: int, form: FormState | None = None) -> dict[str, Any]:
    """What the panel of a case shows: on the desk and on its own page. NotFound where the actor may not see it."""
    case = selectors.get(request.actor, case_id)
    events = selectors.timeline(request.actor, case, request.moment.known)
    if request.moment.at is not None:
        _as_then(case, events, request.moment.at)
    similar, shown = selectors.similar(request.actor, case), _shown(case, request.moment.at)
    may = request.actor.may("cases.handle", case.place.path) and request.moment.live
    return {
        "case": case,
        "case_title": title_of(case),
        "kind_label": kind_label(case.kind),
        "role_label": role_label(case.role) if case.role else "",
        "steps": steps(case) if may else [],
        "lines": lines(request, case, events),
        "shown": shown,
        "still": next((one.url for one in shown if not one.clip), ""),
        "why": fired(case.firing.why) if case.firing else [],
        "rule": case.rule_version.rule if case.rule_version else None,
        "nearby": [
            near
            for near in selectors.nearby(request.actor, case)
            if request.moment.known is None or near.known_at <= request.moment.known
        ],
        "similar": similar,
        "loosen": similar.total >= 4 and similar.false_share >= 0.6,
        "next_role": role_label(next_role(case)) if next_role(case) != case.role else "",
        "receivers": selectors.assignable_users(case) if may else (),
        "roles": [
            (code, role_label(code)) for code, role in registry.roles().items() if "cases.handle" in role.permissions
        ],
        "verdicts": Feedback.Verdict.choices,
        "form": form or FormState(),
        "parts": panel_parts(request, case) if request.moment.live else [],
        "now": timezone.now(),
        "moment": request.moment,
    }


@needs("cases.view")
def panel(request: PageRequest, case_id: int) -> HttpResponse:
    """The case as the desk's right side."""
    return render(request, "cases/panel.html", panel_context(request, case_id) | {"page": "desk"})


@needs("cases.view")
def detail(request: PageRequest, case_id: int) -> HttpResponse:
    """The case on a page of its own."""
    return render(request, "cases/detail.html", panel_context(request, case_id) | {"page": "detail"})
