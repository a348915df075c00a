from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from shoufu.kernel.access import services as access
from shoufu.kernel.base import registry
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.base.pages import PageRequest, needs, public
from shoufu.kernel.cases import selectors as cases
from shoufu.kernel.cases.pages import waiting
from shoufu.kernel.places import selectors as places
from shoufu.web import overview as reports
from shoufu.web import scopes, wall
from shoufu.web import search as finder
from shoufu.web.health import selectors as health

YEAR = timedelta(days=365)


def home(request: PageRequest) -> HttpResponseBase:
    """The page that a person works on most: the desk, the audit, or their own."""
    if request.actor.may_anywhere("cases.view"):
        return redirect("desk")
    if request.actor.may_anywhere("referrals.receive"):
        return redirect("referrals:console")
    if request.actor.may_anywhere("payments.reconcile"):
        return redirect("payments:orders")
    if request.actor.may_anywhere("audit.view"):
        return redirect("audit:list")
    own = (item for scene in registry.scenes() for item in scene.menu if request.actor.may_anywhere(item.permission))
    first = next(own, None)
    return redirect(first.url if first else "profile")


@needs("cases.view")
def overview(request: PageRequest) -> HttpResponseBase:
    """Figures and charts of the scope."""
    span = request.GET.get("span", "day")
    span = span if span in reports.SPANS else "day"
    until = request.moment.at or timezone.now()
    since = until - reports.SPANS[span]
    actor, path = request.actor, request.scope.path
    return render(
        request,
        "shell/overview.html",
        {
            "figures": cases.figures(actor, path, since, until, waiting(request)),
            "scene_figures": reports.scene_figures(actor, path),
            "kinds": reports.by_kind(actor, request.scope, since, until),
            "urgent": places.with_names(cases.queue(actor, cases.CaseFilter(place=path)))[:5],
            "charts": reports.charts(actor, request.scope, span, until),
            "span": span,
            "spans": [("day", _("24 hours")), ("week", _("7 days")), ("month", _("30 days"))],
        },
    )


@needs("cases.view")
def wall_screen(request: PageRequest) -> HttpResponseBase:
    """The wide screen of the operation centre: few figures, no scrolling; refreshes itself."""
    actor, path, now = request.actor, request.scope.path, timezone.now()
    sites = wall.sites(actor, request.scope)
    day = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return render(
        request,
        "shell/wall.html",
        {
            "scope": request.scope,
            "waiting": wall.waiting(actor, path),
            "figures": cases.figures(actor, path, day, now, waiting(request)),
            "scene_figures": reports.scene_figures(actor, path)[:2],
            "spots": wall.spots(actor, request.scope, sites),
            "roads": wall.roads(actor, sites),
            "urgent": wall.urgent(actor, path),
            "columns": wall.columns(actor, path, now),
            "cameras": wall.cameras(actor, path),
            "may_look": actor.may_anywhere("media.view"),
            "doors": wall.worst_doors(actor, path, now),
            "rules": wall.false_alarms(actor, path, now),
            "health": health.devices(actor, path),
            "now": now,
        },
    )


@needs("media.view")
def camera_wall(request: PageRequest) -> HttpResponseBase:
    """Every camera of the scope (36 at most), a picture a second each; looks are noted once an hour."""
    views = wall.cameras(request.actor, request.scope.path, wall.WALL_CAMERAS)
    columns = next((n for n in range(1, 7) if n * n >= len(views)), 6)
    context = {"scope": request.scope, "cameras": views, "columns": columns, "now": timezone.now()}
    return render(request, "shell/camera_wall.html", context)


def scope_menu(request: PageRequest) -> HttpResponseBase:
    """The tree of places to switch the scope to; links keep the page that asked (`next`)."""
    back = request.GET.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}):
        back = "/"
    rows = scopes.choices(request.actor, request.scope, back)
    return render(
        request,
        "shell/scope_menu.html",
        {"rows": rows, "everything": scopes.with_place(back, 0), "scope": request.scope},
    )


def search(request: PageRequest) -> HttpResponseBase:
    """Everything found for a text: cases, people (with the right), plates, devices, places, rules."""
    text = request.GET.get("q", "").strip()
    groups = finder.everything(request.actor, text)
    template = "shell/search_hits.html" if "HX-Request" in request.headers else "shell/search.html"
    return render(request, template, {"groups": groups, "text": text})


@public
def healthz(request: Any) -> HttpResponseBase:
    """Whether this process answers and reaches the database; for supervisors and load balancers."""
    with connection.cursor() as cursor:
        cursor.execute("select 1")
    return HttpResponse("ok", content_type="text/plain")


@public
def push_worker(request: Any) -> HttpResponseBase:
    """The service worker for web push; it must come from the top to serve every page."""
    script = Path(__file__).parent / "static" / "shell" / "push-worker.js"
    return HttpResponse(script.read_bytes(), content_type="text/javascript; charset=utf-8")


@public
def language(request: Any, code: str) -> HttpResponseBase:
    """Switch the language: kept with the user when signed in, in a cookie always."""
    if code not in dict(settings.LANGUAGES):
        raise NotFound(_("There is no such language here."))
    if request.user.is_authenticated:
        access.set_preferences(request.actor, access.Preferences(language=code))
    back = request.GET.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}):
        back = "/"
    response = HttpResponseRedirect(back)
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, code, max_age=YEAR, samesite="Lax")
    return response
