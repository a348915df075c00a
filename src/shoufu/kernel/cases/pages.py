from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_POST

from shoufu.kernel.base import registry
from shoufu.kernel.base.errors import Conflict, Invalid, NotFound
from shoufu.kernel.base.lists import Bulk, Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.cases import selectors, services
from shoufu.kernel.cases.lifecycle import STEPS, case_kind, next_role
from shoufu.kernel.cases.models import Case, CaseEvent, Evidence, Feedback, Severity
from shoufu.kernel.cases.parts import panel_parts
from shoufu.kernel.notices import selectors as notices
from shoufu.kernel.places.selectors import with_names
from shoufu.kernel.rules.explain import fired

MARKS = {
    "raised": "high",
    "repeated": "high",
    "acknowledged": "accent",
    "dispatched": "accent",
    "resolved": "good",
    "closed": "good",
    "false_alarm": "good",
    "escalated": "critical",
}

REFERRED = {
    "sent": _lazy("Referred to %(to)s"),
    "received": _lazy("Received by %(to)s"),
    "accepted": _lazy("Accepted by %(to)s"),
    "refused": _lazy("Refused by %(to)s"),
    "ended": _lazy("Outcome from %(to)s"),
    "withdrawn": _lazy("Withdrawn from %(to)s"),
    "late": _lazy("Not received by %(to)s in time"),
    "undelivered": _lazy("Could not be delivered to %(to)s"),
}


def _english() -> bool:
    return (get_language() or "").startswith("en")


def kind_label(code: str) -> str:
    """A case kind's name in the reader's language."""
    kind = case_kind(code)
    return kind.name_en if _english() else kind.name


def role_label(code: str) -> str:
    """A role's name in the reader's language."""
    role = registry.roles().get(code)
    return (role.name_en if _english() else role.name) if role else code


def waiting(request: PageRequest) -> selectors.QueueCounts:
    """The numbers of the queue in this request's scope, counted once however many parts of the page show them."""
    found: selectors.QueueCounts | None = getattr(request, "_waiting", None)
    if found is None:
        found = selectors.queue_counts(request.actor, request.scope.path)
        request._waiting = found  # type: ignore[attr-defined]
    return found


def title_of(case: Case) -> str:
    return case.title_en if _english() and case.title_en else case.title


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
class Line:
    """A line of the timeline: when, what in words, and the mark's colour."""

    at: Any
    mark: str
    what: str
    who: str
    text: str
    evidence: str = ""


def _what(event: Any) -> str:
    data: Mapping[str, Any] = event.data if isinstance(event.data, dict) else {}
    receiver = data.get("user") or (role_label(data["role"]) if data.get("role") else "")
    if event.kind == "dispatched" and receiver:
        return _("Dispatched to %(who)s") % {"who": receiver}
    if event.kind == "escalated" and data.get("role"):
        return _("Time limit passed: escalated to %(role)s") % {"role": role_label(data["role"])}
    if event.kind == "evidence" and data.get("missing"):
        return _("No recording of that time: %(cameras)s") % {"cameras": ", ".join(data["missing"])}
    if event.kind == "raised":
        return _("Rule fired") if data.get("why") or data.get("observations") else _("Raised")
    if event.kind == "referral" and data.get("to"):
        return REFERRED.get(str(data.get("step")), REFERRED["sent"]) % {"to": data["to"]}
    return str(event.get_kind_display())


def _lines(request: PageRequest, case: Case, events: Iterable[CaseEvent]) -> list[Line]:
    rows = [
        Line(
            event.at,
            MARKS.get(event.kind, ""),
            _what(event),
            "" if event.actor == "system" else event.actor,
            event.text,
        )
        for event in events
    ]
    for notice in notices.of_case(request.actor, case.pk):
        if request.moment.known and notice.created_at > request.moment.known:
            continue
        whom = notice.user.label if notice.user else ""
        said = _("Told %(who)s (%(channel)s): %(state)s") % {
            "who": whom or _("an endpoint"),
            "channel": notice.get_channel_display(),
            "state": notice.get_state_display(),
        }
        rows.append(Line(notice.created_at, "accent", said, "", ""))
    return sorted(rows, key=lambda line: line.at, reverse=True)


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
        "lines": _lines(request, case, events),
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


Act = Callable[[PageRequest, int, int | None], Any]


def _version(request: PageRequest) -> int | None:
    text = request.POST.get("version", "")
    return int(text) if text.isdigit() else None


def _dispatch(request: PageRequest, case_id: int, version: int | None) -> Any:
    receiver = request.POST.get("receiver", "")
    kind, _colon, value = receiver.partition(":")
    user_id = int(value) if kind == "user" and value.isdigit() else None
    role = value if kind == "role" else ""
    return services.dispatch(
        request.actor, case_id, version, user_id=user_id, role=role, text=request.POST.get("text", "")
    )


def _merge(request: PageRequest, case_id: int, version: int | None) -> Any:
    number = request.POST.get("into", "").strip()
    try:
        target = selectors.by_number(request.actor, number)
    except NotFound as error:
        raise Invalid.one("into", _("There is no case with this number; write it like C-20261123-0147.")) from error
    return services.merge(request.actor, case_id, version, into=target.pk)


ACTS: dict[str, Act] = {
    "acknowledge": lambda r, c, v: services.acknowledge(r.actor, c, v),
    "dispatch": _dispatch,
    "resolve": lambda r, c, v: services.resolve(r.actor, c, v, outcome=r.POST.get("outcome", "")),
    "close": lambda r, c, v: services.close(r.actor, c, v, text=r.POST.get("text", "")),
    "false_alarm": lambda r, c, v: services.false_alarm(r.actor, c, v, reason=r.POST.get("reason", "")),
    "merge": _merge,
    "reopen": lambda r, c, v: services.reopen(r.actor, c, v, reason=r.POST.get("reason", "")),
    "note": lambda r, c, v: services.note(r.actor, c, r.POST.get("text", "")),
    "feedback": lambda r, c, v: services.give_feedback(r.actor, c, r.POST.get("verdict", ""), r.POST.get("text", "")),
}


@require_POST
@needs("cases.handle")
def act(request: PageRequest, case_id: int, name: str) -> HttpResponseBase:
    """Carry out a step; refusals stand beside the field, and of two operators the second is told who was first."""
    if name not in ACTS:
        raise NotFound(_("There is no such action."))
    form, status = FormState(values=request.POST.dict()), 200
    try:
        ACTS[name](request, case_id, _version(request))
    except Conflict as refusal:
        form.problem, status = refusal.detail, 409
    except Invalid as refusal:
        form.errors, status = {error.field: str(error.message) for error in refusal.errors}, 422
        form.values["open"] = name
    if "HX-Request" not in request.headers and status == 200:
        return redirect("cases:detail", case_id)
    context = panel_context(request, case_id, form) | {"page": request.POST.get("page", "detail")}
    if "HX-Request" not in request.headers:
        return render(request, "cases/detail.html", context, status=status)
    response = render(request, "cases/panel.html", context, status=status)
    response["HX-Trigger"] = "case-changed"
    return response


def _choices(field: str) -> Callable[[QuerySet[Case], str], QuerySet[Case]]:
    return lambda rows, value: rows.filter(**{f"{field}__in": value.split(",")})


def _state(rows: QuerySet[Case], value: str) -> QuerySet[Case]:
    return rows.filter(state__in=Case.OPEN if value == "open" else value.split(","))


def _text(rows: QuerySet[Case], value: str) -> QuerySet[Case]:
    return (
        rows.filter(title__icontains=value)
        | rows.filter(number__icontains=value)
        | rows.filter(title_en__icontains=value)
    )


def _day(field: str) -> Callable[[QuerySet[Case], str], QuerySet[Case]]:
    def narrow(rows: QuerySet[Case], value: str) -> QuerySet[Case]:
        try:
            day = parse_date(value)
        except ValueError:
            day = None
        if day is None:
            raise Invalid.one(field, _("Not a day. Write it like 2026-11-23."))
        return rows.filter(**{field: day})

    return narrow


def list_page() -> ListPage:
    """The list of cases, in the reader's language."""
    kinds = [(code, kind_label(code)) for code in registry.case_kinds()]
    return ListPage(
        title=_("Cases"),
        name="cases",
        row="cases/row.html",
        default_sort="-opened",
        empty=_("Cases appear here when a rule fires or somebody reports one. Switch on a rule to begin."),
        columns=(
            Column("severity", _("Severity"), "severity_rank", lambda c: c.get_severity_display()),
            Column("number", _("Case"), "number", lambda c: c.number),
            Column("title", _("What"), csv=title_of, css="d-none"),
            Column("place", _("Where"), "place__path", lambda c: c.place.label),
            Column("opened", _("Since"), "opened_at", lambda c: timezone.localtime(c.opened_at).isoformat()),
            Column("state", _("State"), "state", lambda c: c.get_state_display()),
            Column("turn", _("Whose turn"), "", lambda c: c.assignee.label if c.assignee else role_label(c.role)),
            Column("outcome", _("Outcome"), "", lambda c: c.outcome),
        ),
        filters=(
            Filter(
                "state",
                _("State"),
                _state,
                [("open", _("Open ones")), *((code, str(word)) for code, word in Case.State.choices)],
            ),
            Filter("severity", _("Severity"), _choices("severity"), Severity.choices),
            Filter("kind", _("Kind"), _choices("kind"), kinds),
            Filter("day", _("Day (2026-11-23)"), _day("opened_at__date")),
            Filter("text", _("Number or words"), _text),
        ),
        bulk=(
            Bulk(_("Acknowledge"), reverse("cases:bulk", args=["acknowledge"]), "hand-stop"),
            Bulk(_("False alarm"), reverse("cases:bulk", args=["false_alarm"]), "x", ask=_("What it was instead")),
        ),
    )


@needs("cases.view")
def listing(request: PageRequest) -> HttpResponseBase:
    """Cases of the scope: filters in the address, sort, page, CSV, act on many."""
    rows = selectors.listing(request.actor, selectors.CaseFilter(place=request.scope.path))
    return answer(request, list_page(), with_names(rows).defer("device__config"))


@require_POST
@needs("cases.handle")
def bulk(request: PageRequest, name: str) -> HttpResponseBase:
    """Acknowledge many, or call many false alarms; says how many somebody else had taken."""
    ids = [int(text) for text in request.POST.getlist("ids") if text.isdigit()]
    if name == "acknowledge":
        done, left = services.acknowledge_many(request.actor, ids)
    elif name == "false_alarm":
        done, left = services.false_alarm_many(request.actor, ids, request.POST.get("reason", ""))
    else:
        raise NotFound(_("There is no such action."))
    said = ngettext("%(n)d case done.", "%(n)d cases done.", len(done)) % {"n": len(done)}
    if left:
        said += " " + ngettext(
            "%(n)d was left alone: somebody else had it or it allows no such step.",
            "%(n)d were left alone: somebody else had them or they allow no such step.",
            len(left),
        ) % {"n": len(left)}
    messages.success(request, said)
    return redirect("cases:list")


@needs("cases.handle")
def report(request: PageRequest) -> HttpResponseBase:
    """Report a case by hand."""
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        place = request.POST.get("place", "")
        draft = services.CaseReport(
            place_id=int(place) if place.isdigit() else 0,
            title=request.POST.get("title", ""),
            severity=request.POST.get("severity", "medium"),
            text=request.POST.get("text", ""),
        )
        try:
            case = services.report(request.actor, draft)
            return redirect("cases:detail", case.pk)
        except Invalid as refusal:
            form.errors, status = {error.field: str(error.message) for error in refusal.errors}, 422
    from shoufu.kernel.places import selectors as places

    spots = places.subtree(request.actor, request.scope.place).exclude(kind="door")[:500]
    return render(
        request,
        "cases/report.html",
        {"form": form, "places": spots, "severities": Severity.choices},
        status=status,
    )
