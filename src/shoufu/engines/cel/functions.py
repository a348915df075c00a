"""The standard functions: their overloads, for the checker and for dispatch on values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shoufu.engines.cel import conversions, times
from shoufu.engines.cel.errors import CelEvaluationError
from shoufu.engines.cel.matching import matches
from shoufu.engines.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    LIST,
    MAP,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    Kind,
    Type,
)
from shoufu.engines.cel.values import Duration, Timestamp, TypeValue, UInt, type_name


@dataclass(frozen=True, slots=True)
class Function:
    """A function the host adds to the language, called as `name(arguments)`.

    Either `implementation` is fixed here, or each activation brings it under the function's name
    (`{"result": …, "recent": callable}`). It gets CEL values and returns one, must be pure for the time of an
    evaluation (it may be called twice), and raises `CelEvaluationError` or ValueError for "no value".
    """

    name: str
    parameters: tuple[Type, ...]
    result: Type
    implementation: Callable[..., object] | None = None


@dataclass(frozen=True, slots=True)
class Overload:
    """One signature of a standard function; the receiver, if any, is the first parameter."""

    parameters: tuple[Type, ...]
    result: Type
    implementation: Callable[..., Any]

    def accepts(self, values: tuple[object, ...]) -> bool:
        if len(values) != len(self.parameters):
            return False
        return all(
            parameter.kind is Kind.DYN or type(value) is PYTHON_TYPES[parameter.kind]
            for parameter, value in zip(self.parameters, values, strict=True)
        )


PYTHON_TYPES: dict[Kind, type] = {
    Kind.NULL: type(None),
    Kind.BOOL: bool,
    Kind.INT: int,
    Kind.UINT: UInt,
    Kind.DOUBLE: float,
    Kind.STRING: str,
    Kind.BYTES: bytes,
    Kind.TIMESTAMP: Timestamp,
    Kind.DURATION: Duration,
    Kind.LIST: list,
    Kind.MAP: dict,
    Kind.OBJECT: dict,
    Kind.TYPE: TypeValue,
}

Table = Mapping[str, tuple[Overload, ...]]


def _identity(value: Any) -> Any:
    return value


def _type_of(value: Any) -> TypeValue:
    return TypeValue(type_name(value))


def _overloads(*rows: tuple[Type, Type, Callable[..., Any]]) -> tuple[Overload, ...]:
    return tuple(Overload((parameter,), result, implementation) for parameter, result, implementation in rows)


_SIZE = _overloads((STRING, INT, len), (BYTES, INT, len), (LIST, INT, len), (MAP, INT, len))
_MATCHES = (Overload((STRING, STRING), BOOL, matches),)

GLOBAL: Table = {
    "size": _SIZE,
    "matches": _MATCHES,
    "type": _overloads((DYN, TYPE, _type_of)),
    "dyn": _overloads((DYN, DYN, _identity)),
    "bool": _overloads((BOOL, BOOL, _identity), (STRING, BOOL, conversions.bool_of_string)),
    "bytes": _overloads((BYTES, BYTES, _identity), (STRING, BYTES, str.encode)),
    "int": _overloads(
        (INT, INT, _identity),
        (UINT, INT, conversions.int_of_number),
        (DOUBLE, INT, conversions.int_of_number),
        (STRING, INT, conversions.int_of_string),
        (TIMESTAMP, INT, conversions.int_of_timestamp),
    ),
    "uint": _overloads(
        (UINT, UINT, _identity),
        (INT, UINT, conversions.uint_of_number),
        (DOUBLE, UINT, conversions.uint_of_number),
        (STRING, UINT, conversions.uint_of_string),
    ),
    "double": _overloads(
        (DOUBLE, DOUBLE, _identity),
        (INT, DOUBLE, float),
        (UINT, DOUBLE, float),
        (STRING, DOUBLE, conversions.double_of_string),
    ),
    "string": _overloads(
        (STRING, STRING, _identity),
        (BOOL, STRING, conversions.string_of_bool),
        (INT, STRING, str),
        (UINT, STRING, lambda value: str(int(value))),
        (DOUBLE, STRING, conversions.string_of_double),
        (BYTES, STRING, conversions.string_of_bytes),
        (TIMESTAMP, STRING, times.format_timestamp),
        (DURATION, STRING, times.format_duration),
    ),
    "timestamp": _overloads(
        (TIMESTAMP, TIMESTAMP, _identity),
        (STRING, TIMESTAMP, times.parse_timestamp),
        (INT, TIMESTAMP, times.timestamp_of_seconds),
    ),
    "duration": _overloads(
        (DURATION, DURATION, _identity),
        (STRING, DURATION, times.parse_duration),
    ),
}
"""Functions called as `name(…)`."""


def _accessor(name: str) -> tuple[Overload, ...]:
    of_timestamp = times.TIMESTAMP_PARTS[name]
    overloads = [Overload((TIMESTAMP,), INT, of_timestamp), Overload((TIMESTAMP, STRING), INT, of_timestamp)]
    if name in times.DURATION_PARTS:
        overloads.append(Overload((DURATION,), INT, times.DURATION_PARTS[name]))
    return tuple(overloads)


RECEIVER: Table = {
    "size": _SIZE,
    "matches": _MATCHES,
    "contains": (Overload((STRING, STRING), BOOL, lambda text, part: part in text),),
    "startsWith": (Overload((STRING, STRING), BOOL, str.startswith),),
    "endsWith": (Overload((STRING, STRING), BOOL, str.endswith),),
} | {name: _accessor(name) for name in times.TIMESTAMP_PARTS}
"""Functions called as `receiver.name(…)`."""

TYPE_NAMES = frozenset(kind.value for kind in Kind if kind not in (Kind.DYN, Kind.OBJECT))
"""Names that denote a type."""


def table_for(*, receiver: bool) -> Table:
    return RECEIVER if receiver else GLOBAL


def dispatch(name: str, overloads: Iterable[Overload], values: tuple[object, ...]) -> Any:
    """Call the overload that takes these values. Raises CelEvaluationError when there is none."""
    for overload in overloads:
        if overload.accepts(values):
            return overload.implementation(*values)
    names = ", ".join(map(type_name, values))
    raise CelEvaluationError(f"no such overload: {name}({names})")
