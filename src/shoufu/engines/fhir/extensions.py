"""Extensions: url, value or extensions, and where R4 itself defines one, its places and types of value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .definitions import Extension, Model

Found = tuple[str, str, str]
_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"


def shape_faults(value: dict[str, Any]) -> Iterator[Found]:
    """What every extension must keep to: the child's name ("" for the extension), a message, the issue's code."""
    valued = [name for name in value if name.removeprefix("_").startswith("value")]
    if bool(valued) == ("extension" in value):
        yield "", "an extension has either a value or extensions (ext-1)", "invariant"
    url = value.get("url")
    if isinstance(url, str) and "|" in url:
        yield "url", "the URL of an extension has no version", "value"


def says_absent(beside: Any) -> bool:
    """Whether what stands beside a primitive value says why the value is missing."""
    found = beside.get("extension") if isinstance(beside, dict) else None
    return isinstance(found, list) and any(isinstance(one, dict) and one.get("url") == _ABSENT for one in found)


def address_fault(value: dict[str, Any]) -> str | None:
    """What is wrong with the URL of an extension that is no part of another: it names its definition, absolutely."""
    url = value.get("url")
    if not isinstance(url, str) or not url or ":" in url:
        return None
    return f"'{url}' must be absolute: only the parts of an extension have short names"


def defined_faults(model: Model, value: Any, places: tuple[str, ...]) -> Iterator[Found]:
    """What the definition of a standard extension says; nothing for one that R4 does not define, which is allowed.

    ``places`` are the names that the extended element goes by: ``Patient.name``, ``HumanName``, ``Element`` …
    """
    if not isinstance(value, dict) or not isinstance(value.get("url"), str):
        return
    known = model.extensions.get(value["url"])
    if known is None:
        return
    if known.contexts and not known.contexts & {*places, "Element"}:
        allowed = ", ".join(sorted(known.contexts))
        yield "", f"the extension {value['url']} belongs at {allowed}, not at {places[0]}", "structure"
    yield from _typed(model, value, known)


def _typed(model: Model, value: dict[str, Any], known: Extension) -> Iterator[Found]:
    wrong = [
        name
        for name, prop in model.types["Extension"].properties.items()
        if prop.element.choice and name in value and prop.type.code not in known.types
    ]
    if wrong and not known.types:
        yield wrong[0], f"the extension {value['url']} has extensions, no value", "structure"
    elif wrong:
        allowed = ", ".join(sorted(known.types))
        yield wrong[0], f"the value of the extension {value['url']} is {allowed}", "structure"
