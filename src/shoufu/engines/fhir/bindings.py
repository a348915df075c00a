"""Codes: those that a required binding allows, and those that a code system published by HL7 has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from . import currencies
from .definitions import Model, systems

_WORD = r"[A-Za-z0-9!#$&^_.+*-]+"
# What follows the type is left to whoever reads it: published examples have spaces in it.
_MIME = re.compile(rf"{_WORD}/{_WORD}(\s*;.*)?")
_LANGUAGE = re.compile(r"(?:[A-Za-z]{2,3}|[ix])(?:-[A-Za-z0-9]{1,8})*")
_OPEN = {
    "urn:ietf:bcp:13": lambda code: _MIME.fullmatch(code) is not None or code in ("json", "xml", "ttl", "*"),
    "urn:ietf:bcp:47": lambda code: _LANGUAGE.fullmatch(code) is not None,
    "http://unitsofmeasure.org": lambda code: not any(letter.isspace() for letter in code),
    "urn:iso:std:iso:4217": lambda code: code in currencies.CODES,
}
_VALUE_SET = "/ValueSet/"


def allows(model: Model, value_set: str, system: str | None, code: str) -> bool | None:
    """Whether a value set holds a code (of any of its systems where none is given); None where that is not known."""
    parts = model.value_sets.get(value_set)
    if parts is None:
        return None
    found = [_in_system(known, parts[known], code) for known in parts if system in (None, known)]
    return True if True in found else None if None in found else False


def _in_system(system: str, codes: frozenset[str] | None, code: str) -> bool | None:
    if codes is not None:
        return code in codes
    if system in _OPEN:
        return bool(_OPEN[system](code))
    known = systems().get(system)
    return None if known is None else code in known


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


def system_faults(coding: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with a coding in itself, as pairs of the child's name and a message."""
    system, code = coding.get("system"), coding.get("code")
    if not isinstance(system, str) or not system:
        return
    if ":" not in system:
        yield "system", f"'{system}' must be an absolute URI"
    elif system.startswith("http://hl7.org/fhir") and _VALUE_SET in system:
        yield "system", f"'{system}' is a value set: name the code system"
    known = systems().get(system)
    if known is not None and _text(code) and code not in known:
        yield "code", f"'{code}' is not in the code system {system}"


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _some(model: Model, value_set: str) -> str:
    """The codes that would be right, where they are few enough to name."""
    parts = model.value_sets[value_set]
    codes = [code for system, part in parts.items() for code in part or systems().get(system, frozenset())]
    return f": {', '.join(sorted(codes))}" if 0 < len(codes) <= 16 else ""
