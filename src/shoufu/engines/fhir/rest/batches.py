"""Bundles of requests and of results (http://hl7.org/fhir/R4/http.html#transaction, bundle.html#searchset)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..definitions import model
from ..issues import Issue, operation_outcome
from ..references import is_resource

# A batch is carried out in this order, whatever the order of its entries.
_ORDER = ("DELETE", "POST", "PUT", "PATCH", "GET", "HEAD")


@dataclass(frozen=True, slots=True)
class BatchEntry:
    """One request of a batch; ``issue`` says why it cannot be done, ``place`` where its answer stands."""

    place: int
    method: str
    type: str = ""
    id: str | None = None
    query: tuple[tuple[str, str], ...] = ()
    resource: dict[str, Any] | None = None
    if_none_exist: str | None = None
    if_match: str | None = None
    full_url: str | None = None
    issue: Issue | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one entry; ``status`` is the HTTP status, times are FHIR instants."""

    status: int
    location: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    resource: dict[str, Any] | None = None
    issues: tuple[Issue, ...] = ()


def batch(bundle: dict[str, Any]) -> list[BatchEntry]:
    """The requests of a valid batch or transaction, in the order in which they are to be carried out."""
    entries = [_entry(place, entry) for place, entry in enumerate(bundle.get("entry", ()))]
    return sorted(entries, key=lambda entry: _ORDER.index(entry.method) if entry.method in _ORDER else len(_ORDER))


def _entry(place: int, entry: dict[str, Any]) -> BatchEntry:
    request = entry.get("request", {})
    method, url = str(request.get("method", "")), str(request.get("url", ""))
    path = f"Bundle.entry[{place}].request"
    resource = entry.get("resource")
    made = _addressed(place, method, url, path)
    if made.issue is None:
        made = replace(made, issue=_body_issue(made, resource, path))
    tag = request.get("ifMatch")
    return replace(
        made,
        resource=resource,
        if_none_exist=request.get("ifNoneExist"),
        if_match=tag.removeprefix("W/").strip('"') if isinstance(tag, str) else None,
        full_url=entry.get("fullUrl"),
    )


def _addressed(place: int, method: str, url: str, path: str) -> BatchEntry:
    message = f"'{url}' is not the address of a resource here: Type, Type/id or Type?query"
    nowhere = BatchEntry(place, method, issue=Issue(f"{path}.url", message, "not-supported"))
    try:
        parts = urlsplit(url)
    except ValueError:
        return nowhere
    kind, _, rest = parts.path.strip("/").partition("/")
    if parts.scheme or parts.netloc or not is_resource(model(), kind) or "/" in rest:
        return nowhere
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    wrong = {"POST": bool(rest), "PUT": not rest and not query, "DELETE": not rest and not query}
    if wrong.get(method):
        message = f"'{url}' does not go with {method}"
        return BatchEntry(place, method, kind, issue=Issue(f"{path}.url", message, "value"))
    return BatchEntry(place, method, kind, rest or None, query)


def _body_issue(made: BatchEntry, resource: dict[str, Any] | None, path: str) -> Issue | None:
    if made.method not in ("POST", "PUT"):
        return None
    if resource is None:
        return Issue(path.removesuffix("request") + "resource", f"{made.method} needs a resource", "required")
    if resource.get("resourceType") != made.type:
        message = f"the resource is a {resource.get('resourceType')}, not a {made.type}"
        return Issue(f"{path}.url", message, "value")
    return None


def answered(answers: Iterable[Answer], *, transaction: bool = False) -> dict[str, Any]:
    """The bundle that answers a batch; the answers in the order of the entries of the request."""
    kind = "transaction-response" if transaction else "batch-response"
    return {"resourceType": "Bundle", "type": kind, "entry": [_answer(answer) for answer in answers]}


def _answer(answer: Answer) -> dict[str, Any]:
    response: dict[str, Any] = {"status": str(answer.status)}
    for name, value in (
        ("location", answer.location),
        ("etag", answer.etag),
        ("lastModified", answer.last_modified),
    ):
        if value:
            response[name] = value
    if answer.issues:
        response["outcome"] = operation_outcome(answer.issues)
    return ({"resource": answer.resource} if answer.resource else {}) | {"response": response}


def result_bundle(
    base: str,
    matches: Iterable[dict[str, Any]],
    included: Iterable[dict[str, Any]] = (),
    *,
    total: int | None,
    links: Iterable[tuple[str, str]],
    issues: Iterable[Issue] = (),
) -> dict[str, Any]:
    """A bundle of search results: ``base`` is the server's address, ``links`` pairs of relation and URL.

    ``total`` counts the matches of all pages. Issues (what was ignored) come as an entry of mode ``outcome``.
    """
    entries = [_result(base, resource, "match") for resource in matches]
    entries += [_result(base, resource, "include") for resource in included]
    if told := tuple(issues):
        entries.append({"resource": operation_outcome(told), "search": {"mode": "outcome"}})
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
    if total is not None:
        bundle["total"] = total
    bundle["link"] = [{"relation": relation, "url": url} for relation, url in links]
    return bundle | ({"entry": entries} if entries else {})


def _result(base: str, resource: dict[str, Any], mode: str) -> dict[str, Any]:
    url = f"{base.rstrip('/')}/{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": url, "resource": resource, "search": {"mode": mode}}
