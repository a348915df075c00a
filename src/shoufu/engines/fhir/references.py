"""References between resources: their forms, what they point at, and which types an element allows.

http://hl7.org/fhir/R4/references.html; how a reference is resolved inside a bundle:
http://hl7.org/fhir/R4/bundle.html#references
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .definitions import Model

_REST = re.compile(
    r"(?P<base>(?:https?|HTTPS?)://(?:[A-Za-z0-9\-\\.:%$]*/)+)?(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9\-.]{1,64})"
    r"(?:/_history/(?P<version>[A-Za-z0-9\-.]{1,64}))?(?:#.*)?"
)
_PAIR = r"[A-Za-z_][\w.:-]*=[^&#]*"
_QUERY = re.compile(rf"(?P<type>[A-Z][A-Za-z]+)\?{_PAIR}(?:&{_PAIR})*")
_CORE = re.compile(r"http://hl7\.org/fhir/(?P<type>[A-Z][A-Za-z]+)/[^/|]+(?:\|.*)?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


@dataclass(frozen=True, slots=True)
class Target:
    """A RESTful reference taken apart; ``base`` is empty for a relative one."""

    base: str
    type: str
    id: str
    version: str


def rest(model: Model, reference: str) -> Target | None:
    """The parts of ``[base/]Type/id[/_history/version]``; None where it is something else."""
    found = _REST.fullmatch(reference)
    if found is None or not is_resource(model, found["type"]):
        return None
    return Target(found["base"] or "", found["type"], found["id"], found["version"] or "")


def is_resource(model: Model, name: Any) -> bool:
    """Whether there is a resource type of that name that can be instantiated."""
    known = model.types.get(name) if isinstance(name, str) else None
    return known is not None and known.kind == "resource" and not known.abstract


class Entries:
    """The entries of a bundle, found by full URL and by type and id."""

    def __init__(self, model: Model, bundle: dict[str, Any]) -> None:
        self.model = model
        self.conditional = bundle.get("type") in ("transaction", "batch")
        # By identity: the resources of an entry are told apart by where they stand, not by what they hold.
        self._urls: dict[int, str] = {}
        self._by_url: dict[str, list[dict[str, Any]]] = {}
        self._by_id: dict[str, list[dict[str, Any]]] = {}
        entries = bundle.get("entry")
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and isinstance(entry.get("resource"), dict):
                self._add(entry.get("fullUrl"), entry["resource"])

    def _add(self, url: Any, resource: dict[str, Any]) -> None:
        if isinstance(url, str):
            self._urls[id(resource)] = url
            self._by_url.setdefault(url, []).append(resource)
        self._by_id.setdefault(f"{resource.get('resourceType')}/{resource.get('id')}", []).append(resource)

    def url(self, resource: dict[str, Any]) -> str | None:
        """The full URL of an entry's resource."""
        return self._urls.get(id(resource))

    def find(self, reference: str, owner: str | None) -> dict[str, Any] | None:
        """What a reference means, seen from the entry with the full URL ``owner``; the first where there are more."""
        found = self.matching(reference, owner)
        return found[0] if found else None

    def matching(self, reference: str, owner: str | None) -> list[dict[str, Any]]:
        """All entries that a reference may mean."""
        plain, _, version = reference.partition("#")[0].partition("/_history/")
        found = self._by_url.get(plain) or self._relative(reference, owner)
        return [resource for resource in found if not version or _version(resource) == version]

    def _relative(self, reference: str, owner: str | None) -> list[dict[str, Any]]:
        target = rest(self.model, reference)
        if target is None or target.base:
            return []
        base = rest(self.model, owner) if owner else None
        if base is not None and base.base:
            return self._by_url.get(f"{base.base}{target.type}/{target.id}", [])
        return self._by_id.get(f"{target.type}/{target.id}", [])


def _version(resource: dict[str, Any]) -> Any:
    meta = resource.get("meta")
    return meta.get("versionId") if isinstance(meta, dict) else None


@dataclass(frozen=True, slots=True)
class Around:
    """Where a resource stands: the outermost resource (that holds the contained ones), and the bundle around it."""

    root: dict[str, Any]
    entries: Entries | None = None
    url: str | None = None

    def resolve(self, reference: str) -> dict[str, Any] | None:
        """The resource that a reference means, where it stands in the same document."""
        if reference == "#":
            return self.root
        if reference.startswith("#"):
            return contained(self.root, reference[1:])
        return self.entries.find(reference, self.url) if self.entries else None


def contained(root: dict[str, Any], wanted: str) -> dict[str, Any] | None:
    """The contained resource of an id."""
    inside = root.get("contained")
    for resource in inside if isinstance(inside, list) else ():
        if isinstance(resource, dict) and resource.get("id") == wanted:
            return resource
    return None


def faults(model: Model, value: dict[str, Any], targets: tuple[str, ...], around: Around) -> Iterator[tuple[str, str]]:
    """What is wrong with a Reference: pairs of the child's name ("" for the reference itself) and a message."""
    reference, named = value.get("reference"), value.get("type")
    if isinstance(named, str) and ":" not in named and not is_resource(model, named):
        yield "type", f"'{named}' is no resource type of R4"
        named = None
    found: str | None = None
    if isinstance(reference, str) and reference:
        yield from (("reference", message) for message in _form(model, reference, around))
        found = _type(model, reference, around)
    if found and isinstance(named, str) and ":" not in named and found != named:
        yield "type", f"says {named}, but the reference points at a {found}"
    pointed = found or (named if isinstance(named, str) and ":" not in named else None)
    if pointed and targets and not any(model.is_a(pointed, target) for target in targets):
        yield "", f"points at a {pointed}; allowed are {', '.join(targets)}"


def canonical_fault(model: Model, value: str, targets: tuple[str, ...]) -> str | None:
    """What is wrong with a canonical of HL7's own, whose URLs name the type (``http://hl7.org/fhir/ValueSet/…``)."""
    found = _CORE.fullmatch(value)
    if found is None or not targets or not is_resource(model, found["type"]):
        return None
    if any(model.is_a(found["type"], target) for target in targets):
        return None
    return f"names a {found['type']}; allowed are {', '.join(targets)}"


def _form(model: Model, reference: str, around: Around) -> Iterator[str]:
    if any(letter.isspace() for letter in reference):
        yield f"'{reference}' holds white space"
    elif reference.startswith("#"):
        if reference != "#" and contained(around.root, reference[1:]) is None:
            yield f"'{reference}' is not among the contained resources (ref-1)"
    elif not _SCHEME.match(reference) and rest(model, reference) is None and not _conditional(reference, around):
        yield f"'{reference}' is neither [ResourceType]/[id] nor an absolute URL, a urn: or #id of a contained resource"


def _conditional(reference: str, around: Around) -> bool:
    return around.entries is not None and around.entries.conditional and _QUERY.fullmatch(reference) is not None


def _type(model: Model, reference: str, around: Around) -> str | None:
    resource = around.resolve(reference)
    if resource is not None:
        found = resource.get("resourceType")
        return found if isinstance(found, str) else None
    target = rest(model, reference)
    if target is not None:
        return target.type
    query = _QUERY.fullmatch(reference)
    return query["type"] if query and is_resource(model, query["type"]) else None
