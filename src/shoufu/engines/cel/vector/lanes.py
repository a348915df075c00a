"""The operators on whole columns, with errors beside the values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from shoufu.engines.cel.values import INT_MIN
from shoufu.engines.cel.vector.columns import Array, Batch, Lanes, Mask

Runner = Callable[[Batch], Lanes]

RELATIONS: dict[str, Any] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def either(*masks: Mask | None) -> Mask | None:
    """Where any of the masks is set."""
    result: Mask | None = None
    for mask in masks:
        if mask is not None:
            result = mask if result is None else result | mask
    return result


def mapped(lanes: Lanes, operation: Callable[[Array], Array]) -> Lanes:
    return Lanes(operation(lanes.values), lanes.errors)


def numeric(operation: Callable[[Array, Array], Array], left: Array, right: Array) -> Array:
    """A relation or operation on numbers of one or two types; an integer meets a double as a double."""
    if left.dtype != right.dtype:
        left, right = left.astype(np.float64), right.astype(np.float64)
    with np.errstate(all="ignore"):
        return operation(left, right)


def pairwise(left: Runner, right: Runner, operation: Callable[[Array, Array], Array]) -> Runner:
    def run(batch: Batch) -> Lanes:
        one, other = left(batch), right(batch)
        return Lanes(numeric(operation, one.values, other.values), either(one.errors, other.errors))

    return run


def checked(left: Runner, right: Runner, operation: Callable[[Array, Array], tuple[Array, Mask]]) -> Runner:
    def run(batch: Batch) -> Lanes:
        one, other = left(batch), right(batch)
        with np.errstate(all="ignore"):
            values, wrong = operation(one.values, other.values)
        return Lanes(values, either(one.errors, other.errors, wrong))

    return run


def logic(terms: list[Runner], operator: str) -> Runner:
    decisive = operator == "||"

    def run(batch: Batch) -> Lanes:
        decided: Any = np.zeros((), np.bool_)
        errors: Mask | None = None
        for term in terms:
            lanes = term(batch)
            hit = lanes.values if decisive else ~lanes.values
            decided = decided | (hit if lanes.errors is None else hit & ~lanes.errors)
            errors = either(errors, lanes.errors)
        return Lanes(decided if decisive else ~decided, None if errors is None else errors & ~decided)

    return run


def _int_add(left: Array, right: Array) -> tuple[Array, Mask]:
    values = left + right
    return values, ((left ^ values) & (right ^ values)) < 0


def _int_subtract(left: Array, right: Array) -> tuple[Array, Mask]:
    values = left - right
    return values, ((left ^ right) & (left ^ values)) < 0


def _int_multiply(left: Array, right: Array) -> tuple[Array, Mask]:
    values = left * right
    safe = np.where(left == 0, 1, left)
    wrong = (left != 0) & (values // safe != right)
    smallest = ((left == -1) & (right == INT_MIN)) | ((right == -1) & (left == INT_MIN))
    return values, wrong | smallest


def _int_divide(left: Array, right: Array) -> tuple[Array, Mask]:
    wrong = (right == 0) | ((left == INT_MIN) & (right == -1))
    divisor = np.where(wrong, 1, right)
    floor = left // divisor
    # NumPy rounds down, CEL towards zero.
    inexact = (left - floor * divisor != 0) & ((left < 0) != (divisor < 0))
    return floor + inexact, wrong


def _int_modulo(left: Array, right: Array) -> tuple[Array, Mask]:
    # The remainder of a division by -1 is 0, also where the quotient would overflow.
    divisor = np.where((right == 0) | (right == -1), 1, right)
    quotient, _ = _int_divide(left, divisor)
    return left - quotient * divisor, right == 0


DOUBLE_ARITHMETIC: dict[str, Any] = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}
INT_ARITHMETIC: dict[str, Callable[[Array, Array], tuple[Array, Mask]]] = {
    "+": _int_add,
    "-": _int_subtract,
    "*": _int_multiply,
    "/": _int_divide,
    "%": _int_modulo,
}
