from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.utils import check_csrf

from shoufu import __version__
from shoufu.kernel.base import registry
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import FieldError, Invalid, NotFound, Problem
from shoufu.web.middleware import problem_response


def signed_in(request: Any) -> Actor | None:
    """The actor of a session or an API token; writes by session need the CSRF token, as forms do."""
    if request.actor.kind == "anonymous":
        return None
    if not request.token_used:
        refused = check_csrf(request)
        if refused:
            raise Problem(_("The page is out of date; load it again."), status=403, kind="csrf")
    actor: Actor = request.actor
    return actor


signed_in.openapi_security_schema = {"type": "http", "scheme": "bearer"}  # type: ignore[attr-defined]

api = NinjaAPI(
    title="Shoufu",
    version=__version__,
    description="Everything the console does. Send an API token as `Authorization: Bearer …`. Errors are RFC 9457.",
    auth=signed_in,
    docs_url="/docs",
    urls_namespace="api",
)


@api.exception_handler(Problem)
def _problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    return problem_response(problem)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors = [FieldError("/" + "/".join(map(str, item["loc"])), item["msg"]) for item in error.errors]
    return problem_response(Invalid(*errors))


@api.exception_handler(AuthenticationError)
def _unauthenticated(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    detail = _("Send an API token as “Authorization: Bearer …”, or sign in.")
    return problem_response(Problem(_("Sign in first"), detail, status=401, kind="unauthenticated"))


@api.exception_handler(Http404)
@api.exception_handler(ObjectDoesNotExist)
def _not_found(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem_response(NotFound(request.path))


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    return problem_response(Problem(str(error), status=error.status_code))


def _mount() -> None:
    """Every kernel app's router at /api/<app>, every scene's at /api/<scene>."""
    for config in apps.get_app_configs():
        name = f"{config.name}.api"
        if config.name.startswith("shoufu.kernel.") and find_spec(name):
            api.add_router(f"/{config.label}", import_module(name).router, tags=[config.label])
    for scene in registry.scenes():
        if scene.api:
            module, _dot, attribute = scene.api.rpartition(".")
            api.add_router(f"/{scene.code}", getattr(import_module(module), attribute), tags=[scene.code])


_mount()

__all__ = ["api"]
