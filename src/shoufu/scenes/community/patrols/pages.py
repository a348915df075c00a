from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import segno
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.base.errors import Conflict, Invalid
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.places import selectors as places
from shoufu.kernel.places.models import Place
from shoufu.scenes.community.patrols import documents, selectors, services
from shoufu.scenes.community.patrols.models import Round, Route

BEGINS, HOURS = time(8), 12


def _english() -> bool:
    return (get_language() or "").startswith("en")


def _workplaces(request: PageRequest, permission: str) -> list[Place]:
    """Compounds and districts where the actor has the permission."""
    rows = places.visible(request.actor).filter(kind__in=[Place.Kind.DISTRICT, Place.Kind.BLOCK, Place.Kind.COMPOUND])
    return [place for place in rows if request.actor.may(permission, place.path)]


@needs("patrols.view")
def today(request: PageRequest) -> HttpResponseBase:
    """What is due, under way and done: rounds of the scope, newest first; my shift above."""
    page = ListPage(
        title=_("Patrols"),
        name="patrols",
        row="community/patrols/row.html",
        template="community/patrols/today.html",
        default_sort="-due",
        empty=_("Rounds appear here twelve hours before they are due. A manager sets routes and times."),
        columns=(
            Column("due", _("Due at"), "due_at", lambda r: r.due_at),
            Column("route", _("Route"), "route__name", lambda r: r.route.name),
            Column("place", _("Where"), "route__place__path", lambda r: r.route.place.label),
            Column("state", _("State"), "state", lambda r: r.get_state_display()),
            Column("points", _("Points"), "", lambda r: f"{r.passed}/{r.stops}"),
            Column("walker", _("Who"), "", lambda r: r.walker.label if r.walker else ""),
        ),
        filters=(Filter("state", _("State"), lambda rows, value: rows.filter(state=value), Round.State.choices),),
    )
    rows = selectors.rounds(request.actor).filter(route__place__path__startswith=request.scope.path)
    shift = selectors.own_shift(request.actor)
    walkable = request.actor.may_anywhere(services.WALK)
    mine = (
        rows.filter(state__in=[Round.State.DUE, Round.State.WALKING]).order_by("due_at").first() if walkable else None
    )
    return answer(request, page, rows, shift=shift, first=mine, walkable=walkable, tab="today")


@needs("patrols.view")
def round_page(request: PageRequest, round_id: int) -> HttpResponse:
    """One round: the points in order, what comes next; begin, or end early with a reason."""
    found, form, status = selectors.round_(request.actor, round_id), FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        try:
            if request.POST.get("act") == "begin":
                services.begin(request.actor, round_id)
            else:
                services.finish(request.actor, round_id, request.POST.get("reason", ""))
            return redirect("community:patrols:round", round_id)
        except Invalid as refusal:
            form.errors, status = {error.field: str(error.message) for error in refusal.errors}, 422
        except Conflict as refusal:
            form.problem, status = refusal.detail, 409
    mine = found.state == Round.State.WALKING and found.walker_id == request.actor.user_id
    walkable = request.actor.may(services.WALK, found.route.place.path)
    context = {"round": found, "stops": selectors.stops(found), "form": form, "mine": mine, "walkable": walkable}
    return render(request, "community/patrols/round.html", context, status=status)


@needs("patrols.walk")
def point(request: PageRequest, code: str) -> HttpResponse:
    """Where a check point's QR code leads: the guard confirms that they stand here, and may note something."""
    found = selectors.point_by_code(request.actor, code)
    problem, status = "", 200
    if request.method == "POST":
        try:
            passing = services.scan(request.actor, code, request.POST.get("note", ""))
            messages.success(request, _("%(point)s is passed.") % {"point": found.name})
            return redirect("community:patrols:round", passing.round_id)
        except Conflict as refusal:
            problem, status = refusal.detail, 409
    return render(request, "community/patrols/point.html", {"point": found, "problem": problem}, status=status)


@needs("patrols.view")
def routes(request: PageRequest) -> HttpResponseBase:
    """The routes of the scope."""
    page = ListPage(
        title=_("Routes"),
        name="patrol-routes",
        row="community/patrols/route_row.html",
        template="community/patrols/routes.html",
        empty=_("A route is a list of check points with the times at which it is walked."),
        columns=(
            Column("name", _("Route"), "name", lambda r: r.name),
            Column("place", _("Where"), "place__path", lambda r: r.place.label),
            Column("times", _("Times"), "", lambda r: " ".join(r.times)),
            Column("points", _("Points"), "", lambda r: r.stops),
            Column("active", _("State"), "active", lambda r: _("In use") if r.active else _("Paused")),
        ),
    )
    rows = selectors.routes(request.actor).filter(place__path__startswith=request.scope.path)
    return answer(request, page, rows, tab="routes", manageable=request.actor.may_anywhere(services.MANAGE))


@needs("patrols.manage")
def route(request: PageRequest, route_id: int | None = None) -> HttpResponse:
    """Make or change a route."""
    found = selectors.route(request.actor, route_id) if route_id else None
    form = FormState(values=request.POST.dict() or _values(found, request))
    status = 200
    if request.method == "POST":
        try:
            saved = services.save_route(request.actor, _draft(request), route_id)
            messages.success(request, _("Saved. Print the codes of new check points."))
            return redirect("community:patrols:route", saved.pk)
        except Invalid as refusal:
            form.errors, status = {error.field: str(error.message) for error in refusal.errors}, 422
    context = {"route": found, "form": form, "places": _workplaces(request, services.MANAGE)}
    return render(request, "community/patrols/route.html", context, status=status)


def _values(found: Route | None, request: PageRequest) -> dict[str, str]:
    if found is None:
        return {"place": str(request.scope.id or ""), "grace_minutes": "30", "walk_minutes": "60", "active": "on"}
    return {
        "place": str(found.place_id),
        "name": found.name,
        "times": " ".join(found.times),
        "points": "\n".join(point.name for point in found.points.all()),
        "grace_minutes": str(found.grace_minutes),
        "walk_minutes": str(found.walk_minutes),
        "active": "on" if found.active else "",
    }


def _draft(request: PageRequest) -> services.RouteDraft:
    sent = request.POST
    return services.RouteDraft(
        place_id=_number(sent.get("place", "")),
        name=sent.get("name", ""),
        times=sent.get("times", "").replace("，", " ").replace(",", " ").replace("：", ":").split(),
        points=sent.get("points", "").splitlines(),
        grace_minutes=_number(sent.get("grace_minutes", "")),
        walk_minutes=_number(sent.get("walk_minutes", "")),
        active=sent.get("active") == "on",
    )


def _number(text: str) -> int:
    return int(text) if text.strip().isdecimal() else 0


@require_POST
@needs("patrols.manage")
def new_code(request: PageRequest, check_point_id: int) -> HttpResponse:
    found = services.replace_code(request.actor, check_point_id)
    messages.success(request, _("%(point)s has a new code; the old one counts no more.") % {"point": found.name})
    return redirect("community:patrols:codes", found.route_id)


@needs("patrols.manage")
def codes(request: PageRequest, route_id: int) -> HttpResponse:
    """The QR codes of a route, to print and put up."""
    found = selectors.route(request.actor, route_id)
    cards = []
    for stop in found.points.all():
        address = request.build_absolute_uri(reverse("community:patrols:point", args=[stop.code]))
        cards.append((stop, segno.make(address, error="m").svg_inline(scale=4, border=2)))
    return render(request, "community/patrols/codes.html", {"route": found, "cards": cards})


@needs("patrols.view")
def shift(request: PageRequest) -> HttpResponse:
    """Go on duty and read what was left; go off duty and leave a note. The last shifts below."""
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        try:
            if request.POST.get("act") == "begin":
                services.begin_shift(request.actor, _number(request.POST.get("place", "")))
            else:
                services.end_shift(request.actor, request.POST.get("note", ""))
            return redirect("community:patrols:shift")
        except Invalid as refusal:
            form.errors, status = {error.field: str(error.message) for error in refusal.errors}, 422
        except Conflict as refusal:
            form.problem, status = refusal.detail, 409
    rows = selectors.shifts(request.actor).filter(place__path__startswith=request.scope.path)
    mine = selectors.own_shift(request.actor)
    taken = rows.filter(read_by=request.actor.user_id, read_at=mine.began_at) if mine else ()
    waiting = list(rows.filter(ended_at__isnull=False, read_at__isnull=True).exclude(note="")[:5])
    context = {
        "form": form,
        "mine": mine,
        "taken": taken,
        "waiting": waiting,
        "shifts": rows[:20],
        "places": _workplaces(request, services.WALK),
        "tab": "shift",
    }
    return render(request, "community/patrols/shift.html", context, status=status)


@needs("patrols.view")
def report(request: PageRequest) -> HttpResponse:
    """What happened in a shift: on a page, or with `format=pdf` as a document."""
    place = request.scope.place or places.visible(request.actor).order_by("depth", "path").first()
    if place is None:
        raise Invalid.one("place", _("Choose a place where you work."))
    zone = ZoneInfo(place.time_zone)
    errors = {}
    try:
        day = (
            date.fromisoformat(request.GET["day"]) if request.GET.get("day") else timezone.now().astimezone(zone).date()
        )
        begins = time.fromisoformat(request.GET["from"]) if request.GET.get("from") else BEGINS
    except ValueError:
        errors["day"] = _("Write the day as 2026-11-24 and the time as 08:00.")
        day, begins = timezone.now().astimezone(zone).date(), BEGINS
    hours = min(max(_number(request.GET.get("hours", "")) or HOURS, 1), 24 * 7)
    since, until = selectors.span_of(place, day, begins, hours)
    found = selectors.report(request.actor, place, since, until)
    if request.GET.get("format") == "pdf" and not errors:
        answered = HttpResponse(documents.report_pdf(found, _english()), content_type="application/pdf")
        answered["Content-Disposition"] = f'attachment; filename="shift-{place.code}-{day}-{begins:%H%M}.pdf"'
        return answered
    kinds = [(documents.kind_name(line.kind, _english()), line) for line in found.kinds]
    context = {
        "report": found,
        "kinds": kinds,
        "day": day,
        "begins": f"{begins:%H:%M}",
        "hours": hours,
        "choices": (8, 12, 24, 168),
        "errors": errors,
        "before": day - timedelta(days=1),
        "tab": "report",
    }
    return render(request, "community/patrols/report.html", context)
