from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.dateparse import parse_datetime
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from shoufu.kernel.access import selectors as access
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Invalid, NotFound, Problem
from shoufu.kernel.base.memory import one_request
from shoufu.kernel.base.pages import Moment, Scope
from shoufu.kernel.places import selectors as places

ANONYMOUS = Actor(kind="anonymous", id="", label="")
PUBLIC_PREFIXES = ("/accounts/", "/static/", "/api/", "/v1/")
LANGUAGE_COOKIE = settings.LANGUAGE_COOKIE_NAME
# Styles may be inline (positions of marks, ring angles); scripts may not. Blob workers are MapLibre's.
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; worker-src 'self' blob:; connect-src 'self'; font-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class ActorMiddleware:
    """Sets `request.actor`, `request.scope` and `request.moment`; everything but public paths needs a sign-in."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponseBase:
        request.token_used = False
        request.actor = _actor(request)
        timezone.deactivate()
        request.scope = SimpleLazyObject(lambda: _in_its_zone(_scope(request)))
        request.moment = SimpleLazyObject(lambda: _moment(request))
        with one_request():
            return self.get_response(request)

    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> HttpResponseBase | None:
        if request.actor.kind != "anonymous" or getattr(view, "public", False):
            return None
        if request.path.startswith(PUBLIC_PREFIXES):
            return None
        if wants_problem(request):
            return problem_response(Problem(_("Sign in first"), status=401, kind="unauthenticated"))
        return redirect_to_login(request.get_full_path())


def _actor(request: Any) -> Actor:
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        request.token_used = True
        return access.actor_for_token(token.strip()) or ANONYMOUS
    if not request.user.is_authenticated:
        return ANONYMOUS
    return access.actor_for_user(request.user)


def _in_its_zone(scope: Scope) -> Scope:
    """Times of the page are those of its place."""
    if scope.place is not None:
        timezone.activate(scope.place.time_zone)
    return scope


def _scope(request: Any) -> Scope:
    """From `?place=ID` (kept in the session; 0 is everything), else as chosen before, else the actor's only root."""
    actor: Actor = request.actor
    if actor.kind == "anonymous":
        return Scope()
    asked = request.GET.get("place", "")
    if asked:
        if not asked.isdigit():
            raise Invalid.one("place", _("The place must be a number."))
        place = places.get(actor, int(asked)) if asked != "0" else None
        if not request.token_used:
            request.session["place"] = int(asked)
        return Scope(place.path, place) if place else Scope()
    kept = request.session.get("place")
    if kept:
        try:
            place = places.get(actor, kept)
        except NotFound:
            request.session.pop("place", None)
        else:
            return Scope(place.path, place)
    if kept == 0:
        return Scope()
    roots = places.roots(actor)
    return Scope(roots[0].path, roots[0]) if len(roots) == 1 else Scope()


def _time(request: Any, name: str) -> datetime | None:
    text = request.GET.get(name, "").replace(" ", "+")
    if not text:
        return None
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise Invalid.one(name, _("Not a time. Write it like 2026-11-23T18:42:07+08:00."))
    return found if timezone.is_aware(found) else timezone.make_aware(found)


def _moment(request: Any) -> Moment:
    at = _time(request, "at")
    return Moment(at, _time(request, "known") or at) if at else Moment()


class LanguageMiddleware:
    """The user's language, else the cookie's, else the default."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponseBase:
        language = self._language(request)
        translation.activate(language)
        request.LANGUAGE_CODE = language
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ("Cookie",))
        return response

    def _language(self, request: Any) -> str:
        user = getattr(request, "user", None)
        wanted = user.language if user is not None and user.is_authenticated else request.COOKIES.get(LANGUAGE_COOKIE)
        return wanted if wanted in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def wants_problem(request: HttpRequest) -> bool:
    """Whether the caller is a program (API, htmx, fetch) and should get problem+json rather than a page."""
    accepts = request.headers.get("Accept", "")
    return (
        request.path.startswith("/api/")
        or "HX-Request" in request.headers
        or ("json" in accepts and "text/html" not in accepts)
    )


def problem_response(problem: Problem) -> JsonResponse:
    """RFC 9457 problem+json."""
    body = problem.as_dict() | {"title": _(str(problem.title))}
    return JsonResponse(body, status=problem.status, content_type="application/problem+json")


class ProblemMiddleware:
    """Turns a refusal into problem+json for programs and into a page for people; adds the content security policy."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Referrer-Policy", "same-origin")
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Problem):
            return None
        if wants_problem(request):
            return problem_response(exception)
        return problem_answer(request, exception)


def problem_answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    """A refusal as a page in the shell."""
    _settle(request)
    shown = {"problem": problem, "title": _(str(problem.title)), "bare": isinstance(problem, Invalid)}
    return render(request, "shell/problem.html", shown, status=problem.status)


def _settle(request: Any) -> None:
    """The problem's own page stands in the shell too: what the address got wrong must not be asked for again."""
    for name, spare in (("scope", Scope()), ("moment", Moment())):
        try:
            bool(getattr(request, name))
        except Problem:
            setattr(request, name, spare)


def with_query(request: HttpRequest, **changes: Any) -> str:
    """The current query string with some parameters changed; None removes one."""
    query = request.GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value is not None:
            query[name] = value
    return "?" + urlencode(list(query.lists()), doseq=True) if query else request.path
