"""What R4 says of bundles beyond their definition: full URLs, links, results of a search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from . import references
from .definitions import Model
from .issues import Issue


def faults(model: Model, resource: dict[str, Any]) -> Iterator[Issue]:
    """The rules that the text of the specification has for a bundle; nothing for other resources."""
    if resource.get("resourceType") != "Bundle":
        return
    yield from _links(resource)
    for place, entry in enumerate(resource.get("entry", ())):
        path = f"Bundle.entry[{place}]"
        yield from _full_url(model, entry, path)
        if resource.get("type") == "searchset":
            yield from _result(entry, path)


def _links(bundle: dict[str, Any]) -> Iterator[Issue]:
    links = bundle.get("link", ())
    counted = Counter(link.get("relation") for link in links)
    seen: set[str] = set()
    for place, link in enumerate(links):
        relation = link.get("relation")
        if relation in ("self", "first", "last", "next", "previous", "prev") and counted[relation] > 1:
            if relation in seen:
                yield Issue(f"Bundle.link[{place}].relation", f"'{relation}' may stand once only", "duplicate")
            seen.add(relation)


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
