"""What limits an answer besides its type: lengths, bounds, patterns, units, value sets."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from .bindings import published
from .definitions import Model
from .issues import Issue
from .references import contained, is_resource

CORE = "http://hl7.org/fhir/StructureDefinition/"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
NAMES = {
    "minOccurs": (f"{CORE}questionnaire-minOccurs",),
    "maxOccurs": (f"{CORE}questionnaire-maxOccurs",),
    "minValue": (f"{CORE}minValue",),
    "maxValue": (f"{CORE}maxValue",),
    "minQuantity": (f"{SDC}minQuantity", f"{CORE}questionnaire-minQuantity"),
    "maxQuantity": (f"{SDC}maxQuantity", f"{CORE}questionnaire-maxQuantity"),
    "minLength": (f"{CORE}minLength",),
    "regex": (f"{CORE}regex",),
    "maxDecimalPlaces": (f"{CORE}maxDecimalPlaces",),
    "mimeType": (f"{CORE}mimeType",),
    "maxSize": (f"{CORE}maxSize",),
    "unitOption": (f"{CORE}questionnaire-unitOption",),
    "unitValueSet": (f"{CORE}questionnaire-unitValueSet",),
    "referenceResource": (f"{CORE}questionnaire-referenceResource",),
    "optionExclusive": (f"{CORE}questionnaire-optionExclusive",),
}
# Of the units that forms ask for: what they measure, and how many of its base unit they are (UCUM codes).
PREFIXES = {"k": 3, "h": 2, "da": 1, "": 0, "d": -1, "c": -2, "m": -3, "u": -6, "n": -9}
BASES = {"m": "m", "g": "g", "L": "L", "l": "L", "mol": "mol", "s": "s", "Pa": "Pa", "Hz": "Hz"}
UNITS = {
    "min": ("s", Decimal(60)),
    "h": ("s", Decimal(3600)),
    "d": ("s", Decimal(86400)),
    "wk": ("s", Decimal(604800)),
    "[in_i]": ("m", Decimal("0.0254")),
    "[ft_i]": ("m", Decimal("0.3048")),
    "[mi_i]": ("m", Decimal("1609.344")),
    "[lb_av]": ("g", Decimal("453.59237")),
    "[oz_av]": ("g", Decimal("28.349523125")),
    "Cel": ("Cel", Decimal(1)),
    "%": ("1", Decimal("0.01")),
    "1": ("1", Decimal(1)),
}
MEGABYTE = 1_000_000


def extensions(owner: dict[str, Any], name: str) -> list[Any]:
    """The values of an extension of an item, by its name in `NAMES`."""
    found = []
    for one in owner.get("extension", ()):
        if isinstance(one, dict) and one.get("url") in NAMES[name]:
            found += [value for key, value in one.items() if key.startswith("value")]
    return found


def number(owner: dict[str, Any], name: str) -> int | None:
    """The whole number of an extension; None without one."""
    found = extensions(owner, name)
    return found[0] if found and isinstance(found[0], int) else None


def faults(
    model: Model, questionnaire: dict[str, Any], asked: dict[str, Any], value: Any, where: str
) -> Iterator[Issue]:
    """Every limit of a question that an answer does not keep."""
    yield from _bounds(asked, value, where)
    match value:
        case str():
            yield from _text(asked, value, where)
        case Decimal():
            yield from _decimals(asked, value, where)
        case {"reference": str() as reference}:
            yield from _reference(model, asked, reference, where)
        case {"contentType": _} | {"data": _} | {"size": _}:
            yield from _attachment(asked, value, where)
        case {"value": _}:
            yield from _units(model, questionnaire, asked, value, where)


def _bounds(asked: dict[str, Any], value: Any, where: str) -> Iterator[Issue]:
    for name, sign, word in (
        ("minValue", -1, "less than the least"),
        ("maxValue", 1, "more than the most"),
        ("minQuantity", -1, "less than the least"),
        ("maxQuantity", 1, "more than the most"),
    ):
        for bound in extensions(asked, name):
            if isinstance(bound, dict) and isinstance(value, dict) and not (_unit(bound) and _unit(value)):
                yield Issue(where, "cannot be compared with the limits of the question: a unit has no code", "value")
                continue
            order = compared(value, bound)
            if order is None and isinstance(bound, dict) and isinstance(value, dict) and _measures(value, bound):
                message = f"{_unit(value)} cannot be compared with {_unit(bound)}, in which the limits are"
                yield Issue(where, message, "value")
            if order is not None and order == sign:
                yield Issue(where, f"is {word} that is asked for, {_said(bound)}", "value")


def _said(bound: Any) -> str:
    return f"{bound.get('value')} {bound.get('unit') or bound.get('code')}" if isinstance(bound, dict) else str(bound)


def compared(value: Any, bound: Any) -> int | None:
    """-1, 0 or 1; None where the two cannot be compared."""
    if isinstance(value, bool) or isinstance(bound, bool):
        return None
    if isinstance(value, int | Decimal) and isinstance(bound, int | Decimal):
        return (value > bound) - (value < bound)
    if isinstance(value, str) and isinstance(bound, str):
        size = min(len(value), len(bound))
        # Dates of different precision are compared as far as both go.
        return (value[:size] > bound[:size]) - (value[:size] < bound[:size])
    if isinstance(value, dict) and isinstance(bound, dict):
        return _compared(value, bound)
    return None


def _compared(value: dict[str, Any], bound: dict[str, Any]) -> int | None:
    if not all(isinstance(one.get("value"), int | Decimal) for one in (value, bound)):
        return None
    if _unit(value) == _unit(bound):
        return compared(value["value"], bound["value"])
    own, other = _scaled(_unit(value)), _scaled(_unit(bound))
    if own is None or other is None or own[0] != other[0]:
        return None
    return compared(Decimal(value["value"]) * own[1], Decimal(bound["value"]) * other[1])


def _unit(quantity: dict[str, Any]) -> str:
    return str(quantity.get("code") or "") if quantity.get("system") else ""


def _measures(value: dict[str, Any], bound: dict[str, Any]) -> bool:
    """Whether it is known that the two measure different things."""
    own, other = _scaled(_unit(value)), _scaled(_unit(bound))
    return own is not None and other is not None and own[0] != other[0]


def _scaled(code: str) -> tuple[str, Decimal] | None:
    if code in UNITS:
        return UNITS[code]
    for prefix, power in PREFIXES.items():
        base = BASES.get(code.removeprefix(prefix)) if code.startswith(prefix) else None
        if base is not None:
            return base, Decimal(10) ** power
    return None


def _text(asked: dict[str, Any], value: str, where: str) -> Iterator[Issue]:
    most, least = asked.get("maxLength"), number(asked, "minLength")
    if isinstance(most, int) and len(value) > most:
        yield Issue(where, f"has {len(value)} letters; at most {most} are allowed", "too-long")
    if least is not None and len(value) < least:
        yield Issue(where, f"has {len(value)} letters; at least {least} are needed", "value")
    for pattern in extensions(asked, "regex"):
        try:
            fits = re.fullmatch(str(pattern), value) is not None
        except re.error:
            continue
        if not fits:
            yield Issue(where, f"is not of the form that is asked for, {pattern}", "value")


def _decimals(asked: dict[str, Any], value: Decimal, where: str) -> Iterator[Issue]:
    most, exponent = number(asked, "maxDecimalPlaces"), value.as_tuple().exponent
    if most is not None and isinstance(exponent, int) and -exponent > most:
        yield Issue(where, f"has {-exponent} decimal places; at most {most} are allowed", "value")


def _reference(model: Model, asked: dict[str, Any], reference: str, where: str) -> Iterator[Issue]:
    allowed = [str(one) for one in extensions(asked, "referenceResource")]
    parts = reference.partition("/_history/")[0].rsplit("/", 2)
    kind = parts[-2] if len(parts) > 1 else ""
    if not allowed or not re.fullmatch("[A-Z][A-Za-z]+", kind):
        return
    if not is_resource(model, kind):
        yield Issue(where, f"{kind} is no resource type of R4", "value")
    elif kind not in allowed:
        yield Issue(where, f"points at a {kind}; allowed are {', '.join(allowed)}", "value")


def _attachment(asked: dict[str, Any], value: dict[str, Any], where: str) -> Iterator[Issue]:
    types = [str(one) for one in extensions(asked, "mimeType")]
    if types and value.get("contentType") not in types:
        message = f"'{value.get('contentType')}' is not asked for; allowed are {', '.join(types)}"
        yield Issue(f"{where}.contentType", message, "value")
    for most in extensions(asked, "maxSize"):
        size = _size(value)
        if size is not None and size > most * MEGABYTE:
            yield Issue(where, f"has {size} bytes; at most {most} MB are allowed", "too-long")


def _size(value: dict[str, Any]) -> int | None:
    if isinstance(value.get("data"), str):
        try:
            return len(base64.b64decode(re.sub(r"\s", "", value["data"])))
        except (binascii.Error, ValueError):
            return None
    size = value.get("size")
    return size if isinstance(size, int) else None


def _units(
    model: Model, questionnaire: dict[str, Any], asked: dict[str, Any], value: dict[str, Any], where: str
) -> Iterator[Issue]:
    options = extensions(asked, "unitOption")
    own = (value.get("system"), value.get("code"))
    if options and own not in [(one.get("system"), one.get("code")) for one in options if isinstance(one, dict)]:
        said = ", ".join(str(one.get("code")) for one in options if isinstance(one, dict))
        yield Issue(where, f"'{value.get('code') or value.get('unit')}' is not among the units {said}", "code-invalid")
    for url in extensions(asked, "unitValueSet"):
        yield from in_value_set(model, questionnaire, str(url), value, where)


def in_value_set(model: Model, questionnaire: dict[str, Any], url: str, value: Any, where: str) -> Iterator[Issue]:
    """Whether a coding (or the unit of a quantity) is of a value set whose codes are known; others are not judged."""
    known = _contained(questionnaire, url[1:]) if url.startswith("#") else published(model, url.partition("|")[0])
    if known is None or not isinstance(value, dict):
        return
    codes = known.get(str(value.get("system") or ""), frozenset())
    if codes is not None and value.get("code") not in codes:
        yield Issue(
            where, f"{value.get('system', '')}#{value.get('code', '')} is not in the value set {url}", "code-invalid"
        )


def _contained(questionnaire: dict[str, Any], name: str) -> dict[str, frozenset[str] | None] | None:
    """The codes of a contained value set that lists them all; None for one that filters, excludes or imports."""
    found = contained(questionnaire, name) or {}
    compose, expansion = found.get("compose", {}), found.get("expansion", {})
    rows = expansion.get("contains") or compose.get("include", ())
    if not rows or (not expansion and compose.get("exclude")):
        return None
    codes: dict[str, set[str]] = {}
    whole: set[str] = set()
    for row in rows:
        if "filter" in row or "valueSet" in row:
            return None
        system = str(row.get("system") or "")
        if not expansion and "concept" not in row:
            whole.add(system)
        listed = [row] if expansion else row.get("concept", ())
        codes.setdefault(system, set()).update(str(one.get("code")) for one in listed)
    return {system: None if system in whole else frozenset(found_codes) for system, found_codes in codes.items()}


def exclusive(asked: dict[str, Any], answers: Sequence[dict[str, Any]], where: str) -> Iterator[Issue]:
    """An option that excludes all others, chosen with another."""
    if len(answers) < 2:
        return
    for option in asked.get("answerOption", ()):
        coding = option.get("valueCoding")
        if True not in extensions(option, "optionExclusive") or not isinstance(coding, dict):
            continue
        for place, answer in enumerate(answers):
            given = answer.get("valueCoding")
            if isinstance(given, dict) and (given.get("system"), given.get("code")) == (
                coding.get("system"),
                coding.get("code"),
            ):
                yield Issue(f"{where}.answer[{place}]", f"'{coding.get('code')}' excludes every other answer", "value")
