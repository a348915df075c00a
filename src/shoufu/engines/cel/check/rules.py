"""Which types go together."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from shoufu.engines.cel.functions import Overload
from shoufu.engines.cel.types import (
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    UINT,
    Kind,
    Type,
)

NUMERIC = frozenset({Kind.INT, Kind.UINT, Kind.DOUBLE})
ORDERED = NUMERIC | {Kind.BOOL, Kind.STRING, Kind.BYTES, Kind.TIMESTAMP, Kind.DURATION}
KEYS = frozenset({Kind.INT, Kind.UINT, Kind.BOOL, Kind.STRING, Kind.DYN})
_SAME = {
    "+": (INT, UINT, DOUBLE, STRING, BYTES, DURATION),
    "-": (INT, UINT, DOUBLE, DURATION),
    "*": (INT, UINT, DOUBLE),
    "/": (INT, UINT, DOUBLE),
    "%": (INT, UINT),
}
ARITHMETIC: dict[str, dict[tuple[Kind, Kind], Type]] = {
    symbol: {(found.kind, found.kind): found for found in types} for symbol, types in _SAME.items()
}
ARITHMETIC["+"] |= {
    (Kind.TIMESTAMP, Kind.DURATION): TIMESTAMP,
    (Kind.DURATION, Kind.TIMESTAMP): TIMESTAMP,
}
ARITHMETIC["-"] |= {
    (Kind.TIMESTAMP, Kind.DURATION): TIMESTAMP,
    (Kind.TIMESTAMP, Kind.TIMESTAMP): DURATION,
}


def join(types: Iterable[Type]) -> Type:
    """The type of a value that has one of these types: that type, with null if null is among them, or dyn."""
    known = set(types)
    others = {found.not_null() for found in known if found.kind is not Kind.NULL}
    if not others:
        return NULL if known else DYN
    if len(others) > 1:
        return DYN
    nullable = any(found.nullable or found.kind is Kind.NULL for found in known)
    return others.pop().or_null() if nullable else others.pop()


def fits(wanted: Type, found: Type) -> bool:
    """Whether a value of `found` may be given where `wanted` is expected; null is caught when evaluated."""
    if wanted.is_dyn or found.is_dyn:
        return True
    if {wanted.kind, found.kind} == {Kind.MAP, Kind.OBJECT}:
        return True
    if wanted.kind is not found.kind:
        return False
    pairs = zip(wanted.parameters, found.parameters, strict=False)
    return all(fits(inner, other) for inner, other in pairs)


def accepts(overload: Overload, arguments: list[Type]) -> bool:
    if len(arguments) != len(overload.parameters):
        return False
    return all(fits(parameter, found) for parameter, found in zip(overload.parameters, arguments, strict=True))


def comparable(left: Type, right: Type) -> bool:
    if left.is_dyn or right.is_dyn:
        return True
    if left.kind is Kind.NULL or right.kind is Kind.NULL:
        other = right if left.kind is Kind.NULL else left
        return other.nullable or other.kind is Kind.NULL
    if left.kind in NUMERIC and right.kind in NUMERIC:
        return True
    if {left.kind, right.kind} == {Kind.MAP, Kind.OBJECT}:
        return True
    if left.kind is not right.kind:
        return False
    return all(comparable(one, other) for one, other in zip(left.parameters, right.parameters, strict=False))


def signatures(overloads: Iterable[Overload]) -> str:
    return " or ".join("(" + ", ".join(map(str, overload.parameters)) + ")" for overload in overloads)


def suggest(name: str, known: Iterable[str], listing: str) -> str:
    """A hint for a mistyped name: the nearest, or all when they are few."""
    names = sorted(known)
    if near := get_close_matches(name, names, 1, 0.6):
        return f"; did you mean '{near[0]}'?"
    if not names:
        return ""
    more = ", …" if len(names) > 12 else ""
    return f"; {listing}: {', '.join(names[:12])}{more}"
