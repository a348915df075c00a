"""CEL values as JSON, for the command line and for stored explanations."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from shoufu.engines.cel.conversions import string_of_bool
from shoufu.engines.cel.errors import CelError
from shoufu.engines.cel.times import format_duration, format_timestamp, parse_duration, parse_timestamp
from shoufu.engines.cel.values import (
    SECOND,
    UINT_MAX,
    Duration,
    Timestamp,
    TypeValue,
    UInt,
    from_python,
    normal_key,
    plain_key,
)

MAX_DEPTH = 100
"""Deepest nesting of lists and maps."""


def to_json(value: object) -> str:
    """One line of JSON.

    uint as a number; double always with a point or exponent, NaN and the infinities as strings; bytes as base64;
    timestamps as RFC 3339 and durations as seconds (`"3.5s"`); types by name; map keys as strings.
    """
    kind = type(value)
    if kind is float:
        return _double(value)  # type: ignore[arg-type]
    if kind is list:
        return f"[{', '.join(map(to_json, value))}]"  # type: ignore[call-overload]
    if isinstance(value, dict):
        entries = (f"{json.dumps(_key(key), ensure_ascii=False)}: {to_json(item)}" for key, item in value.items())
        return "{" + ", ".join(entries) + "}"
    return json.dumps(_plain(value), ensure_ascii=False)


def _double(value: float) -> str:
    if math.isnan(value):
        return '"NaN"'
    if math.isinf(value):
        return '"Infinity"' if value > 0 else '"-Infinity"'
    return repr(value)


def _plain(value: object) -> object:
    if isinstance(value, Timestamp):
        return format_timestamp(value)
    if isinstance(value, Duration):
        return format_duration(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, TypeValue):
        return str(value)
    return int(value) if isinstance(value, UInt) else value


def _key(key: object) -> str:
    plain = plain_key(key)
    if isinstance(plain, bool):
        return string_of_bool(plain)
    return str(int(plain)) if isinstance(plain, int) else str(plain)


def from_json(value: object) -> object:
    """A CEL value of parsed JSON: plain, or typed as in the JSON of the protocol buffer `cel.expr.Value`.

    An object whose only key is one of int64Value, uint64Value, doubleValue, stringValue, bytesValue (base64),
    boolValue, nullValue, typeValue, listValue, mapValue, objectValue (a Timestamp or Duration) is that typed
    value; `{"value": …}` around one is passed through. Names in snake_case are taken too. Raises CelError.
    """
    return _decode(value, 0)


def _decode(value: object, depth: int) -> object:
    if depth > MAX_DEPTH:
        raise CelError(f"the value is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, list):
        return [_decode(item, depth + 1) for item in value]
    if not isinstance(value, dict):
        return from_python(value)
    if len(value) == 1:
        ((name, inner),) = value.items()
        if decoder := _TYPED.get(name):
            return _typed(name, decoder, inner, depth + 1)
        if name == "value" and isinstance(inner, dict) and len(inner) == 1 and next(iter(inner)) in _TYPED:
            return _decode(inner, depth + 1)
    return {key: _decode(item, depth + 1) for key, item in value.items()}


def _typed(name: str, decoder: Callable[[Any, int], object], inner: object, depth: int) -> object:
    try:
        return decoder(inner, depth)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, binascii.Error) as error:
        raise CelError(f"{name}: {inner!r} is no such value: {error}") from error


def _int(inner: Any, depth: int) -> object:
    return from_python(int(inner))


def _uint(inner: Any, depth: int) -> object:
    if not 0 <= int(inner) <= UINT_MAX:
        raise ValueError("out of the range of uint")
    return UInt(inner)


def _of(kind: type) -> Callable[[Any, int], object]:
    def decode(inner: Any, depth: int) -> object:
        if type(inner) is not kind:
            raise ValueError(f"expected {kind.__name__}")
        return inner

    return decode


def _list(inner: Any, depth: int) -> object:
    items = inner if isinstance(inner, list) else inner.get("values", [])
    return [_decode(item, depth) for item in items]


def _map(inner: Any, depth: int) -> object:
    entries = inner if isinstance(inner, list) else inner.get("entries", [])
    return {normal_key(_decode(entry["key"], depth)): _decode(entry["value"], depth) for entry in entries}


def _object(inner: Mapping[str, Any], depth: int) -> object:
    name = str(inner["@type"]).rpartition("/")[2]
    if name not in ("google.protobuf.Timestamp", "google.protobuf.Duration"):
        raise ValueError(f"{name} is unknown; give a google.protobuf.Timestamp or Duration")
    is_timestamp = name.endswith("Timestamp")
    if "value" in inner:
        return (parse_timestamp if is_timestamp else parse_duration)(inner["value"])
    nanoseconds = int(inner.get("seconds", 0)) * SECOND + int(inner.get("nanos", 0))
    return Timestamp(nanoseconds) if is_timestamp else Duration(nanoseconds)


_CAMEL: dict[str, Callable[[Any, int], object]] = {
    "int64Value": _int,
    "uint64Value": _uint,
    "doubleValue": lambda inner, depth: float(inner),
    "stringValue": _of(str),
    "bytesValue": lambda inner, depth: base64.b64decode(inner, validate=True),
    "boolValue": _of(bool),
    "nullValue": lambda inner, depth: None,
    "typeValue": lambda inner, depth: TypeValue(inner),
    "listValue": _list,
    "mapValue": _map,
    "objectValue": _object,
}
_TYPED = _CAMEL | {name.replace("Value", "_value"): decode for name, decode in _CAMEL.items()}
