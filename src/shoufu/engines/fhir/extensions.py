"""Extensions: url, value or extensions, and where R4 itself defines one, its places and types of value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from . import bindings
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
    yield from _typed(model, value, known.types, known.binding)
    if known.parts:
        yield from _parts(model, value, known)


def modifier_fault(model: Model, value: Any, name: str) -> str | None:
    """Whether a standard extension stands among the others though it is a modifier, or the other way round
    (http://hl7.org/fhir/R4/extensibility.html#modifierExtension)."""
    url = value.get("url") if isinstance(value, dict) else None
    known = model.extensions.get(url) if isinstance(url, str) else None
    if known is None or known.modifier == (name == "modifierExtension"):
        return None
    right = "modifierExtension" if known.modifier else "extension"
    return f"the extension {url} belongs in {right}"


def _typed(model: Model, value: dict[str, Any], types: frozenset[str] | None, binding: str | None) -> Iterator[Found]:
    valued = [
        (name, prop.type.code)
        for name, prop in model.types["Extension"].properties.items()
        if prop.element.choice and name in value
    ]
    for name, kind in valued:
        if types is not None and kind not in types:
            allowed = f"is {', '.join(sorted(types))}" if types else "is none: it has extensions"
            yield name, f"the value of the extension {value['url']} {allowed}", "structure"
        elif binding:
            yield from _bound(model, value[name], name, binding)


def _bound(model: Model, value: Any, name: str, binding: str) -> Iterator[Found]:
    if isinstance(value, str):
        yield from ((name, message, "code-invalid") for message in bindings.code_faults(model, binding, value))
    elif isinstance(value, dict):
        yield from ((name, message, "code-invalid") for message in bindings.coding_faults(model, binding, value))


def _parts(model: Model, value: dict[str, Any], known: Extension) -> Iterator[Found]:
    """The extensions inside a complex one, whose definition names them all."""
    inner = value.get("extension")
    rows = [row for row in inner if isinstance(row, dict)] if isinstance(inner, list) else []
    counted = Counter(str(row.get("url")) for row in rows)
    for place, row in enumerate(rows):
        part = known.parts.get(str(row.get("url")))
        name = f"extension[{place}]"
        if part is None and ":" not in str(row.get("url")):
            allowed = ", ".join(sorted(known.parts))
            yield f"{name}.url", f"the extension {value['url']} has {allowed}, no {row.get('url')}", "structure"
        elif part is not None:
            for inner_name, message, code in _typed(model, row, part.types, part.binding):
                yield f"{name}.{inner_name}", message, code
    for url, part in known.parts.items():
        if counted[url] < part.min:
            yield "extension", f"the extension {value['url']} needs {url}", "required"
        if part.max is not None and counted[url] > part.max:
            yield "extension", f"the extension {value['url']} has at most {part.max} {url}", "structure"
