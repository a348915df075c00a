"""Checked tree → NumPy: the same condition over columns, for rehearsals over millions of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shoufu.engines.cel import closures
from shoufu.engines.cel.check import Checked
from shoufu.engines.cel.errors import CelEvaluationError, Unsupported
from shoufu.engines.cel.syntax import (
    Binary,
    Call,
    Comprehension,
    Conditional,
    ListLiteral,
    Literal,
    Logic,
    MessageLiteral,
    Node,
    Select,
    Unary,
    dotted_name,
    root_ident,
)
from shoufu.engines.cel.types import Kind, Type
from shoufu.engines.cel.values import INT_MIN

Array = NDArray[Any]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Dictionary:
    """A column of few different texts: row i has `values[codes[i]]`, and none where the code is negative.

    This is what Arrow and Parquet call dictionary encoding; it is the fastest way to give texts.
    """

    codes: NDArray[np.integer[Any]]
    values: Sequence[str]


Column = Array | Dictionary
"""A variable or field over all rows: bool; integers; float64 for doubles; int64 nanoseconds or datetime64 for
timestamps; texts as object or U array or as `Dictionary`. The mask of a masked array says where it is missing."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """Values over all rows (or one value for all), and where there is an error instead (None: nowhere)."""

    values: Array
    errors: Mask | None = None


class VectorProgram:
    """An expression over columns. It agrees with the closures row for row.

    `columns` are the names of the columns it reads, variables or dotted paths such as `result.value`; `fields`
    tested by has() are among them.
    """

    def __init__(self, facts: Checked) -> None:
        compiler = _Compiler(facts)
        self.type: Type = facts.types[facts.root]
        self._run = compiler.lanes(facts.root)
        self.columns: frozenset[str] = frozenset(compiler.columns)

    def __call__(self, columns: Mapping[str, Column]) -> Mask:
        """Where the condition is true; an error counts as not true.

        Raises Unsupported for a column that is absent, of another length, or of a type that does not fit.
        """
        if self.type.kind is not Kind.BOOL:
            raise Unsupported(f"the expression is {self.type}, no condition; use values()")
        values, errors = self.values(columns)
        mask: Mask = values & ~errors
        return mask

    def values(self, columns: Mapping[str, Column]) -> tuple[Array, Mask]:
        """The value of each row and where there is none because of an error."""
        batch = _Batch(columns)
        lanes = self._run(batch)
        values = np.broadcast_to(lanes.values, batch.count)
        errors = np.zeros(batch.count, np.bool_) if lanes.errors is None else np.broadcast_to(lanes.errors, batch.count)
        return values, errors


class _Batch:
    """The columns of one call, each converted once."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self.columns = columns
        sizes = {len(_array(column)) for column in columns.values()}
        if len(sizes) != 1:
            raise Unsupported(f"the columns must have one length, got {sorted(sizes)}")
        self.count = sizes.pop()
        self.dictionaries: dict[str, Dictionary] = {}

    def column(self, name: str) -> Column:
        found = self.columns.get(name)
        if found is None:
            raise Unsupported(f"the column '{name}' is missing; give a fully masked one if no row has it")
        return found

    def numbers(self, name: str, kind: Kind) -> Lanes:
        column = self.column(name)
        if isinstance(column, Dictionary):
            raise Unsupported(f"the column '{name}' holds texts, expected {kind.value}")
        values = _converted(np.ma.getdata(column), kind)
        if values is None:
            raise Unsupported(f"the column '{name}' is {column.dtype}, expected {kind.value}")
        return Lanes(values, _missing(column))

    def texts(self, name: str) -> Dictionary:
        found = self.dictionaries.get(name)
        if found is None:
            found = self.dictionaries[name] = _encoded(name, self.column(name))
        return found


def _array(column: Column) -> Array:
    return column.codes if isinstance(column, Dictionary) else column


def _missing(column: Array) -> Mask | None:
    mask = np.ma.getmask(column)
    return None if mask is np.ma.nomask else np.ma.getmaskarray(column)


def _converted(values: Array, kind: Kind) -> Array | None:
    sort = values.dtype.kind
    if kind is Kind.BOOL:
        return values if sort == "b" else None
    if kind is Kind.DOUBLE:
        return values.astype(np.float64, copy=False) if sort in "fiu" else None
    if kind is Kind.TIMESTAMP and sort == "M":
        return values.astype("datetime64[ns]").astype(np.int64)
    if sort == "i" or (sort == "u" and values.dtype.itemsize < 8):
        return values.astype(np.int64, copy=False)
    return None


def _encoded(name: str, column: Column) -> Dictionary:
    if isinstance(column, Dictionary):
        return column
    if column.dtype.kind not in "OUT":
        raise Unsupported(f"the column '{name}' is {column.dtype}, expected texts")
    missing = np.ma.getmaskarray(column)
    known: dict[str, int] = {}
    codes = np.empty(len(column), np.int64)
    for row, (value, absent) in enumerate(zip(np.ma.getdata(column).tolist(), missing.tolist(), strict=True)):
        if not absent and type(value) is not str:
            raise Unsupported(f"the column '{name}' has {value!r} in row {row}, expected a text")
        codes[row] = -1 if absent else known.setdefault(value, len(known))
    return Dictionary(codes, list(known))


Runner = Callable[[_Batch], Lanes]

_NUMBERS = frozenset({Kind.INT, Kind.DOUBLE})
_COLUMN_KINDS = frozenset({Kind.BOOL, Kind.INT, Kind.DOUBLE, Kind.TIMESTAMP})
_DTYPES: dict[Kind, type[Any]] = {Kind.BOOL: np.bool_, Kind.INT: np.int64, Kind.DOUBLE: np.float64}
_RELATIONS: dict[str, Any] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def _either(*masks: Mask | None) -> Mask | None:
    """Where any of the masks is set."""
    result: Mask | None = None
    for mask in masks:
        if mask is not None:
            result = mask if result is None else result | mask
    return result


class _Compiler:
    def __init__(self, facts: Checked) -> None:
        self.facts = facts
        self.columns: set[str] = set()

    def kind(self, node: Node) -> Kind:
        found = self.facts.types[node]
        if found.nullable:
            raise Unsupported("a value that may be null has no vector form", node.at)
        return found.kind

    def lanes(self, node: Node) -> Runner:
        if text := self.single_text(node):
            return self.by_text(node, text)
        kind = self.kind(node)
        if node in self.facts.constants or isinstance(node, Literal):
            return self.constant(node, kind)
        if self.is_read(node):
            return self.read(node, kind)
        match node:
            case Select() if node.test:
                return self.presence(node)
            case Unary():
                return self.unary(node)
            case Binary():
                return self.binary(node)
            case Logic():
                return _logic([self.boolean(term) for term in node.terms], node.operator)
            case Conditional():
                return self.conditional(node, kind)
            case Call():
                return self.call(node)
        raise Unsupported(f"{type(node).__name__} has no vector form", node.at)

    def boolean(self, node: Node) -> Runner:
        if self.kind(node) is not Kind.BOOL:
            raise Unsupported(f"a {self.kind(node).value} where a bool is needed has no vector form", node.at)
        return self.lanes(node)

    # Columns

    def is_read(self, node: Node) -> bool:
        """Whether the node is a variable or a field that is a column."""
        if node in self.facts.variables:
            return True
        if not isinstance(node, Select) or node.test or dotted_name(node) is None:
            return False
        root = root_ident(node)
        return root is not None and root not in self.facts.locals and node not in self.facts.constants

    def read(self, node: Node, kind: Kind) -> Runner:
        name = self.column_name(node)
        if kind not in _COLUMN_KINDS:
            raise Unsupported(f"{name} is {kind.value}, which has no vector form here", node.at)
        self.columns.add(name)
        return lambda batch: batch.numbers(name, kind)

    def column_name(self, node: Node) -> str:
        name = dotted_name(node)
        assert name is not None
        return name

    def presence(self, node: Select) -> Runner:
        owner: Node = node.operand
        name = f"{dotted_name(owner)}.{node.field}"
        while isinstance(owner, Select) and owner not in self.facts.variables:
            self.require(owner)
            owner = owner.operand
        if owner not in self.facts.variables or self.kind(node.operand) is not Kind.OBJECT:
            raise Unsupported("has() of this has no vector form", node.at)
        self.columns.add(name)

        def present(batch: _Batch) -> Lanes:
            column = batch.column(name)
            if isinstance(column, Dictionary):
                return Lanes(column.codes >= 0)
            missing = _missing(column)
            return Lanes(np.ones((), np.bool_) if missing is None else ~missing)

        return present

    def require(self, node: Select) -> None:
        """A column cannot say which object on the way to it is missing, where has() is an error."""
        owner = self.facts.types[node.operand]
        if owner.nullable or owner.kind is not Kind.OBJECT or node.field not in owner.required:
            raise Unsupported(f"has() below the optional field '{node.field}' has no vector form", node.at)

    # Texts: whatever depends on one text column is computed once for each different text, by the closures

    def single_text(self, node: Node) -> Node | None:
        """The one column `node` depends on, if that is a text and the result is a bool or number."""
        if self.facts.types[node].kind not in _DTYPES or self.facts.types[node].nullable:
            return None
        reads: dict[str, Node] = {}
        return next(iter(reads.values())) if self.text_reads(node, reads) and len(reads) == 1 else None

    def text_reads(self, node: Node, reads: dict[str, Node]) -> bool:
        """Collect the columns below `node`; False if one is no text, or something else stands in the way."""
        if isinstance(node, Comprehension | MessageLiteral) or (isinstance(node, Select) and node.test):
            return False
        if isinstance(node, Call) and node.receiver is None and node.function in self.facts.functions:
            return False
        if self.is_read(node):
            reads[self.column_name(node)] = node
            return self.facts.types[node] == Type(Kind.STRING)
        return all(self.text_reads(child, reads) for child in node.children())

    def by_text(self, node: Node, text: Node) -> Runner:
        name = self.column_name(text)
        self.columns.add(name)
        closure, wrap = closures.build(self.facts, node), self.wrapper(text)
        dtype = _DTYPES[self.facts.types[node].kind]

        def evaluate(batch: _Batch) -> Lanes:
            column = batch.texts(name)
            values = np.zeros(len(column.values) + 1, dtype)
            errors = np.ones(len(column.values) + 1, np.bool_)
            for i, value in enumerate(column.values):
                try:
                    values[i] = closure(closures.environment(self.facts, wrap(value)))
                    errors[i] = False
                except CelEvaluationError:
                    continue
            # A missing text (-1) takes the last entry. That is an error, unless a term beside it decides.
            try:
                values[-1] = closure(closures.environment(self.facts, wrap(None)))
                errors[-1] = False
            except CelEvaluationError:
                pass
            codes = np.where(column.codes < 0, len(column.values), column.codes)
            return Lanes(values[codes], errors[codes] if errors.any() else None)

        return evaluate

    def wrapper(self, text: Node) -> Callable[[str | None], Mapping[str, object]]:
        """From a text to the smallest activation that has it in its place."""
        path: list[str] = []
        node = text
        while node not in self.facts.variables:
            assert isinstance(node, Select)
            path.append(node.field)
            node = node.operand
        path.append(self.facts.variables[node])

        def wrap(value: str | None) -> Mapping[str, object]:
            result: object = {} if value is None else {path[0]: value}
            for name in path[1:]:
                result = {name: result}
            assert isinstance(result, dict)
            return result

        return wrap

    # Operators

    def constant(self, node: Node, kind: Kind) -> Runner:
        value = node.value if isinstance(node, Literal) else self.facts.constants[node]
        if kind not in _COLUMN_KINDS or isinstance(value, str):
            raise Unsupported(f"a {kind.value} constant has no vector form here", node.at)
        lanes = Lanes(np.asarray(value, _DTYPES.get(kind, np.int64)))
        return lambda batch: lanes

    def unary(self, node: Unary) -> Runner:
        if node.operator == "!":
            operand = self.boolean(node.operand)
            return lambda batch: _mapped(operand(batch), np.logical_not)
        operand, kind = self.lanes(node.operand), self.kind(node.operand)
        if kind is Kind.DOUBLE:
            return lambda batch: _mapped(operand(batch), np.negative)
        if kind is not Kind.INT:
            raise Unsupported(f"-{kind.value} has no vector form", node.at)

        def negate(batch: _Batch) -> Lanes:
            lanes = operand(batch)
            return Lanes(np.negative(lanes.values), _either(lanes.errors, lanes.values == INT_MIN))

        return negate

    def binary(self, node: Binary) -> Runner:
        if node.operator == "in":
            return self.membership(node)
        left, right = self.kind(node.left), self.kind(node.right)
        if node.operator in _RELATIONS:
            if left is not right and not {left, right} <= _NUMBERS:
                raise Unsupported(f"{left.value} {node.operator} {right.value} has no vector form", node.at)
            return _pairwise(self.lanes(node.left), self.lanes(node.right), _RELATIONS[node.operator])
        if left is right is Kind.DOUBLE:
            return _pairwise(self.lanes(node.left), self.lanes(node.right), _DOUBLE_ARITHMETIC[node.operator])
        if left is right is Kind.INT:
            return _checked(self.lanes(node.left), self.lanes(node.right), _INT_ARITHMETIC[node.operator])
        raise Unsupported(f"{left.value} {node.operator} {right.value} has no vector form", node.at)

    def membership(self, node: Binary) -> Runner:
        if not isinstance(node.right, ListLiteral) or self.kind(node.left) not in _NUMBERS:
            raise Unsupported("this 'in' has no vector form; it takes numbers or one text in a literal list", node.at)
        kinds = {self.kind(item) for item in node.right.items}
        if not kinds <= _NUMBERS:
            raise Unsupported("'in' over other things than numbers has no vector form", node.at)
        item, entries = self.lanes(node.left), [self.lanes(entry) for entry in node.right.items]

        def contained(batch: _Batch) -> Lanes:
            lanes = item(batch)
            others = [entry(batch) for entry in entries]
            found = np.zeros(np.shape(lanes.values), np.bool_)
            for other in others:
                found = found | _numeric(np.equal, lanes.values, other.values)
            return Lanes(found, _either(lanes.errors, *(other.errors for other in others)))

        return contained

    def conditional(self, node: Conditional, kind: Kind) -> Runner:
        if self.kind(node.then) is not kind or self.kind(node.other) is not kind:
            raise Unsupported("branches of different types have no vector form", node.at)
        test, then, other = self.boolean(node.test), self.lanes(node.then), self.lanes(node.other)

        def choose(batch: _Batch) -> Lanes:
            condition, first, second = test(batch), then(batch), other(batch)
            no = np.zeros((), np.bool_)
            errors = None
            if first.errors is not None or second.errors is not None:
                chosen = (no if first.errors is None else first.errors, no if second.errors is None else second.errors)
                errors = np.where(condition.values, *chosen)
            return Lanes(np.where(condition.values, first.values, second.values), _either(condition.errors, errors))

        return choose

    def call(self, node: Call) -> Runner:
        kinds = [self.kind(argument) for argument in node.children()]
        if node.receiver is None and node.function == "double" and kinds == [Kind.INT]:
            operand = self.lanes(node.arguments[0])
            return lambda batch: _mapped(operand(batch), lambda values: values.astype(np.float64))
        raise Unsupported(f"{node.function}() has no vector form here", node.at)


def _mapped(lanes: Lanes, operation: Callable[[Array], Array]) -> Lanes:
    return Lanes(operation(lanes.values), lanes.errors)


def _numeric(operation: Callable[[Array, Array], Array], left: Array, right: Array) -> Array:
    """A relation or operation on numbers of one or two types; an integer meets a double as a double."""
    if left.dtype != right.dtype:
        left, right = left.astype(np.float64), right.astype(np.float64)
    with np.errstate(all="ignore"):
        return operation(left, right)


def _pairwise(left: Runner, right: Runner, operation: Callable[[Array, Array], Array]) -> Runner:
    def run(batch: _Batch) -> Lanes:
        one, other = left(batch), right(batch)
        return Lanes(_numeric(operation, one.values, other.values), _either(one.errors, other.errors))

    return run


def _checked(left: Runner, right: Runner, operation: Callable[[Array, Array], tuple[Array, Mask]]) -> Runner:
    def run(batch: _Batch) -> Lanes:
        one, other = left(batch), right(batch)
        with np.errstate(all="ignore"):
            values, wrong = operation(one.values, other.values)
        return Lanes(values, _either(one.errors, other.errors, wrong))

    return run


def _logic(terms: list[Runner], operator: str) -> Runner:
    decisive = operator == "||"

    def run(batch: _Batch) -> Lanes:
        decided: Any = np.zeros((), np.bool_)
        errors: Mask | None = None
        for term in terms:
            lanes = term(batch)
            hit = lanes.values if decisive else ~lanes.values
            decided = decided | (hit if lanes.errors is None else hit & ~lanes.errors)
            errors = _either(errors, lanes.errors)
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


_DOUBLE_ARITHMETIC: dict[str, Any] = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}
_INT_ARITHMETIC: dict[str, Callable[[Array, Array], tuple[Array, Mask]]] = {
    "+": _int_add,
    "-": _int_subtract,
    "*": _int_multiply,
    "/": _int_divide,
    "%": _int_modulo,
}
