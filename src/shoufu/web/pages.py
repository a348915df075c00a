from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.base.pages import PageRequest, needs, public
from shoufu.web import scopes

YEAR = timedelta(days=365)


def home(request: PageRequest) -> HttpResponseBase:
    """The page that a person works on most: the desk, the audit, or their own."""
    if request.actor.may_anywhere("cases.view"):
        return redirect("desk")
    return redirect("audit:list" if request.actor.may_anywhere("audit.view") else "profile")


@needs("cases.view")
def overview(request: PageRequest) -> HttpResponseBase:
    """Figures and charts of the scope."""
    return render(request, "shell/overview.html", {})


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
    """Everything found for a text."""
    return render(request, "shell/search.html", {})


@public
def healthz(request: Any) -> HttpResponseBase:
    """Whether this process answers and reaches the database; for supervisors and load balancers."""
    with connection.cursor() as cursor:
        cursor.execute("select 1")
    return HttpResponse("ok", content_type="text/plain")


@public
def language(request: Any, code: str) -> HttpResponseBase:
    """Switch the language: kept with the user when signed in, in a cookie always."""
    if code not in dict(settings.LANGUAGES):
        raise NotFound(_("There is no such language here."))
    if request.user.is_authenticated:
        from shoufu.kernel.access import services as access

        access.set_preferences(request.actor, language=code)
    back = request.GET.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}):
        back = "/"
    response = HttpResponseRedirect(back)
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, code, max_age=YEAR, samesite="Lax")
    return response
