"""Whether a resource fits a search, by the FHIRPath of its parameters; and what it refers to."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from .. import fhirpath
from ..definitions import SearchParameter, model
from ..fhirpath import Node, Scope
from ..references import rest
from . import values
from .parameters import Criterion, Search
from .values import Amount, Pointer, Span, Token, ValueFault

_DAY = timedelta(days=1)
_EVER = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
# The parts of a HumanName, an Address and a CodeableConcept that a string parameter looks at.
_NAME = frozenset({"text", "family", "given", "prefix", "suffix", "display"})
_READABLE = _NAME | {"line", "city", "district", "state", "postalCode", "country"}


def fits(resource: dict[str, Any], search: Search) -> bool:
    """Whether a valid resource is of the searched type and meets every criterion."""
    return resource.get("resourceType") == search.type and all(meets(resource, one) for one in search.criteria)


def meets(resource: dict[str, Any], criterion: Criterion) -> bool:
    """Whether a valid resource meets one criterion: any of its values, on any of the nodes."""
    nodes = found(resource, criterion.parameter)
    if criterion.missing is not None:
        return criterion.missing == (not nodes)
    if criterion.modifier == "not":
        return not any(_fits(node, value, None) for node in nodes for value in criterion.values)
    return any(_fits(node, value, criterion.modifier) for node in nodes for value in criterion.values)


def found(resource: dict[str, Any], parameter: SearchParameter) -> list[Node]:
    """The nodes that a search parameter looks at."""
    node = fhirpath.resource(resource)
    return fhirpath.evaluate(parameter.expression, Scope(model(), node, node, [node], resolve=_named))


def pointers(resource: dict[str, Any], parameter: SearchParameter) -> list[Pointer]:
    """What a reference parameter of a resource points at by ``Type/id``: the resources that an _include adds."""
    rows = []
    for node in found(resource, parameter):
        reference = node.value.get("reference") if isinstance(node.value, dict) else node.value
        target = rest(model(), reference) if isinstance(reference, str) else None
        if target is not None:
            rows.append(Pointer(target.type, target.id, str(reference)))
    return rows


def target(reference: str) -> Pointer | None:
    """What a reference ``Type/id`` or an absolute one of that form points at; its base in ``url`` where it has one."""
    found = rest(model(), reference)
    return Pointer(found.type, found.id, found.base or None) if found else None


def _named(reference: str) -> dict[str, Any] | None:
    """Enough of a resource for ``resolve() is Patient``: the type that its reference names."""
    target = rest(model(), reference)
    return {"resourceType": target.type, "id": target.id} if target else None


def _fits(node: Node, value: values.Value, modifier: str | None) -> bool:
    match value:
        case Token():
            inner = node.value.get("identifier") if modifier == "identifier" and isinstance(node.value, dict) else None
            return any(_is(value, system, code) for system, code in tokens(inner or node.value))
        case Span():
            times = _times(node.value)
            return times is not None and _in_order(value.prefix, times, (value.start, value.end))
        case Pointer():
            return _points(node.value, value)
        case Amount():
            return _measures(node.value, value)
        case str():
            return any(_reads(text, value, modifier) for text in _texts(node.value))


def tokens(value: Any) -> Iterator[tuple[str | None, str | None]]:
    """System and code of whatever a token parameter looks at: a code, Coding, CodeableConcept, Identifier …"""
    match value:
        case bool():
            yield None, str(value).lower()
        case str():
            yield None, value
        case {"coding": list() as codings}:
            for coding in codings:
                yield from tokens(coding)
        case dict():
            # A Coding has a code, an Identifier or a ContactPoint a value.
            code = value.get("code", value.get("value"))
            yield value.get("system"), code if isinstance(code, str) else None


def _is(token: Token, system: str | None, code: str | None) -> bool:
    if token.code is not None and token.code != code:
        return False
    return token.system is None or token.system == (system or "")


def _times(value: Any) -> tuple[datetime, datetime] | None:
    try:
        match value:
            case str():
                span = values.span(value)
                return span.start, span.end
            case {"start": _} | {"end": _}:
                start = values.span(value["start"]).start if "start" in value else _EVER[0]
                return start, values.span(value["end"]).end if "end" in value else _EVER[1]
            case {"event": [*events]} if events:
                spans = [values.span(event) for event in events]
                return min(span.start for span in spans), max(span.end for span in spans)
            case {"repeat": {"boundsPeriod": dict() as bounds}}:
                return _times(bounds)
    except ValueFault:
        return None
    return None


def _in_order(prefix: str, own: tuple[Any, Any], asked: tuple[Any, Any]) -> bool:
    """Compare two ranges as R4 3.1.1.5.6 says: eq where the asked one holds all of the own one."""
    (low, high), (first, last) = own, asked
    match prefix:
        case "eq":
            return bool(first <= low and high <= last)
        case "ne":
            return not (first <= low and high <= last)
        case "gt":
            return bool(high > last)
        case "lt":
            return bool(low < first)
        case "ge":
            return bool(high > last or (first <= low and high <= last))
        case "le":
            return bool(low < first or (first <= low and high <= last))
        case "sa":
            return bool(low >= last)
        case "eb":
            return bool(high <= first)
        case _:
            return _near(own, asked)


def order(value: Any) -> datetime | Decimal | int | str | None:
    """By what a value is sorted: the begin of a time, a number, a text or code; None where it has no order."""
    times = _times(value) if isinstance(value, str | dict) else None
    match value:
        case _ if times is not None:
            return times[0]
        case bool():
            return int(value)
        case int() | Decimal():
            return value
        case {"value": int() | Decimal() as number}:
            return number
        case {"reference": str() as reference}:
            return reference
        case str():
            return _folded(value)
        case dict():
            found = next(tokens(value), (None, None))[1] if "coding" in value or "system" in value else None
            return found or next((_folded(text) for text in _texts(value)), None)
    return None


def _near(own: tuple[Any, Any], asked: tuple[Any, Any]) -> bool:
    """About the same: within a day of a time, within a tenth of a number."""
    (low, high), (first, last) = own, asked
    if isinstance(first, datetime):
        return bool(low <= last + _DAY and high >= first - _DAY)
    slack = abs(first + last) / 20
    return bool(low <= last + slack and high >= first - slack)


def _points(value: Any, pointer: Pointer) -> bool:
    reference = value.get("reference") if isinstance(value, dict) else value
    if not isinstance(reference, str):
        return False
    if pointer.url is not None and reference == pointer.url:
        return True
    target = rest(model(), reference)
    if target is None or (pointer.url is not None and target.base):
        return False
    return target.id == pointer.id and pointer.type in (None, target.type)


def _measures(value: Any, amount: Amount) -> bool:
    quantity = value if isinstance(value, dict) else {"value": value}
    number = quantity.get("value")
    if isinstance(number, bool) or not isinstance(number, int | Decimal):
        return False
    if amount.system and quantity.get("system") != amount.system:
        return False
    if amount.code and amount.code not in (quantity.get("code"), quantity.get("unit")):
        return False
    asked = (amount.low, amount.high) if amount.prefix in ("eq", "ne", "ap") else (amount.value, amount.value)
    return _in_order(amount.prefix, (number, number), asked)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name in _READABLE:
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _reads(text: str, wanted: str, modifier: str | None) -> bool:
    if modifier == "exact":
        return text == wanted
    if modifier == "below":
        return text == wanted or text.startswith(wanted.rstrip("/") + "/")
    return _folded(wanted) in _folded(text) if modifier == "contains" else _folded(text).startswith(_folded(wanted))


def _folded(text: str) -> str:
    """Without case and accents, as R4 asks for strings."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in parts if not unicodedata.combining(letter))
