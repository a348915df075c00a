"""The wrapper messages of google.protobuf, which are nothing but their value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from struct import pack, unpack

from shoufu.engines.cel.errors import CelEvaluationError
from shoufu.engines.cel.types import BOOL, BYTES, DOUBLE, DYN, INT, STRING, UINT, Type
from shoufu.engines.cel.values import UInt, type_name

_PREFIX = "google.protobuf."


@dataclass(frozen=True, slots=True)
class Wrapper:
    """`default` is the value of the empty message; `bits` limits integers."""

    type: Type
    default: object
    bits: int = 64


WRAPPERS = {
    f"{_PREFIX}BoolValue": Wrapper(BOOL, False),
    f"{_PREFIX}BytesValue": Wrapper(BYTES, b""),
    f"{_PREFIX}DoubleValue": Wrapper(DOUBLE, 0.0),
    f"{_PREFIX}FloatValue": Wrapper(DOUBLE, 0.0, 32),
    f"{_PREFIX}Int32Value": Wrapper(INT, 0, 32),
    f"{_PREFIX}Int64Value": Wrapper(INT, 0),
    f"{_PREFIX}StringValue": Wrapper(STRING, ""),
    f"{_PREFIX}UInt32Value": Wrapper(UINT, UInt(0), 32),
    f"{_PREFIX}UInt64Value": Wrapper(UINT, UInt(0)),
    f"{_PREFIX}Value": Wrapper(DYN, None),
}
_VALUE_FIELDS: dict[str, type] = {
    "null_value": type(None),
    "number_value": float,
    "string_value": str,
    "bool_value": bool,
    "struct_value": dict,
    "list_value": list,
}


def wrapper_of(name: str) -> str | None:
    """The full name of a known wrapper message, else None."""
    name = name.removeprefix(".")
    return name if name in WRAPPERS else None


def build(name: str, fields: Mapping[str, object]) -> object:
    """The value of the message. Raises CelEvaluationError for an unknown name or a value of a wrong type."""
    full = wrapper_of(name)
    if full is None:
        raise CelEvaluationError(f"unknown message type '{name}'")
    wrapper = WRAPPERS[full]
    if not fields:
        return wrapper.default
    (field, value), *others = fields.items()
    if wrapper.type.is_dyn:
        expected = _VALUE_FIELDS.get(field)
    else:
        expected = type(wrapper.default) if field == "value" else None
    if expected is None or others:
        raise CelEvaluationError(f"no such field: {', '.join(fields)} in {full}")
    if type(value) is not expected:
        raise CelEvaluationError(f"no such overload: {full}.{field} cannot hold {type_name(value)}")
    return _narrow(value, wrapper, full)


def _narrow(value: object, wrapper: Wrapper, name: str) -> object:
    if wrapper.bits == 64:
        return value
    if isinstance(value, float):
        return _single_precision(value)
    low, high = (0, 1 << 32) if type(value) is UInt else (-(1 << 31), 1 << 31)
    if isinstance(value, int) and not low <= value < high:
        raise CelEvaluationError(f"range error: {int(value)} does not fit in {name}")
    return value


def _single_precision(value: float) -> float:
    try:
        return float(unpack("f", pack("f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)
