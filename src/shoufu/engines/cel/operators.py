"""The operators on values, dispatched on what the values are. They raise CelEvaluationError without a position."""

from __future__ import annotations

import math
import operator as python
from collections.abc import Callable
from typing import Any, NoReturn

from shoufu.engines.cel.errors import CelEvaluationError
from shoufu.engines.cel.values import (
    INT_MAX,
    INT_MIN,
    TIMESTAMP_MAX,
    TIMESTAMP_MIN,
    UINT_MAX,
    Duration,
    Timestamp,
    TypeValue,
    UInt,
    lookup_key,
    type_name,
)

_NUMBERS = frozenset({int, UInt, float})
_ORDERED = frozenset({int, UInt, float, str, bytes, bool, Timestamp, Duration})
_SCALARS = frozenset({int, UInt, float, str, bytes, bool, type(None), Timestamp, Duration, TypeValue})


def no_overload(operator: str, *values: object) -> CelEvaluationError:
    """The error for an operator that does not take values of these types."""
    names = [type_name(value) for value in values]
    shown = f"{operator}{names[0]}" if len(names) == 1 else f" {operator} ".join(names)
    return CelEvaluationError(f"no such overload: {shown}; convert a side, e.g. with int(), double() or string()")


def equals(left: Any, right: Any) -> bool:
    """Equality of any two values: numbers on one line, whatever their types; else different types are unequal."""
    kind, other = type(left), type(right)
    if kind is other:
        if kind in _SCALARS:
            return bool(left == right)
        if kind is list:
            return len(left) == len(right) and all(map(equals, left, right))
        if kind is dict:
            return len(left) == len(right) and all(key in right and equals(left[key], right[key]) for key in left)
        return bool(left == right)
    if kind in _NUMBERS and other in _NUMBERS:
        # Against a double the integer is rounded to a double, as it is for the order.
        return float(left) == float(right) if kind is float or other is float else int(left) == int(right)
    return False


def _compared(symbol: str, compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], bool]:
    def relation(left: Any, right: Any) -> bool:
        kind, other = type(left), type(right)
        if kind is other and kind in _ORDERED:
            return bool(compare(left, right))
        if kind in _NUMBERS and other in _NUMBERS:
            if kind is float or other is float:
                return bool(compare(float(left), float(right)))
            return bool(compare(int(left), int(right)))
        raise no_overload(symbol, left, right)

    return relation


less = _compared("<", python.lt)
less_equal = _compared("<=", python.le)
greater = _compared(">", python.gt)
greater_equal = _compared(">=", python.ge)


def not_equals(left: Any, right: Any) -> bool:
    return not equals(left, right)


def contained(item: Any, container: Any) -> bool:
    """`item in container`: an element of a list or a key of a map."""
    if type(container) is list:
        return any(equals(item, element) for element in container)
    if type(container) is dict:
        return lookup_key(item) in container if item is not None else False
    raise no_overload("in", item, container)


def overflow(kind: str) -> NoReturn:
    raise CelEvaluationError(f"{kind} overflow: the result is out of the 64-bit range")


def _int(value: int) -> int:
    if INT_MIN <= value <= INT_MAX:
        return value
    overflow("int")


def _uint(value: int) -> UInt:
    if 0 <= value <= UINT_MAX:
        return UInt(value)
    overflow("uint")


def make_duration(nanoseconds: int) -> Duration:
    """A checked duration. Raises CelEvaluationError when 64 bits cannot hold it."""
    if INT_MIN <= nanoseconds <= INT_MAX:
        return Duration(nanoseconds)
    raise CelEvaluationError("duration out of range: it holds about ±292 years")


def make_timestamp(nanoseconds: int) -> Timestamp:
    """A checked timestamp. Raises CelEvaluationError outside of the years 1 to 9999."""
    if TIMESTAMP_MIN <= nanoseconds <= TIMESTAMP_MAX:
        return Timestamp(nanoseconds)
    raise CelEvaluationError("timestamp out of range: it must lie in the years 0001 to 9999")


def int_divide(left: int, right: int) -> int:
    """The quotient, cut towards zero."""
    if right == 0:
        raise CelEvaluationError("divide by zero")
    quotient = abs(left) // abs(right)
    return _int(quotient if (left < 0) == (right < 0) else -quotient)


def int_modulo(left: int, right: int) -> int:
    """The remainder, with the sign of `left`."""
    if right == 0:
        raise CelEvaluationError("modulus by zero")
    remainder = abs(left) % abs(right)
    return -remainder if left < 0 else remainder


def double_divide(left: float, right: float) -> float:
    """The quotient after IEEE 754: infinite or NaN for a divisor of zero."""
    if right != 0.0:
        return left / right
    if left == 0.0 or left != left:
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def _uint_divide(left: UInt, right: UInt) -> UInt:
    if right == 0:
        raise CelEvaluationError("divide by zero")
    return UInt(int(left) // int(right))


def _uint_modulo(left: UInt, right: UInt) -> UInt:
    if right == 0:
        raise CelEvaluationError("modulus by zero")
    return UInt(int(left) % int(right))


_Table = dict[tuple[type, type], Callable[[Any, Any], Any]]

_ADD: _Table = {
    (int, int): lambda a, b: _int(a + b),
    (UInt, UInt): lambda a, b: _uint(int(a) + int(b)),
    (float, float): python.add,
    (str, str): python.add,
    (bytes, bytes): python.add,
    (list, list): python.add,
    (Duration, Duration): lambda a, b: make_duration(int(a) + int(b)),
    (Timestamp, Duration): lambda a, b: make_timestamp(int(a) + int(b)),
    (Duration, Timestamp): lambda a, b: make_timestamp(int(a) + int(b)),
}
_SUBTRACT: _Table = {
    (int, int): lambda a, b: _int(a - b),
    (UInt, UInt): lambda a, b: _uint(int(a) - int(b)),
    (float, float): python.sub,
    (Duration, Duration): lambda a, b: make_duration(int(a) - int(b)),
    (Timestamp, Duration): lambda a, b: make_timestamp(int(a) - int(b)),
    (Timestamp, Timestamp): lambda a, b: make_duration(int(a) - int(b)),
}
_MULTIPLY: _Table = {
    (int, int): lambda a, b: _int(a * b),
    (UInt, UInt): lambda a, b: _uint(int(a) * int(b)),
    (float, float): python.mul,
}
_DIVIDE: _Table = {(int, int): int_divide, (UInt, UInt): _uint_divide, (float, float): double_divide}
_MODULO: _Table = {(int, int): int_modulo, (UInt, UInt): _uint_modulo}


def _arithmetic(symbol: str, table: _Table) -> Callable[[Any, Any], Any]:
    def operation(left: Any, right: Any) -> Any:
        implementation = table.get((type(left), type(right)))
        if implementation is None:
            raise no_overload(symbol, left, right)
        return implementation(left, right)

    return operation


add = _arithmetic("+", _ADD)

MAX_LENGTH = 1_000_000
"""Longest text, bytes or list that `+` makes within a macro, where lengths could double with every turn."""
MAX_TURNS = 1_000_000
"""Most turns that macros within one another take together."""


def add_bounded(left: Any, right: Any) -> Any:
    """`+` within a macro."""
    if type(left) is type(right) and type(left) in (str, bytes, list) and len(left) + len(right) > MAX_LENGTH:
        raise CelEvaluationError(f"the result of + is longer than {MAX_LENGTH}")
    return add(left, right)


def turn_limit(nesting: int) -> int:
    """The longest list a macro may run over in an expression that has so many macros within one another."""
    return int(MAX_TURNS ** (1 / nesting) + 0.5) if nesting else MAX_TURNS


subtract = _arithmetic("-", _SUBTRACT)
multiply = _arithmetic("*", _MULTIPLY)
divide = _arithmetic("/", _DIVIDE)
modulo = _arithmetic("%", _MODULO)

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "==": equals,
    "!=": not_equals,
    "<": less,
    "<=": less_equal,
    ">": greater,
    ">=": greater_equal,
    "in": contained,
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": modulo,
}


def negate(value: Any) -> Any:
    kind = type(value)
    if kind is int:
        return _int(-value)
    if kind is float:
        return -value
    raise no_overload("-", value)


def invert(value: Any) -> bool:
    if value is True:
        return False
    if value is False:
        return True
    raise no_overload("!", value)


def index(container: Any, key: Any) -> Any:
    """`container[key]`."""
    if type(container) is list:
        return container[_position(container, key)]
    if type(container) is dict:
        found = container.get(lookup_key(key), _ABSENT)
        if found is _ABSENT:
            raise CelEvaluationError(f"no such key: {show(key)}")
        return found
    raise CelEvaluationError(f"no such overload: {type_name(container)}[{type_name(key)}]; only lists and maps have []")


_ABSENT = object()


def _position(container: list[Any], key: Any) -> int:
    kind = type(key)
    if kind is float and key.is_integer():
        key = int(key)
    elif kind is not int and kind is not UInt:
        raise CelEvaluationError(f"invalid argument: a list index must be an int, not {type_name(key)} {show(key)}")
    if not 0 <= key < len(container):
        raise CelEvaluationError(f"invalid argument: index {int(key)} is out of range, the list has {len(container)}")
    return int(key)


def select(container: Any, field: str) -> Any:
    """`container.field`."""
    if type(container) is dict:
        found = container.get(field, _ABSENT)
        if found is _ABSENT:
            raise no_field(container, field)
        return found
    raise CelEvaluationError(f"no such overload: {type_name(container)}.{field}; only maps and objects have fields")


def no_field(container: dict[Any, Any], field: str) -> CelEvaluationError:
    """The error for a field that is not there."""
    names = ", ".join(sorted(str(key) for key in container)[:12]) or "none"
    return CelEvaluationError(f"no such field: {field}; there are: {names}. Guard optional fields with has()")


def has_field(container: Any, field: str) -> bool:
    """`has(container.field)`."""
    if type(container) is dict:
        return field in container
    raise CelEvaluationError(
        f"no such overload: has({type_name(container)}.{field}); only maps and objects have fields"
    )


def show(value: object) -> str:
    """A value for an error message, kept short."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
