"""What a coordinator does with a visit, a person or a day: fragments beside the board, whole pages on a phone."""

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.scenes.homecare.planning import selectors, services, showing, words
from shoufu.scenes.homecare.planning.services import Wish
from shoufu.scenes.homecare.register.models import Institution
from shoufu.scenes.homecare.visits.models import Visit


def address(office: Institution, day: date) -> str:
    return f"{reverse('homecare:planning:board')}?institution={office.pk}&day={day.isoformat()}"


def changed(request: PageRequest, back: str, said: str) -> HttpResponse:
    """Done: the board is told, or the page goes back to it."""
    if "HX-Request" in request.headers:
        answer = render(request, "homecare/planning/done.html", {"said": said})
        answer["HX-Trigger"] = "plan-changed"
        return answer
    messages.success(request, said)
    return redirect(back)


def shown(request: PageRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """A fragment for the board, a whole page otherwise."""
    whole = "HX-Request" not in request.headers
    template = "homecare/planning/page.html" if whole else f"homecare/planning/{name}.html"
    return render(
        request, template, context | {"part": f"homecare/planning/{name}.html", "whole": whole}, status=status
    )


@needs(selectors.PLAN)
def visit(request: PageRequest, visit_id: int) -> HttpResponse:
    """A visit beside the board: why not, where it fits, who and when."""
    row = selectors.visit(request.actor, visit_id)
    form, refusal, status = FormState(values=request.POST.dict()), None, 200
    if request.method == "POST":
        try:
            said = _act(request, row)
            return changed(request, address(row.institution, row.day), said)
        except Invalid as problem:
            form.errors = {one.field: str(one.message) for one in problem.errors}
            status = 422
        except (Conflict, Forbidden) as problem:
            form.problem, status, refusal = problem.detail, problem.status, problem.extra
    about = showing.visit(request.actor, row.pk)
    context = {"form": form, "about": about, "visit": about.visit, "refusal": refusal or {}}
    context["back"] = address(row.institution, row.day)
    return shown(request, "visit", context, status)


def _act(request: PageRequest, row: Visit) -> str:
    sent = request.POST
    number = int(sent["number"][:9]) if sent.get("number", "").isdecimal() else None
    act = sent.get("act", "")
    deeds: dict[str, Callable[[], object]] = {
        "assign": lambda: services.assign(request.actor, row.pk, _wish(request, row), number),
        "take": lambda: services.assign(request.actor, row.pk, _offer(request), number, pin="pin" in sent),
        "insert": lambda: services.insert_request(request.actor, row.pk, number),
        "unassign": lambda: services.unassign(request.actor, row.pk, number),
        "pin": lambda: services.pin(request.actor, row.pk, number),
        "unpin": lambda: services.pin(request.actor, row.pk, number, pinned=False),
    }
    if act not in deeds:
        raise Invalid.one("act", _("Use one of: %(kinds)s.") % {"kinds": ", ".join(deeds)})
    deeds[act]()
    return _("Saved: %(patient)s.") % {"patient": row.patient.person.name}


def _offer(request: PageRequest) -> Wish:
    """A place from the list: "7,9@2026-11-30T09:15:00+08:00"."""
    people, _at, moment = request.POST.get("offer", "").partition("@")
    try:
        return Wish([int(one) for one in people.split(",")], datetime.fromisoformat(moment))
    except ValueError as error:
        raise Invalid.one("offer", _("Choose one of the places.")) from error


def _wish(request: PageRequest, row: Visit) -> Wish:
    crew: list[int | None] = []
    for text in request.POST.getlist("who"):
        crew.append(int(text) if text.isdecimal() and len(text) < 10 else None)
    text = request.POST.get("when", "").strip()
    if not text:
        return Wish(crew)
    try:
        clock = time.fromisoformat(text)
    except ValueError as error:
        raise Invalid.one("when", _("Write the time as hours and minutes, such as 10:00.")) from error
    return Wish(crew, datetime.combine(row.day, clock, ZoneInfo(row.institution.place.time_zone)))


@needs(selectors.PLAN)
def person(request: PageRequest, practitioner_id: int) -> HttpResponse:
    """Somebody's day beside the board: their route; what if they are late or ill."""
    row = selectors.practitioner(request.actor, practitioner_id)
    day = _day(request, row.institution)
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        try:
            made = _event(request, row.pk, row.institution, day)
            return redirect("homecare:planning:proposal", made.pk)
        except Invalid as problem:
            form.errors = {one.field: str(one.message) for one in problem.errors}
            status = 422
        except (Conflict, Forbidden, NotFound) as problem:
            form.problem, status = problem.detail, problem.status
    zone = row.institution.place.time_zone
    stops = [
        {"stop": one, "start": words.local(one.starts_at, zone), "leave": words.local(one.leave_at, zone)}
        for one in selectors.route(row, day)
    ]
    context = {"person": row, "day": day, "stops": stops, "form": form, "back": address(row.institution, day)}
    return shown(request, "person", context, status)


def _day(request: PageRequest, office: Institution) -> date:
    text = request.POST.get("day") or request.GET.get("day") or ""
    if not text:
        return selectors.today(office)
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid.one("day", _("Write a day like 2026-11-23.")) from error


def _event(request: PageRequest, practitioner_id: int, office: Institution, day: date) -> Any:
    act = request.POST.get("act", "")
    if act == "ill":
        return services.nurse_ill(request.actor, practitioner_id, day)
    if act == "late":
        try:
            clock = time.fromisoformat(request.POST.get("until", "").strip())
        except ValueError as error:
            raise Invalid.one("until", _("Write the time as hours and minutes, such as 10:00.")) from error
        until = datetime.combine(day, clock, ZoneInfo(office.place.time_zone))
        return services.nurse_late(request.actor, practitioner_id, until)
    raise Invalid.one("act", _("Use one of: %(kinds)s.") % {"kinds": "ill, late"})


@require_POST
@needs(selectors.PLAN)
def day(request: PageRequest) -> HttpResponse:
    """Plan a day anew, fit in what is open, or undo one's last change."""
    sent = request.POST
    text = sent.get("institution", "")
    office = selectors.office(request.actor, int(text) if text.isdecimal() and len(text) < 10 else 0)
    on, act = _day(request, office), sent.get("act", "")
    if act == "anew":
        seconds = float(sent["seconds"]) if sent.get("seconds", "").isdecimal() else 10.0
        made = services.plan_day(request.actor, office.pk, on, seconds)
        return redirect("homecare:planning:proposal", made.pk)
    if act == "mend":
        return redirect("homecare:planning:proposal", services.mend(request.actor, office.pk, on).pk)
    if act == "undo":
        number = int(sent["number"][:9]) if sent.get("number", "").isdecimal() else 0
        try:
            services.undo(request.actor, office.pk, on, number)
        except Conflict as problem:
            if "HX-Request" in request.headers:
                raise
            messages.error(request, problem.detail)
            return redirect(address(office, on))
        return changed(request, address(office, on), _("Undone."))
    raise Invalid.one("act", _("Use one of: %(kinds)s.") % {"kinds": "anew, mend, undo"})
