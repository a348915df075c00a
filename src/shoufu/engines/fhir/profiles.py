"""Profiles that a resource claims and that are at hand (http://hl7.org/fhir/R4/profiling.html).

Of a profile count how often elements stand, the types of choices, fixed values, patterns and required value sets.
Slices, the profiles of data types and of targets, and invariants of the profile are not judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from . import bindings
from .definitions import Model
from .issues import Issue

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Place:
    """Values of one element in one parent: the parent's path, and each value with its own path."""

    parent: str
    values: list[tuple[str, str, Any]]


def faults(model: Model, resource: Json, path: str, profiles: Mapping[str, Json]) -> Iterator[Issue]:
    """What the profiles in a resource's meta (and those they are made from) say against it."""
    claimed = resource.get("meta", {}).get("profile", ())
    done: set[str] = set()
    waiting = [str(one).partition("|")[0] for one in claimed]
    while waiting:
        url = waiting.pop()
        profile = profiles.get(url)
        if url in done or profile is None or profile.get("type") != resource["resourceType"]:
            continue
        done.add(url)
        waiting.append(str(profile.get("baseDefinition", "")))
        for row in _rows(profile):
            yield from _judged(model, resource, path, row, url)


def _rows(profile: Json) -> Iterator[Json]:
    """The elements that a profile itself constrains, without slices and what is below them."""
    sliced = ""
    for row in (profile.get("differential") or profile.get("snapshot") or {}).get("element", ()):
        path = str(row.get("path", ""))
        if row.get("sliceName"):
            sliced = path
        elif not (sliced and path.startswith(f"{sliced}.")):
            sliced = ""
            if "." in path and ":" not in str(row.get("id", "")):
                yield row


def _judged(model: Model, resource: Json, path: str, row: Json, url: str) -> Iterator[Issue]:
    names = str(row["path"]).split(".")[1:]
    for place in _places(resource, path, names):
        where, count = f"{place.parent}.{names[-1].removesuffix('[x]')}", len(place.values)
        least, most = row.get("min", 0), row.get("max", "*")
        if isinstance(least, int) and count < least:
            said = "is required" if least == 1 else f"stands at least {least} times"
            yield Issue(where, f"{said} by the profile {url}", "required")
        if str(most).isdigit() and count > int(most):
            yield Issue(place.values[int(most)][1], f"stands at most {most} times by the profile {url}", "structure")
        for name, at, value in place.values:
            for message, code in _value(model, row, names[-1], name, value):
                yield Issue(at, f"{message} (profile {url})", code)


def _places(owner: Any, path: str, names: list[str]) -> Iterator[_Place]:
    found = list(_values(owner, path, names[0]))
    if len(names) == 1:
        yield _Place(path, found)
        return
    for _name, at, value in found:
        if isinstance(value, dict):
            yield from _places(value, at, names[1:])


def _values(owner: Json, path: str, name: str) -> Iterator[tuple[str, str, Any]]:
    """The JSON name, path and value of each that stands; a value with extensions alone is None."""
    stem = name.removesuffix("[x]")
    for key in dict.fromkeys(one.removeprefix("_") for one in owner):
        if key != name and not (name != stem and key.startswith(stem) and key[len(stem) : len(stem) + 1].isupper()):
            continue
        value = owner.get(key, owner.get(f"_{key}") and None)
        rows = value if isinstance(value, list) else [value]
        for number, inner in enumerate(rows):
            yield key, f"{path}.{key}[{number}]" if isinstance(value, list) else f"{path}.{key}", inner


def _value(model: Model, row: Json, element: str, name: str, value: Any) -> Iterator[tuple[str, str]]:
    types = [str(kind.get("code", "")) for kind in row.get("type", ()) if isinstance(kind, dict)]
    stem = element.removesuffix("[x]")
    if element != stem and types and name not in [f"{stem}{kind[:1].upper()}{kind[1:]}" for kind in types]:
        yield f"is of type {' or '.join(types)}", "structure"
    for key, wanted in row.items():
        if key.startswith("fixed") and value != wanted:
            yield f"must be {wanted}", "value"
        elif key.startswith("pattern") and not _fits(value, wanted):
            yield f"must hold {wanted}", "value"
    binding = row.get("binding")
    if isinstance(binding, dict) and binding.get("strength") == "required" and value is not None:
        yield from ((message, "code-invalid") for message in _bound(model, str(binding.get("valueSet", "")), value))


def _bound(model: Model, value_set: str, value: Any) -> Iterator[str]:
    url = value_set.partition("|")[0]
    codings = value.get("coding", [value]) if isinstance(value, dict) else [value]
    pairs = [(one.get("system", ""), one.get("code")) if isinstance(one, dict) else (None, one) for one in codings]
    answers = [bindings.allows(model, url, system, str(code)) for system, code in pairs]
    if answers and all(answer is False for answer in answers):
        yield f"is not in the required value set {url}"


def _fits(value: Any, pattern: Any) -> bool:
    """Whether a value holds all that a pattern has; a list holds each of its items somewhere."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(_fits(value.get(name), inner) for name, inner in pattern.items())
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(_fits(one, inner) for one in value) for inner in pattern)
    return bool(value == pattern)
