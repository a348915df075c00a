"""The addresses of the interface; see urls.py."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.utils.translation import gettext as _

from shoufu import __version__
from shoufu.engines.fhir import rest
from shoufu.scenes.homecare.fhir import batches, interactions, selectors
from shoufu.scenes.homecare.fhir.faults import refused
from shoufu.scenes.homecare.fhir.http import answers
from shoufu.scenes.homecare.fhir.http.statement import statement
from shoufu.scenes.homecare.fhir.interactions import Found
from shoufu.scenes.homecare.fhir.kept import instant


@answers.served("GET")
def metadata(request: Any) -> HttpResponse:
    """What this server does: open to everybody."""
    return answers.answer(statement(answers.base_of(request), __version__))


@answers.served("POST")
def base(request: Any) -> HttpResponse:
    """A batch or a transaction."""
    caller = answers.caller(request)
    return answers.answer(batches.carried_out(caller, answers.body(request, caller)))


@answers.served("GET", "POST")
def kind(request: Any, kind: str) -> HttpResponse:
    """Search a type, or create a resource of it."""
    caller = answers.caller(request)
    if request.method != "POST":
        return _results(
            caller.base, kind, interactions.search(caller, kind, answers.pairs(request)), answers.pairs(request)
        )
    interactions.needs(caller, selectors.WRITE)
    interactions.known(kind)
    report = answers.body(request, caller)
    if report.resource is None:
        raise answers.grave(report, kind)
    done = interactions.create(caller, kind, report.resource.content, request.headers.get("If-None-Exist"))
    assert done.kept is not None
    return answers.written(request, done.status, done.kept, caller.base, report.issues)


@answers.served("GET", "POST")
def search(request: Any, kind: str) -> HttpResponse:
    """A search whose criteria come in the body, so that no log of addresses holds them."""
    caller = answers.caller(request)
    asked = answers.form(request)
    return _results(caller.base, kind, interactions.search(caller, kind, asked), asked)


def _results(base: str, kind: str, found: Found, asked: list[tuple[str, str]]) -> HttpResponse:
    plain = [pair for pair in asked if pair[0] not in ("_page", "_reason", "_format")]

    def link(number: int) -> str:
        return f"{base}/{kind}?{urlencode([*plain, ('_page', str(number))] if number > 1 else plain)}".rstrip("?")

    links = [("self", link(found.number))]
    if found.count and found.number > 1:
        links.append(("previous", link(found.number - 1)))
    if found.count and found.number * found.count < found.page.total:
        links.append(("next", link(found.number + 1)))
    bundle = rest.result_bundle(
        base,
        [one.content for one in found.page.matches],
        [one.content for one in found.page.included],
        total=None if found.search.result.get("_total") == "none" else found.page.total,
        links=links,
        issues=found.told,
    )
    return answers.answer(bundle)


@answers.served("GET", "PUT", "DELETE")
def resource(request: Any, kind: str, logical: str) -> HttpResponse:
    """Read, update or delete one resource."""
    caller = answers.caller(request)
    if request.method == "PUT":
        interactions.needs(caller, selectors.WRITE)
        interactions.known(kind)
        report = answers.body(request, caller)
        if report.resource is None:
            raise answers.grave(report, kind)
        done = interactions.update(caller, kind, logical, report.resource.content, answers.if_match(request))
        assert done.kept is not None
        return answers.written(request, done.status, done.kept, caller.base, report.issues)
    if request.method == "DELETE":
        interactions.delete(caller, kind, logical, answers.if_match(request))
        return HttpResponse(status=204)
    return answers.shown(request, interactions.get(caller, kind, logical))


@answers.served("GET")
def history(request: Any, kind: str, logical: str) -> HttpResponse:
    """All versions of a resource, the newest first."""
    caller = answers.caller(request)
    entries = []
    for one in interactions.versions(caller, kind, logical):
        address = f"{kind}/{logical}"
        entry: dict[str, Any] = {"fullUrl": f"{caller.base}/{address}"}
        if one.kept is not None:
            entry["resource"] = one.kept.content
        url = kind if one.method == "POST" else address
        status = {"POST": "201", "PUT": "200", "DELETE": "204"}[one.method]
        entry["request"] = {"method": one.method, "url": url}
        entry["response"] = {"status": status, "etag": f'W/"{one.number}"', "lastModified": instant(one.at)}
        entries.append(entry)
    link = [{"relation": "self", "url": f"{caller.base}/{kind}/{logical}/_history"}]
    bundle = {"resourceType": "Bundle", "type": "history", "total": len(entries), "link": link, "entry": entries}
    return answers.answer(bundle)


@answers.served("GET")
def version(request: Any, kind: str, logical: str, number: str) -> HttpResponse:
    """One version of a resource."""
    caller = answers.caller(request)
    return answers.shown(request, interactions.version(caller, kind, logical, number))


@answers.served("POST")
def validate(request: Any, kind: str) -> HttpResponse:
    """The check alone: an OperationOutcome, and nothing is kept."""
    caller = answers.caller(request)
    interactions.known(kind)
    return answers.outcome(200, answers.body(request, caller).issues)


@answers.served("GET", "POST", "PUT", "DELETE", "PATCH")
def elsewhere(request: Any, rest: str) -> HttpResponse:
    """Whatever else is asked below the base."""
    raise refused(404, _("There is nothing at this address of the FHIR interface; see metadata."))
