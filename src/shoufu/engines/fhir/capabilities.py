"""CapabilityStatements: the search parameters that they claim, and one made from what a server does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .definitions import SearchParameter, search_parameters
from .issues import Issue

VERSION = "4.0.1"


@dataclass(frozen=True, slots=True)
class Offer:
    """What a server does with one type: interactions (``read``, ``search-type`` …), search parameters and includes."""

    type: str
    interactions: tuple[str, ...]
    searches: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    conditional_create: bool = False
    profile: str | None = None


def statement(
    offers: Iterable[Offer],
    *,
    url: str,
    name: str,
    software: str,
    software_version: str,
    date: str,
    operations: Iterable[tuple[str, str]] = (),
    system: Iterable[str] = (),
) -> dict[str, Any]:
    """A CapabilityStatement of a running server at ``url``.

    ``date`` is a FHIR dateTime, ``operations`` pairs of name and definition, ``system`` interactions of the whole
    server (``batch``). ValueError where an offer names a search parameter that R4 does not define for its type.
    """
    rest: dict[str, Any] = {"mode": "server", "resource": [_resource(offer) for offer in offers]}
    if whole := [{"code": code} for code in system]:
        rest["interaction"] = whole
    if named := [{"name": operation, "definition": definition} for operation, definition in operations]:
        rest["operation"] = named
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": date,
        "kind": "instance",
        "software": {"name": software, "version": software_version},
        "implementation": {"description": name, "url": url},
        "fhirVersion": VERSION,
        "format": ["json"],
        "rest": [rest],
    }


def _resource(offer: Offer) -> dict[str, Any]:
    row: dict[str, Any] = {"type": offer.type}
    if offer.profile:
        row["profile"] = offer.profile
    row["interaction"] = [{"code": code} for code in offer.interactions]
    row["versioning"] = "versioned"
    if "create" in offer.interactions:
        row["conditionalCreate"] = offer.conditional_create
    if offer.includes:
        row["searchInclude"] = list(offer.includes)
    if offer.searches:
        row["searchParam"] = [_search(offer.type, name) for name in offer.searches]
    return row


def _search(kind: str, name: str) -> dict[str, str]:
    known = parameter(kind, name)
    if known is None:
        raise ValueError(f"{kind} has no search parameter {name} in R4")
    return {"name": name, "definition": known.url, "type": known.kind}


def parameter(kind: str, name: str) -> SearchParameter | None:
    """A search parameter of a resource type, those of all types (``_id``) included; None where R4 has none."""
    every = search_parameters()
    return every.get(kind, {}).get(name) or every["Resource"].get(name)


def faults(resource: dict[str, Any], path: str) -> Iterator[Issue]:
    """Search parameters of R4 whose type is claimed to be another; for a statement of right shape."""
    for place, rest in enumerate(resource.get("rest", ())):
        for number, row in enumerate(rest.get("resource", ())):
            where = f"{path}.rest[{place}].resource[{number}].searchParam"
            for at, claim in enumerate(row.get("searchParam", ())):
                known = _defined(row.get("type"), claim)
                if known is not None and claim.get("type") not in (None, known.kind):
                    message = f"{known.url} is a search parameter of type {known.kind}"
                    yield Issue(f"{where}[{at}].type", message, "value")


def _defined(kind: Any, claim: dict[str, Any]) -> SearchParameter | None:
    url = str(claim.get("definition", "")).partition("|")[0]
    known = parameter(kind, str(claim.get("name"))) if isinstance(kind, str) else None
    if known is not None and known.url == url:
        return known
    named = search_parameters().get(kind, {}) if isinstance(kind, str) else {}
    return next((one for one in named.values() if one.url == url), None)
