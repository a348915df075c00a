from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.cases import selectors as cases
from shoufu.kernel.doors import selectors, services
from shoufu.kernel.doors.models import AccessPoint, Controller, Passage, Technology
from shoufu.kernel.doors.pages.common import act_and_return, attempt, number
from shoufu.kernel.doors.services.common import COMMAND, MANAGE, VIEW

COMMANDS = {
    "locked": gettext_lazy("Kept locked"),
    "released": gettext_lazy("Released"),
    "unlocked": gettext_lazy("Stands open"),
}
BOLTS = {
    "locked": gettext_lazy("Bolt out"),
    "unlocked": gettext_lazy("Bolt in"),
    "fault": gettext_lazy("Sensor broken"),
}
CONTACTS = {
    "closed": gettext_lazy("Door closed"),
    "open": gettext_lazy("Door open"),
    "fault": gettext_lazy("Sensor broken"),
}
MODES = {
    "Locked": gettext_lazy("Locked"),
    "Unlocked": gettext_lazy("Unlocked"),
    "Accessed": gettext_lazy("Being passed"),
    "Blocked": gettext_lazy("Blocked"),
    "LockedDown": gettext_lazy("Locked down"),
    "LockedOpen": gettext_lazy("Locked open"),
    "DoubleLocked": gettext_lazy("Double locked"),
}
ALARMS = {
    "forced": gettext_lazy("Forced open"),
    "open_warning": gettext_lazy("Open for long"),
    "open_too_long": gettext_lazy("Open too long"),
    "antipassback": gettext_lazy("Anti-passback"),
    "tailgating": gettext_lazy("Tailgating"),
    "interlock_fault": gettext_lazy("Interlock faulty"),
    "contact_fault": gettext_lazy("Contact faulty"),
    "fire": gettext_lazy("Released by the fire system"),
    "clock_lost": gettext_lazy("Clock lost"),
    "pin_lockout": gettext_lazy("Keypad shut: wrong PINs"),
    "tamper": gettext_lazy("Tampered with"),
    "reader_offline": gettext_lazy("Reader gone"),
    "reader_insecure": gettext_lazy("Reader not encrypted"),
    "rules_refused": gettext_lazy("Rule set refused"),
    "storage": gettext_lazy("Memory failing"),
}
SHOWN_BY = {
    "remote": gettext_lazy("From afar"),
    "button": gettext_lazy("Exit button"),
    "visitor": gettext_lazy("Visitor's code"),
    "unknown": gettext_lazy("Unknown"),
    **dict(Technology.choices),
}


@dataclass(frozen=True)
class Facts:
    """A door's four facts in words; empty where it has not told one."""

    command: Any
    bolt: Any
    contact: Any
    mode: Any
    alarm: Any
    open: bool


def facts(point: AccessPoint) -> Facts:
    """What a door last told, in the reader's language."""
    state = getattr(point, "state", None)
    if state is None:
        return Facts("", "", "", "", "", False)
    return Facts(
        COMMANDS.get(state.command, state.command),
        BOLTS.get(state.bolt, state.bolt),
        CONTACTS.get(state.contact, state.contact),
        MODES.get(state.mode, state.mode),
        ALARMS.get(state.alarm, state.alarm),
        state.contact == "open",
    )


def list_page() -> ListPage:
    return ListPage(
        title=_("Doors"),
        name="doors",
        row="doors/row.html",
        template="doors/list.html",
        default_sort="place",
        empty=_("Doors appear here once somebody sets them up: each is an output of a door controller."),
        columns=(
            Column("name", _("Door"), "code", lambda p: p.label),
            Column("place", _("Where"), "place__path", lambda p: p.place.label),
            Column("command", _("Command"), "", lambda p: facts(p).command),
            Column("bolt", _("Bolt"), "", lambda p: facts(p).bolt),
            Column("contact", _("Contact"), "state__contact", lambda p: facts(p).contact),
            Column("mode", _("Mode"), "state__mode", lambda p: facts(p).mode),
            Column("alarm", _("Alarm"), "state__alarm", lambda p: facts(p).alarm),
            Column("rules", _("Rule set")),
        ),
        filters=(
            Filter("kind", _("Kind"), lambda rows, value: rows.filter(kind=value), AccessPoint.Kind.choices),
            Filter("text", _("Name or code"), _text),
            Filter("alarm", _("Alarm"), _alarm, (("yes", _("With an alarm")), ("open", _("Door open")))),
        ),
    )


def _text(rows: Any, value: str) -> Any:
    return (
        rows.filter(name__icontains=value) | rows.filter(name_en__icontains=value) | rows.filter(code__icontains=value)
    )


def _alarm(rows: Any, value: str) -> Any:
    return rows.filter(state__contact="open") if value == "open" else rows.exclude(state__alarm="")


@needs(VIEW)
def listing(request: PageRequest) -> HttpResponseBase:
    """Doors of the scope with their four facts, and which of them still go by an old rule set."""
    path = request.scope.path
    return answer(
        request,
        list_page(),
        selectors.points(request.actor, path),
        tab="points",
        figures=selectors.figures(request.actor, path),
        downs=list(selectors.lock_downs(request.actor, path).filter(released_at__isnull=True)),
        fires=list(selectors.fire_releases(request.actor, path)[:20]),
        waiting=list(selectors.waiting_requests(request.actor, path)[:20]),
        may_manage=request.actor.may_anywhere(MANAGE),
        facts=facts,
    )


@needs(VIEW)
def rule_sets(request: PageRequest) -> HttpResponseBase:
    """Which controllers hold which rule set, those with an old one first."""
    page = ListPage(
        title=_("Rule sets"),
        name="rule-sets",
        row="doors/rule_set_row.html",
        template="doors/list.html",
        empty=_("Controllers appear here with their first door."),
        columns=(
            Column("device", _("Controller"), "device__code", lambda c: c.device.code),
            Column("place", _("Where"), "device__place__path", lambda c: c.device.place.label),
            Column("held", _("Holds"), "held", lambda c: c.held),
            Column("needed", _("Should hold"), "needed", lambda c: c.needed),
            Column("since", _("Behind since"), "since", lambda c: c.since),
            Column("sync", _("Last heard"), "last_sync", lambda c: c.last_sync),
            Column("clock", _("Clock"), "clock", lambda c: c.clock),
            Column("waiting", _("Events waiting"), "waiting", lambda c: c.waiting),
            Column("act", ""),
        ),
        filters=(Filter("stale", _("State"), _stale, (("yes", _("Old rule set")), ("no", _("Up to date")))),),
    )
    rows = selectors.controllers(request.actor, request.scope.path).order_by("since", "device__code")
    return answer(request, page, rows, tab="rules", may_manage=request.actor.may_anywhere(MANAGE))


def _stale(rows: Any, value: str) -> Any:
    return rows.filter(held__lt=F("needed")) if value == "yes" else rows.filter(held__gte=F("needed"))


def _context(request: PageRequest, point: AccessPoint, form: FormState | None = None) -> dict[str, Any]:
    actor = request.actor
    shown = selectors.look_passages(actor, point.pk)
    holders, count = selectors.who_may_pass(actor, point.pk, 100)
    duress = selectors.sees_duress(actor, point.place)
    return {
        "point": point,
        "facts": facts(point),
        "controller": Controller.objects.filter(device=point.controller_id).first(),
        "passages": [_told(row, duress) for row in shown],
        "holders": holders,
        "holder_count": count,
        "requests": list(selectors.open_requests(actor).filter(point=point)[:10]),
        "down": selectors.locked_down(actor, [point]).get(point.pk),
        "fire": selectors.fire_releases(actor).filter(point=point).first(),
        "modes": AccessPoint.Mode.choices,
        "cases": _cases(request, point) if point.dwelling else [],
        "may_command": actor.may(COMMAND, point.place.path),
        "may_manage": actor.may(MANAGE, point.place.path),
        "form": form or FormState(),
        "tab": "points",
    }


def _cases(request: PageRequest, point: AccessPoint) -> list[Any]:
    if not request.actor.may("cases.view", point.place.path):
        return []
    rows = cases.visible(request.actor).filter(state__in=["new", "acknowledged", "dispatched"])
    return list(rows.order_by("-opened_at")[:30])


@dataclass(frozen=True)
class Told:
    """A decision as the page tells it."""

    row: Passage
    who: str
    by: Any
    reason: str
    duress: bool


def _told(row: Passage, duress: bool) -> Told:
    owner = row.credential
    who = "" if owner is None else (owner.person.name if owner.person is not None else owner.holder)
    by = SHOWN_BY.get(row.technology, row.technology)
    return Told(row, who, by, selectors.reason_words(row.reason), duress and row.duress)


@needs(VIEW)
def detail(request: PageRequest, point_id: int) -> HttpResponse:
    """One door: its facts, the last decisions with their reasons, who may pass and why. A recorded look."""
    return render(request, "doors/detail.html", _context(request, selectors.point(request.actor, point_id)))


def _refused(request: PageRequest, point_id: int, form: FormState) -> HttpResponse:
    point = selectors.point(request.actor, point_id)
    return render(request, "doors/detail.html", _context(request, point, form), status=422)


@require_POST
@needs(COMMAND)
def open_door(request: PageRequest, point_id: int) -> HttpResponseBase:
    """Open from afar; the reason is kept. A dwelling's door waits for a second person."""
    given = request.POST

    def act() -> None:
        case = number(given.get("case", ""), "case")
        services.ask_open(request.actor, point_id, given.get("reason", ""), case, extended=given.get("extended") == "1")

    form = attempt(request, act, _("Asked; whether it opened appears below."))
    return _refused(request, point_id, form) if form else redirect("doors:detail", point_id)


@require_POST
@needs(COMMAND)
def set_mode(request: PageRequest, point_id: int) -> HttpResponseBase:
    """Bring the door into another mode, with a reason."""

    def act() -> None:
        services.set_mode(request.actor, point_id, request.POST.get("mode", ""), request.POST.get("reason", ""))

    form = attempt(request, act, _("Ordered; the door says when it has done so."))
    return _refused(request, point_id, form) if form else redirect("doors:detail", point_id)


@require_POST
@needs(COMMAND)
def reset_fire(request: PageRequest, point_id: int) -> HttpResponseBase:
    """Somebody has looked: the door may lock again after a fire release."""

    def act() -> None:
        services.reset_fire(request.actor, point_id, request.POST.get("reason", ""))

    form = attempt(request, act, _("The door may lock again."))
    return _refused(request, point_id, form) if form else redirect("doors:detail", point_id)


@require_POST
@needs(COMMAND)
def decide_open(request: PageRequest, request_id: int) -> HttpResponseBase:
    """The second person lets a dwelling's door be opened, or not."""
    if request.POST.get("answer") == "no":
        return act_and_return(
            request,
            lambda: services.refuse_open(request.actor, request_id, request.POST.get("reason", "")),
            _("Refused."),
            "doors:list",
        )
    return act_and_return(request, lambda: services.confirm_open(request.actor, request_id), _("Opened."), "doors:list")


@require_POST
@needs(COMMAND)
def forgive(request: PageRequest, point_id: int) -> HttpResponseBase:
    """Forget where everybody was last seen, in the door's compound."""
    point = selectors.point(request.actor, point_id)
    place = point.place.parent or point.place
    return act_and_return(
        request,
        lambda: services.forgive(request.actor, place.pk, None, request.POST.get("reason", "")),
        _("Forgiven; the controllers are told."),
        "doors:detail",
        point_id,
    )


@require_POST
@needs(MANAGE)
def trust(request: PageRequest, device_id: int) -> HttpResponseBase:
    """Trust a controller (again), or distrust one that was stolen or replaced."""
    if request.POST.get("answer") == "trust":
        return act_and_return(
            request, lambda: services.trust(request.actor, device_id), _("It gets rule sets again."), "doors:rule-sets"
        )
    return act_and_return(
        request,
        lambda: services.distrust(request.actor, device_id, request.POST.get("reason", "")),
        _("Its keys are worth nothing any more; all doors get new ones."),
        "doors:rule-sets",
    )
