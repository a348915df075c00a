"""Codings of code systems that are at hand (http://hl7.org/fhir/R4/codesystem.html)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .issues import Issue

Json = dict[str, Any]


def faults(resource: Json, path: str, systems: Mapping[str, Json]) -> Iterator[Issue]:
    """Codings of a resource (not of those in it) that name a supplement, or a code that a complete system lacks."""
    for where, coding in _codings(resource, path):
        system = systems.get(coding["system"])
        if system is None:
            continue
        if _supplements(system):
            yield Issue(
                f"{where}.system", f"'{coding['system']}' is a supplement: name what it adds to", "code-invalid"
            )
        elif _lacks(system, coding):
            message = f"'{coding['code']}' is not in the code system {coding['system']}"
            yield Issue(f"{where}.code", message, "code-invalid")


def definition_faults(system: Json, path: str) -> Iterator[Issue]:
    """A supplement says so: CodeSystem.content is *supplement* where it names what it supplements."""
    if "supplements" in system and system.get("content") != "supplement":
        yield Issue(f"{path}.content", "a code system that supplements another has the content supplement", "value")


def _supplements(system: Json) -> bool:
    return "supplements" in system or system.get("content") == "supplement"


def _lacks(system: Json, coding: Json) -> bool:
    if system.get("content") != "complete" or not system.get("concept"):
        return False
    if "version" in coding and coding["version"] != system.get("version"):
        return False
    exact = system.get("caseSensitive", True)
    wanted = coding["code"] if exact else coding["code"].casefold()
    return all(wanted != (code if exact else code.casefold()) for code in _codes(system["concept"]))


def _codes(concepts: Iterable[Json]) -> Iterator[str]:
    for concept in concepts:
        if isinstance(concept.get("code"), str):
            yield concept["code"]
        yield from _codes(concept.get("concept", ()))


def _codings(value: Any, path: str, *, top: bool = True) -> Iterator[tuple[str, Json]]:
    if isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _codings(inner, f"{path}[{place}]", top=False)
    elif isinstance(value, dict) and (top or "resourceType" not in value):
        if isinstance(value.get("system"), str) and isinstance(value.get("code"), str):
            yield path, value
        for name, inner in value.items():
            yield from _codings(inner, f"{path}.{name}", top=False)
