"""The values CEL computes with, and how Python's own values become them.

| CEL | Python |
| --- | --- |
| bool, int, double, string, bytes, null | bool, int, float, str, bytes, None |
| uint, timestamp, duration, type | UInt, Timestamp, Duration, TypeValue |
| list | list |
| map | dict; the keys true and false are `BoolKey` members, because Python takes True for 1 |
| object | dict |

UInt, Timestamp and Duration are ints underneath, so that they compare at full speed; therefore test
`type(x) is int`, never isinstance.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum

from shoufu.engines.cel.errors import CelEvaluationError

INT_MIN, INT_MAX, UINT_MAX = -(1 << 63), (1 << 63) - 1, (1 << 64) - 1
SECOND = 1_000_000_000
TIMESTAMP_MIN = -62_135_596_800 * SECOND
TIMESTAMP_MAX = 253_402_300_800 * SECOND - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class UInt(int):
    """A 64-bit unsigned integer."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{int(self)}u"


class Timestamp(int):
    """An instant: nanoseconds since 1970-01-01T00:00:00Z, in the years 1 to 9999."""

    __slots__ = ()

    @classmethod
    def from_seconds(cls, seconds: float) -> Timestamp:
        """From Unix time in seconds, to the microsecond (a float has no more)."""
        return cls(round(seconds * 1_000_000) * 1_000)

    @classmethod
    def from_datetime(cls, moment: datetime) -> Timestamp:
        """From a datetime with a time zone. Raises ValueError for one without."""
        if moment.tzinfo is None:
            raise ValueError(f"{moment.isoformat()} has no time zone; give it one (tzinfo)")
        return cls((moment - _EPOCH) // _MICROSECOND * 1_000)

    def to_datetime(self) -> datetime:
        """In UTC, cut to the microsecond."""
        return _EPOCH + timedelta(microseconds=int(self) // 1_000)

    def __repr__(self) -> str:
        return f"Timestamp({int(self)})"


class Duration(int):
    """A span of time: signed nanoseconds in 64 bits."""

    __slots__ = ()

    @classmethod
    def from_seconds(cls, seconds: float) -> Duration:
        return cls(round(seconds * 1_000_000) * 1_000)

    @classmethod
    def from_timedelta(cls, span: timedelta) -> Duration:
        return cls(span // _MICROSECOND * 1_000)

    def __repr__(self) -> str:
        return f"Duration({int(self)})"


class TypeValue(str):
    """A type as a value: its name."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"TypeValue({str(self)})"


class BoolKey(Enum):
    """A map key that is a bool."""

    FALSE = False
    TRUE = True


def normal_key(key: object) -> object:
    """The dict key under which a CEL map holds `key`. Raises CelEvaluationError for what cannot be a key."""
    kind = type(key)
    if kind is str or kind is int or kind is UInt or kind is BoolKey:
        return key
    if kind is bool:
        return BoolKey.TRUE if key else BoolKey.FALSE
    raise CelEvaluationError(f"a map key cannot be of type {type_name(key)}; use int, uint, bool or string")


def lookup_key(key: object) -> object:
    """As `normal_key`, for reading: a double looks for the integer of the same value; None where none can be equal."""
    kind = type(key)
    if kind is str or kind is int or kind is UInt:
        return key
    if kind is bool:
        return BoolKey.TRUE if key else BoolKey.FALSE
    if kind is float and key.is_integer():  # type: ignore[attr-defined]
        return int(key)  # type: ignore[call-overload, no-any-return]
    return None


def plain_key(key: object) -> object:
    """The CEL value of a dict key."""
    return key.value if type(key) is BoolKey else key


_TYPE_NAMES: dict[type, str] = {
    type(None): "null_type",
    bool: "bool",
    int: "int",
    UInt: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    list: "list",
    dict: "map",
    Timestamp: "google.protobuf.Timestamp",
    Duration: "google.protobuf.Duration",
    TypeValue: "type",
}


def type_name(value: object) -> str:
    """The name of a value's CEL type."""
    return _TYPE_NAMES.get(type(value)) or type(value).__name__


def from_python(value: object) -> object:
    """A CEL value of common Python values, deep. Raises CelEvaluationError for a value CEL has no type for."""
    kind = type(value)
    if kind is int:
        if not INT_MIN <= value <= INT_MAX:  # type: ignore[operator]
            raise CelEvaluationError(f"{value} is out of the range of int; 64 bits hold ±9223372036854775807")
        return value
    if kind is list:
        return [from_python(item) for item in value]  # type: ignore[attr-defined]
    if kind is dict:
        return {key if type(key) is str else normal_key(key): from_python(item) for key, item in value.items()}  # type: ignore[attr-defined]
    if kind in _TYPE_NAMES:
        return value
    if isinstance(value, list | tuple):
        return [from_python(item) for item in value]
    if isinstance(value, Mapping):
        return {normal_key(key): from_python(item) for key, item in value.items()}
    if isinstance(value, datetime):
        return Timestamp.from_datetime(value)
    if isinstance(value, timedelta):
        return Duration.from_timedelta(value)
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    raise CelEvaluationError(f"CEL has no type for a value of {kind.__module__}.{kind.__qualname__}")
