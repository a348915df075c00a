"""The conversion functions between types: int(), double(), string() and so on."""

from __future__ import annotations

import math
import re

from shoufu.engines.cel.errors import CelEvaluationError
from shoufu.engines.cel.operators import show
from shoufu.engines.cel.values import INT_MAX, INT_MIN, SECOND, UINT_MAX, Timestamp, UInt

_INT = re.compile(r"[+-]?\d+", re.ASCII)
_UINT = re.compile(r"\d+", re.ASCII)
_DOUBLE = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf(?:inity)?|nan)", re.ASCII | re.IGNORECASE)
_MAX_DIGITS = 64
_TRUE = ("1", "t", "T", "true", "TRUE", "True")
_FALSE = ("0", "f", "F", "false", "FALSE", "False")
_BOOLS = dict.fromkeys(_TRUE, True) | dict.fromkeys(_FALSE, False)


def int_of_number(value: float) -> int:
    """From uint or double, cut towards zero."""
    if type(value) is float:
        # The ends are doubles outside of the range; ±2^63 itself is refused, as the language's tests want.
        if not -(2.0**63) < value < 2.0**63:
            raise CelEvaluationError(f"int range error: {value!r} does not fit in 64 bits")
        return int(value)
    if not INT_MIN <= value <= INT_MAX:
        raise CelEvaluationError(f"int range error: {int(value)} does not fit in 64 bits")
    return int(value)


def int_of_string(text: str) -> int:
    if len(text) > _MAX_DIGITS or not _INT.fullmatch(text):
        raise CelEvaluationError(f"type conversion error: {show(text)} is no integer")
    return int_of_number(int(text))


def int_of_timestamp(value: Timestamp) -> int:
    """Unix time in seconds, cut downwards."""
    return int(value) // SECOND


def uint_of_number(value: float) -> UInt:
    """From int or double, cut towards zero."""
    if type(value) is float:
        if not 0.0 <= value < 2.0**64:
            raise CelEvaluationError(f"uint range error: {value!r} is negative or does not fit in 64 bits")
        return UInt(value)
    if not 0 <= value <= UINT_MAX:
        raise CelEvaluationError(f"uint range error: {int(value)} is negative or does not fit in 64 bits")
    return UInt(value)


def uint_of_string(text: str) -> UInt:
    if len(text) > _MAX_DIGITS or not _UINT.fullmatch(text):
        raise CelEvaluationError(f"type conversion error: {show(text)} is no unsigned integer")
    return uint_of_number(int(text))


def double_of_string(text: str) -> float:
    if not _DOUBLE.fullmatch(text):
        raise CelEvaluationError(f"type conversion error: {show(text)} is no number")
    return float(text)


def bool_of_string(text: str) -> bool:
    found = _BOOLS.get(text)
    if found is None:
        raise CelEvaluationError(f"type conversion error: {show(text)} is neither true nor false")
    return found


def string_of_bool(value: bool) -> str:
    return "true" if value else "false"


def string_of_double(value: float) -> str:
    """The shortest decimal that reads back as the same double, without a trailing .0."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value).removesuffix(".0")


def string_of_bytes(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise CelEvaluationError(f"invalid UTF-8 at byte {error.start} of {len(value)}") from None
