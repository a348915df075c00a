"""HTTP around the interactions: content negotiation, headers, and an OperationOutcome for every refusal."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache, wraps
from typing import Any
from urllib.parse import parse_qsl, unquote

import structlog
from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.http import http_date, parse_http_date_safe
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from ninja.utils import check_csrf

from shoufu.engines.fhir import Issue, Severity, operation_outcome
from shoufu.engines.fhir.checking import Report, check
from shoufu.engines.fhir.reading import write
from shoufu.kernel.base.errors import Problem
from shoufu.kernel.base.pages import public
from shoufu.scenes.homecare.fhir import searching, services
from shoufu.scenes.homecare.fhir.faults import Refused, of_problem, refused
from shoufu.scenes.homecare.fhir.interactions import Caller
from shoufu.scenes.homecare.fhir.kept import Kept

logger = structlog.get_logger("shoufu.homecare.fhir")
JSON = "application/fhir+json"
TAKEN = frozenset({JSON, "application/json", "text/json", "json"})
VERSIONS = frozenset({"4.0", "4.0.1"})
QUIET = frozenset({401, 404, 405, 410, 500})


def base_of(request: Any) -> str:
    """The address that resources of this server begin with."""
    return str(request.build_absolute_uri(reverse("homecare:fhir:base"))).rstrip("/")


def answer(content: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    """A resource as the body."""
    return HttpResponse(write(content), status=status, content_type=f"{JSON}; charset=utf-8", headers=headers or {})


def outcome(status: int, issues: Iterable[Issue], headers: dict[str, str] | None = None) -> HttpResponse:
    """An OperationOutcome as the body."""
    return answer(operation_outcome(issues), status, headers)


def shown(request: Any, kept: Kept) -> HttpResponse:
    """A resource, or 304 where the client has this version."""
    headers = {"ETag": f'W/"{kept.version}"', "Last-Modified": http_date(kept.updated.timestamp())}
    if _has_it(request, kept):
        return HttpResponse(status=304, headers=headers)
    return answer(kept.content, headers=headers)


def _has_it(request: Any, kept: Kept) -> bool:
    tags = request.headers.get("If-None-Match")
    if tags is not None:
        return tags.strip() == "*" or kept.version in {_etag(one) for one in tags.split(",")}
    since = parse_http_date_safe(request.headers.get("If-Modified-Since", ""))
    return since is not None and int(kept.updated.timestamp()) <= since


def _etag(text: str) -> str:
    return text.strip().removeprefix("W/").strip('"')


def if_match(request: Any) -> str | None:
    """The version in If-Match; None without one."""
    text = request.headers.get("If-Match")
    return None if text is None or text.strip() == "*" else _etag(text)


def written(request: Any, status: int, kept: Kept, base: str, issues: Iterable[Issue] = ()) -> HttpResponse:
    """The answer to a write, as much of it as the client prefers."""
    place = f"{base}/{kept.address}/_history/{kept.version}"
    headers = {
        "Location": place,
        "ETag": f'W/"{kept.version}"',
        "Last-Modified": http_date(kept.updated.timestamp()),
    }
    match prefers(request).get("return"):
        case "minimal":
            return HttpResponse(status=status, headers=headers)
        case "OperationOutcome":
            told = list(issues) or [note(_("Kept as %(place)s.") % {"place": place})]
            return outcome(status, told, headers)
        case _:
            return answer(kept.content, status, headers)


def prefers(request: Any) -> dict[str, str]:
    """The preferences of a request (RFC 7240): `return`, `handling`, `respond-async` (empty)."""
    found: dict[str, str] = {}
    for part in request.headers.get("Prefer", "").replace(";", ",").split(","):
        name, _is, value = part.strip().partition("=")
        found.setdefault(name.strip(), value.strip().strip('"'))
    return found


def pairs(request: Any) -> list[tuple[str, str]]:
    """The query of the address; letters that were not escaped are taken as UTF-8."""
    text = str(request.META.get("QUERY_STRING", "")).encode("latin-1", "replace").decode("utf-8", "replace")
    return parse_qsl(text, keep_blank_values=True)


def form(request: Any) -> list[tuple[str, str]]:
    """The fields of a search by POST, those of the address first; 415 for another kind of body."""
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in ("application/x-www-form-urlencoded", "") and request.body:
        raise refused(415, _("A search by POST is sent as application/x-www-form-urlencoded."))
    try:
        text = request.body.decode()
    except UnicodeDecodeError as error:
        raise refused(400, _("The fields are not UTF-8.")) from error
    return [*pairs(request), *parse_qsl(text, keep_blank_values=True)]


def body(request: Any, asking: Caller) -> Report:
    """What the check says of the body, with the questionnaires that the caller may read; 415 where it is no JSON."""
    kind, _semicolon, rest = request.headers.get("Content-Type", "").partition(";")
    if kind.strip().lower() not in TAKEN and (kind or request.body):
        raise refused(415, _("Send resources as %(kind)s.") % {"kind": JSON})
    _version_of(rest, 415)
    return check(request.body, cache(lambda canonical: searching.questionnaire(asking.actor, canonical, asking.opened)))


def grave(report: Report, kind: str) -> Refused:
    """The refusal of what the check refused: 400 for what is no JSON at all, 422 for what is no valid resource.

    What breaks before it says its type is named by that of the address.
    """
    broken = any(issue.severity == Severity.FATAL for issue in report.issues)
    issues = [one if one.expression else replace(one, expression=kind) for one in report.issues]
    return Refused(400 if broken else 422, *issues)


def _version_of(parameters: str, status: int) -> None:
    for part in parameters.split(";"):
        name, _is, value = part.strip().partition("=")
        if name.lower() == "fhirversion" and value.strip('"') not in VERSIONS:
            said = _("This server speaks FHIR R4 (4.0), not %(version)s.")
            raise refused(status, said % {"version": value[:20]})


def negotiate(request: Any) -> None:
    """406 where the client takes nothing that this server gives."""
    wanted = next((text for name, text in pairs(request) if name == "_format"), None)
    if wanted is not None:
        plain = wanted.replace(" ", "+").partition(";")[0].strip().lower()
        if plain not in TAKEN:
            raise refused(406, _("_format: only JSON is given here (%(kind)s).") % {"kind": JSON})
        return
    accepts = request.headers.get("Accept", "").strip()
    if not accepts:
        return
    for part in accepts.split(","):
        kind, _semicolon, rest = part.strip().partition(";")
        if kind.strip().lower() in TAKEN | {"*/*", "application/*"} and "q=0" not in rest.replace(" ", "").split(";"):
            _version_of(rest, 406)
            return
    raise refused(406, _("Accept: only JSON is given here (%(kind)s).") % {"kind": JSON})


def given_reason(request: Any) -> str:
    """Why somebody asks, by `_reason` in the address or the header X-Reason (escaped as in addresses); else empty."""
    given = next((text for name, text in pairs(request) if name == "_reason"), "")
    said = given or unquote(request.headers.get("X-Reason", ""))
    return said.replace("\0", "").strip()[:200]


def note(text: str) -> Issue:
    """Something that went well, as an issue."""
    return Issue("", text, "informational", Severity.INFORMATION)


def caller(request: Any) -> Caller:
    """Who asks; 401 without a token or session."""
    if request.actor.kind == "anonymous":
        raise refused(401, _("Send an API token as “Authorization: Bearer …”, or sign in."))
    if not request.token_used and check_csrf(request):
        raise refused(403, _("The page is out of date; load it again."))
    said = given_reason(request) or _("By a program, over FHIR")
    request.fhir = Caller(request.actor, base_of(request), said, prefers(request).get("handling") == "strict")
    asking: Caller = request.fhir
    return asking


View = Callable[..., HttpResponseBase]


def served(*methods: str, formats: bool = True) -> Callable[[View], View]:
    """A view of this interface: its methods, its formats, and what becomes of a refusal."""

    def wrap(view: View) -> View:
        @csrf_exempt
        @public
        @wraps(view)
        def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                try:
                    return _served(view, request, methods, formats, args, kwargs)
                finally:
                    # Whatever was opened is on record before anything is answered.
                    if (asking := getattr(request, "fhir", None)) is not None:
                        services.looked(asking.actor, asking.opened, asking.reason)
            except Refused as error:
                found = error
            except Problem as problem:
                found = of_problem(problem)
            except RequestDataTooBig:
                found = refused(413, _("The body is too large."))
            except Exception:
                # A program reads outcomes, not pages; what is broken here stands in the log.
                logger.exception("fhir request failed", path=request.path)
                found = refused(500, _("Something went wrong here"), code="exception")
            return _refusal(request, found, methods, str(kwargs.get("kind", "")))

        return guarded

    return wrap


def _served(
    view: View, request: Any, methods: tuple[str, ...], formats: bool, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> HttpResponseBase:
    if request.method not in methods and not (request.method == "HEAD" and "GET" in methods):
        raise refused(405, _("%(method)s is not done at this address.") % {"method": request.method})
    if "\0" in request.path:
        raise refused(404, _("There is nothing at this address of the FHIR interface; see metadata."))
    if formats:
        negotiate(request)
    return view(request, *args, **kwargs)


def _refusal(request: Any, found: Refused, methods: tuple[str, ...], kind: str) -> HttpResponse:
    if found.status not in QUIET:
        services.note_refusal(request.actor, request.method, kind, found)
    headers = {}
    if found.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="shoufu"'
    if found.status == 405:
        headers["Allow"] = ", ".join(methods)
    return outcome(found.status, found.issues, headers)
