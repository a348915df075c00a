"""What R4 says of bundles beyond their definition (http://hl7.org/fhir/R4/bundle.html, documents.html, messaging.html).

Full URLs, links, the results of a search, and that documents and messages hold what they refer to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from . import references
from .definitions import Model
from .issues import Issue
from .references import Entries

# In these an entry need not say who it is: a server is about to tell it, or told it (R4 2.36.4).
_UNNAMED = frozenset({"transaction", "batch", "transaction-response", "batch-response"})
_ONCE = ("self", "first", "last", "next", "previous", "prev")


def faults(model: Model, bundle: dict[str, Any], path: str) -> Iterator[Issue]:
    """The rules that the text of the specification has for a bundle of right shape."""
    yield from _links(bundle, path)
    for place, entry in enumerate(bundle.get("entry", ())):
        yield from _full_url(model, entry, f"{path}.entry[{place}]")
        if bundle.get("type") not in _UNNAMED:
            yield from _identity(model, entry, f"{path}.entry[{place}]")
        if bundle.get("type") == "searchset":
            yield from _result(entry, f"{path}.entry[{place}]")
    if bundle.get("type") in ("document", "message") and bundle.get("entry"):
        yield from _whole(model, bundle, path)


def _links(bundle: dict[str, Any], path: str) -> Iterator[Issue]:
    links = bundle.get("link", ())
    counted = Counter(link.get("relation") for link in links)
    for place, link in enumerate(links):
        relation = link.get("relation")
        if relation in _ONCE and counted[relation] > 1:
            yield Issue(f"{path}.link[{place}].relation", f"'{relation}' may stand once only", "duplicate")


def _full_url(model: Model, entry: dict[str, Any], path: str) -> Iterator[Issue]:
    url, resource = entry.get("fullUrl"), entry.get("resource")
    if not isinstance(url, str):
        return
    if ":" not in url:
        yield Issue(f"{path}.fullUrl", f"'{url}' must be absolute: a URL or urn:uuid:", "value")
        return
    target = references.rest(model, url)
    if target is not None and isinstance(resource, dict) and resource.get("id") not in (None, target.id):
        yield Issue(f"{path}.fullUrl", f"'{url}' must end in the resource's own id, {resource['id']}", "value")


def _identity(model: Model, entry: dict[str, Any], path: str) -> Iterator[Issue]:
    """That an entry says who its resource is; an outcome beside the results of a search is nobody."""
    url, resource = entry.get("fullUrl"), entry.get("resource")
    if not isinstance(resource, dict) or resource.get("resourceType") == "OperationOutcome":
        return
    if url is None:
        yield Issue(
            f"{path}.fullUrl",
            "an entry needs the full URL of its resource, but in transactions and batches",
            "required",
        )
    elif isinstance(url, str) and "id" not in resource and references.rest(model, url) is not None:
        yield Issue(f"{path}.resource.id", f"'{url}' says an id: the resource must have it", "required")


def _result(entry: dict[str, Any], path: str) -> Iterator[Issue]:
    resource = entry.get("resource")
    if not isinstance(resource, dict):
        return
    mode = entry.get("search", {}).get("mode")
    outcome = resource.get("resourceType") == "OperationOutcome"
    if mode == "outcome" and not outcome:
        yield Issue(f"{path}.resource", "a result of mode outcome must be an OperationOutcome", "value")
    if "id" not in resource and not outcome:
        yield Issue(f"{path}.resource.id", "the results of a search have ids", "required")


def _whole(model: Model, bundle: dict[str, Any], path: str) -> Iterator[Issue]:
    """What the Composition, or the focus of the MessageHeader, refers to must be in the bundle."""
    first = bundle["entry"][0]
    head = first.get("resource", {})
    entries = Entries(model, bundle)
    kind = head.get("resourceType")
    found = head.get("focus", ()) if kind == "MessageHeader" else head if kind == "Composition" else ()
    below = "focus" if kind == "MessageHeader" else ""
    start = ".".join(part for part in (f"{path}.entry[0].resource", below) if part)
    for where, reference in _references(found, start):
        matching = entries.matching(reference, first.get("fullUrl"))
        if not matching:
            yield Issue(where, f"'{reference}' is not in the bundle", "not-found")
        elif len(matching) > 1:
            yield Issue(where, f"'{reference}' means {len(matching)} entries: name the version", "multiple-matches")


def _references(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every Reference below with its path; those to contained resources, and contained ones themselves, are left."""
    if isinstance(value, dict):
        reference = value.get("reference")
        if isinstance(reference, str) and not reference.startswith("#"):
            yield path, reference
        for name, inner in value.items():
            if name not in ("contained", "extension", "modifierExtension"):
                yield from _references(inner, f"{path}.{name}")
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from _references(inner, f"{path}[{place}]")
