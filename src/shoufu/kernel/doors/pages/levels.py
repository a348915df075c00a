from datetime import date
from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.doors import selectors, services
from shoufu.kernel.doors.models import Assignment, SpecialDay
from shoufu.kernel.doors.pages.common import act_and_return, attempt, compounds, number
from shoufu.kernel.doors.services import (
    AssignmentDraft,
    DoorDraft,
    LevelDraft,
    ScheduleDraft,
    SpecialDayDraft,
)
from shoufu.kernel.doors.services.common import MANAGE, VIEW
from shoufu.kernel.doors.spans import DAYS
from shoufu.kernel.places.selectors import with_names

DAY_WORDS = dict(
    zip(
        DAYS,
        (
            gettext_lazy("Mon"),
            gettext_lazy("Tue"),
            gettext_lazy("Wed"),
            gettext_lazy("Thu"),
            gettext_lazy("Fri"),
            gettext_lazy("Sat"),
            gettext_lazy("Sun"),
            gettext_lazy("Holidays"),
        ),
        strict=True,
    )
)
ROWS = 4


@needs(VIEW)
def listing(request: PageRequest) -> HttpResponseBase:
    """Access levels of the scope, with their doors and holders."""
    page = ListPage(
        title=_("Access levels"),
        name="levels",
        row="doors/level_row.html",
        template="doors/list.html",
        default_sort="place",
        empty=_("A level is a set of doors that people are given, such as the gates and the door of one unit."),
        columns=(
            Column("name", _("Level"), "name", lambda row: row.label),
            Column("place", _("Where"), "place__path", lambda row: row.place.label),
            Column("doors", _("Doors"), "door_count", lambda row: row.door_count, css="num"),
            Column("holders", _("Holders"), "holder_count", lambda row: row.holder_count, css="num"),
        ),
        filters=(Filter("text", _("Name or code"), _text),),
    )
    rows = selectors.levels(request.actor, request.scope.path)
    context = {"tab": "levels", "may_manage": request.actor.may_anywhere(MANAGE)}
    schedules = selectors.schedules(request.actor, request.scope.path)
    return answer(request, page, with_names(rows), schedules=schedules, **context)


def _text(rows: Any, value: str) -> Any:
    return rows.filter(name__icontains=value) | rows.filter(code__icontains=value)


def _doors(request: PageRequest) -> list[DoorDraft]:
    picked = [int(one) for one in request.POST.getlist("doors") if one.isdigit()]
    return [DoorDraft(pk, number(request.POST.get(f"schedule_{pk}", ""), "schedule")) for pk in picked]


@needs(VIEW)
def level(request: PageRequest, level_id: int = 0) -> HttpResponseBase:
    """One level: its doors with their schedules, and who has it; or a new one."""
    found = selectors.level(request.actor, level_id) if level_id else None
    form = FormState()
    if request.method == "POST":
        given, made = request.POST, []

        def act() -> None:
            if found is not None:
                version = number(given.get("version", ""), "version")
                made.append(
                    services.change_level(request.actor, found.pk, _doors(request), version, given.get("name", ""))
                )
                return
            place = number(given.get("place", ""), "place") or 0
            draft = LevelDraft(given.get("code", "").strip(), given.get("name", ""), place, _doors(request))
            made.extend(services.create_levels(request.actor, [draft]))

        refused = attempt(request, act, _("Saved; the doors are told at once."))
        if refused is None:
            return redirect("doors:level", made[0].pk)
        form = refused
    path = found.place.path if found else request.scope.path
    compound = "/".join(path.split("/")[:4]) + "/" if found else path
    doors = {row.point_id: row.schedule_id for row in found.doors.all()} if found else {}
    if request.method == "POST":
        doors = {draft.point: draft.schedule for draft in _doors(request)}
    holders = _holders(level_id) if found else []
    return render(
        request,
        "doors/level.html",
        {
            "level": found,
            "form": form,
            "points": selectors.points(request.actor, compound).order_by("place__path", "code")[:300],
            "doors": doors,
            "schedules": list(selectors.schedules(request.actor)),
            "holders": holders,
            "places": compounds(request, MANAGE),
            "may_manage": request.actor.may(MANAGE, path) if found else True,
            "tab": "levels",
        },
        status=422 if request.method == "POST" else 200,
    )


def _holders(level_id: int) -> list[Assignment]:
    now = timezone.now()
    rows = Assignment.objects.filter(level=level_id).exclude(until__lte=now)
    return list(rows.select_related("person", "credential").order_by("-since")[:200])


@require_POST
@needs(MANAGE)
def assign(request: PageRequest, level_id: int) -> HttpResponseBase:
    """Give a person the level, or take it away."""
    gone = [int(one) for one in request.POST.getlist("gone") if one.isdigit()]
    if gone:
        reason = request.POST.get("reason", "")
        return act_and_return(
            request, lambda: services.unassign(request.actor, gone, reason), _("Taken away."), "doors:level", level_id
        )

    def act() -> None:
        person = number(request.POST.get("person", ""), "person")
        if person is None:
            raise Invalid.one("person", _("Choose a person, or say whose it is."))
        services.assign(request.actor, [AssignmentDraft(level_id, person=person)])

    return act_and_return(request, act, _("Given; the doors are told at once."), "doors:level", level_id)


def _spans(request: PageRequest) -> list[dict[str, Any]]:
    given = request.POST
    found = []
    for n in range(ROWS):
        days = [day for day in given.getlist(f"days_{n}") if day]
        if days:
            found.append({"days": days, "from": given.get(f"from_{n}", ""), "to": given.get(f"to_{n}", "")})
    if not found:
        raise Invalid.one("spans", _("Choose days and times for at least one line."))
    return found


@needs(VIEW)
def schedule(request: PageRequest, schedule_id: int = 0) -> HttpResponseBase:
    """One schedule, or a new one: up to four lines of days and times."""
    found = selectors.schedule(request.actor, schedule_id) if schedule_id else None
    form = FormState()
    if request.method == "POST":
        given = request.POST

        def act() -> None:
            if found is not None:
                version = number(given.get("version", ""), "version")
                services.change_schedule(request.actor, found.pk, _spans(request), version)
                return
            place = number(given.get("place", ""), "place") or 0
            draft = ScheduleDraft(given.get("code", "").strip(), given.get("name", ""), place, _spans(request))
            services.create_schedules(request.actor, [draft])

        refused = attempt(request, act, _("Saved; the doors are told at once."))
        if refused is None:
            return redirect("doors:levels")
        form = refused
    spans = (
        list(found.spans) if found else [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "18:00"}]
    )
    lines = [{"days": [], "from": "", "to": ""} | (spans[n] if n < len(spans) else {}) for n in range(ROWS)]
    return render(
        request,
        "doors/schedule.html",
        {
            "schedule": found,
            "form": form,
            "lines": [(line["days"], line["from"], line["to"]) for line in lines],
            "days": list(DAY_WORDS.items()),
            "places": compounds(request, MANAGE),
            "may_manage": request.actor.may(MANAGE, found.place.path) if found else True,
            "tab": "levels",
        },
        status=422 if request.method == "POST" else 200,
    )


@needs(VIEW)
def special_days(request: PageRequest) -> HttpResponseBase:
    """Holidays and make-up working days; a line can be added or taken away."""
    form = FormState()
    if request.method == "POST":
        given = request.POST

        def act() -> None:
            if gone := number(given.get("gone", ""), "gone"):
                return services.remove_special_day(request.actor, gone)
            try:
                day = date.fromisoformat(given.get("day", ""))
            except ValueError as error:
                raise Invalid.one("day", _("Write a day such as 2026-10-01.")) from error
            kind = given.get("kind", "")
            stands_for = number(given.get("stands_for", ""), "stands_for") if kind == "workday" else None
            place = number(given.get("place", ""), "place")
            draft = SpecialDayDraft(day, kind, given.get("name", ""), "", stands_for, place, given.get("source", ""))
            services.set_special_days(request.actor, [draft])
            return None

        refused = attempt(request, act, _("Saved; the doors are told at once."))
        if refused is None:
            return redirect("doors:days")
        form = refused
    return render(
        request,
        "doors/days.html",
        {
            "form": form,
            "rows": selectors.special_days(request.actor),
            "kinds": SpecialDay.Kind.choices,
            "days": list(enumerate(list(DAY_WORDS.values())[:7], start=1)),
            "places": compounds(request, MANAGE),
            "may_manage": request.actor.may_anywhere(MANAGE),
            "tab": "days",
        },
        status=422 if request.method == "POST" else 200,
    )
