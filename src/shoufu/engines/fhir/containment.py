"""Contained resources (http://hl7.org/fhir/R4/references.html#contained): dom-2 to dom-5, ids, and being referenced."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .definitions import Model

Found = tuple[str, str, str]
_PICTURE = re.compile(r"""\ssrc\s*=\s*["'](#[^"']+)["']""")


def contained_faults(model: Model, resource: dict[str, Any], path: str, inside: bool) -> Iterator[Found]:
    """What is wrong with the resources contained in one: expression, message and issue code."""
    rows = resource.get("contained")
    if not isinstance(rows, list):
        return
    if inside:
        yield f"{path}.contained", "a contained resource must not contain others (dom-2)", "invariant"
        return
    named = set(_fragments(resource))
    seen: set[str] = set()
    for place, row in enumerate(rows):
        if isinstance(row, dict):
            yield from _one(row, f"{path}.contained[{place}]", named, seen)


def _one(row: dict[str, Any], path: str, named: set[str], seen: set[str]) -> Iterator[Found]:
    own = row.get("id")
    if not isinstance(own, str) or not own:
        yield f"{path}.id", "a contained resource needs an id to be referenced by", "required"
    else:
        if own in seen:
            yield f"{path}.id", f"'{own}' is the id of another contained resource too", "duplicate"
        seen.add(own)
        if f"#{own}" not in named and "#" not in _fragments(row):
            yield path, f"nothing in the resource references #{own} (dom-3)", "invariant"
    meta = row.get("meta")
    if isinstance(meta, dict):
        for name in ("versionId", "lastUpdated"):
            if name in meta:
                yield f"{path}.meta.{name}", "a contained resource has no version of its own (dom-4)", "invariant"
        if "security" in meta:
            yield f"{path}.meta.security", "a contained resource has no security label (dom-5)", "invariant"


def repeated_ids(resource: dict[str, Any], path: str) -> Iterator[Found]:
    """Elements of one resource that have the same id (http://hl7.org/fhir/R4/element.html); resources in it are others.

    The elements of a StructureDefinition are named alike in its differential and its snapshot.
    """
    if resource["resourceType"] == "StructureDefinition":
        return
    seen: set[str] = set()
    for where, own in _ids(resource, path, top=True):
        if own in seen:
            yield where, f"'{own}' is the id of another element too", "duplicate"
        seen.add(own)


def _ids(value: Any, path: str, *, top: bool = False) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _ids(inner, f"{path}[{place}]")
    elif isinstance(value, dict) and (top or "resourceType" not in value):
        own = value.get("id")
        if not top and isinstance(own, str):
            yield f"{path}.id", own
        for name, inner in value.items():
            yield from _ids(inner, f"{path}.{name.removeprefix('_')}")


def _fragments(value: Any) -> Iterator[str]:
    """All texts that begin with #: references, canonicals and uris that point into the resource.

    A narrative shows pictures of contained resources (http://hl7.org/fhir/R4/narrative.html#id).
    """
    if isinstance(value, dict):
        for inner in value.values():
            yield from _fragments(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _fragments(inner)
    elif isinstance(value, str) and value.startswith("#"):
        yield value
    elif isinstance(value, str) and value.startswith("<div"):
        yield from _PICTURE.findall(value)
