"""Codes: those that a required binding allows, and those that a code system published by HL7 has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import terms, ucum
from .definitions import Model, displays, systems, value_sets

_VALUE_SET = "/ValueSet/"
_OWN = ("http://hl7.org/fhir/", "http://terminology.hl7.org/CodeSystem/")


def allows(model: Model, value_set: str, system: str | None, code: str) -> bool | None:
    """Whether a value set holds a code (of any of its systems where none is given); None where that is not known."""
    parts = published(model, value_set)
    if parts is None:
        return None
    found = [_in_system(known, parts[known], code) for known in parts if system in (None, known)]
    return True if True in found else None if None in found else False


def published(model: Model, value_set: str) -> dict[str, frozenset[str] | None] | None:
    """Codes by system of a value set of R4 (None for all of a system); None for one that is not known."""
    return model.value_sets.get(value_set) or value_sets().get(value_set)


def _in_system(system: str, codes: frozenset[str] | None, code: str) -> bool | None:
    if codes is not None:
        return code in codes
    known = systems().get(system)
    return terms.well_formed(system, code) if known is None else code in known


def code_faults(model: Model, value_set: str, code: str) -> Iterator[str]:
    """What a required binding says against a value of type code."""
    if allows(model, value_set, None, code) is False:
        yield f"'{code}' is not in the required value set {value_set}{_some(model, value_set)}"


def coding_faults(model: Model, value_set: str, value: dict[str, Any]) -> Iterator[str]:
    """What a required binding says against a Coding, a CodeableConcept or a Quantity."""
    codings = value["coding"] if isinstance(value.get("coding"), list) else [value]
    pairs = [(one.get("system"), one["code"]) for one in codings if isinstance(one, dict) and _text(one.get("code"))]
    if not pairs:
        if not value.get("extension"):
            yield f"needs a code of the required value set {value_set}"
        return
    answers = [allows(model, value_set, system, code) if system else False for system, code in pairs]
    if all(answer is False for answer in answers):
        shown = ", ".join(f"{system or '(no system)'}#{code}" for system, code in pairs)
        yield f"{shown} is not in the required value set {value_set}{_some(model, value_set)}"


def coded_faults(coding: dict[str, Any], language: Any) -> Iterator[tuple[str, str]]:
    """What is wrong with a coding in itself, as pairs of the child's name and a message."""
    yield from _system_faults(coding)
    if message := _display_fault(coding, language):
        yield "display", message


def unit_fault(quantity: dict[str, Any]) -> str | None:
    """Whether the code of a Quantity in UCUM is a unit of it (http://hl7.org/fhir/R4/datatypes.html#Quantity)."""
    code = quantity.get("code")
    if quantity.get("system") != terms.UCUM or not isinstance(code, str) or not code or ucum.is_unit(code):
        return None
    return f"'{code}' is no unit of {terms.UCUM}"


def _system_faults(coding: dict[str, Any]) -> Iterator[tuple[str, str]]:
    system, code = coding.get("system"), coding.get("code")
    if not isinstance(system, str) or not system:
        return
    if ":" not in system:
        yield "system", f"'{system}' must be an absolute URI"
    elif system.startswith("http://hl7.org/fhir") and _VALUE_SET in system:
        yield "system", f"'{system}' is a value set: name the code system"
    if not isinstance(code, str) or not code:
        return
    known = systems().get(system)
    if known is not None and code not in known:
        yield "code", f"'{code}' is not in the code system {system}"
    elif known is None and terms.well_formed(system, code) is False:
        yield "code", f"'{code}' cannot be a code of {system}"


def _display_fault(coding: dict[str, Any], language: Any) -> str | None:
    """Whether the text of a coding is another than its code has: it follows the rules of the system
    (http://hl7.org/fhir/R4/datatypes-definitions.html#Coding.display).

    Judged for code systems that are part of FHIR R4, which have English texts; a text in another language is not.
    """
    system, code, shown = (coding.get(name) for name in ("system", "code", "display"))
    if not (isinstance(system, str) and isinstance(code, str) and isinstance(shown, str)) or "version" in coding:
        return None
    if not shown.isascii() or not (language is None or str(language).lower().startswith("en")):
        return None
    if not system.startswith(_OWN) or system not in systems():
        return None
    right = displays().get(system, {}).get(code, ())
    if not right or _plain(shown) in map(_plain, right):
        return None
    return f"'{shown}' is not the display text of {code} in {system}: {' or '.join(right)}"


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _some(model: Model, value_set: str) -> str:
    """The codes that would be right, where they are few enough to name."""
    parts = model.value_sets[value_set]
    codes = [code for system, part in parts.items() for code in part or systems().get(system, frozenset())]
    return f": {', '.join(sorted(codes))}" if 0 < len(codes) <= 16 else ""
