"""Checked tree → functions of a batch of columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

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
from shoufu.engines.cel.vector.columns import Batch, Dictionary, Lanes, missing_of
from shoufu.engines.cel.vector.lanes import (
    DOUBLE_ARITHMETIC,
    INT_ARITHMETIC,
    RELATIONS,
    Runner,
    checked,
    either,
    logic,
    mapped,
    numeric,
    pairwise,
)

_NUMBERS = frozenset({Kind.INT, Kind.DOUBLE})
_COLUMN_KINDS = frozenset({Kind.BOOL, Kind.INT, Kind.DOUBLE, Kind.TIMESTAMP})
_DTYPES: dict[Kind, type[Any]] = {Kind.BOOL: np.bool_, Kind.INT: np.int64, Kind.DOUBLE: np.float64}


class Compiler:
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
                return logic([self.boolean(term) for term in node.terms], node.operator)
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

        def present(batch: Batch) -> Lanes:
            column = batch.column(name)
            if isinstance(column, Dictionary):
                return Lanes(column.codes >= 0)
            missing = missing_of(column)
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

        def evaluate(batch: Batch) -> Lanes:
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
            return lambda batch: mapped(operand(batch), np.logical_not)
        operand, kind = self.lanes(node.operand), self.kind(node.operand)
        if kind is Kind.DOUBLE:
            return lambda batch: mapped(operand(batch), np.negative)
        if kind is not Kind.INT:
            raise Unsupported(f"-{kind.value} has no vector form", node.at)

        def negate(batch: Batch) -> Lanes:
            lanes = operand(batch)
            return Lanes(np.negative(lanes.values), either(lanes.errors, lanes.values == INT_MIN))

        return negate

    def binary(self, node: Binary) -> Runner:
        if node.operator == "in":
            return self.membership(node)
        left, right = self.kind(node.left), self.kind(node.right)
        if node.operator in RELATIONS:
            if left is not right and not {left, right} <= _NUMBERS:
                raise Unsupported(f"{left.value} {node.operator} {right.value} has no vector form", node.at)
            return pairwise(self.lanes(node.left), self.lanes(node.right), RELATIONS[node.operator])
        if left is right is Kind.DOUBLE:
            return pairwise(self.lanes(node.left), self.lanes(node.right), DOUBLE_ARITHMETIC[node.operator])
        if left is right is Kind.INT:
            return checked(self.lanes(node.left), self.lanes(node.right), INT_ARITHMETIC[node.operator])
        raise Unsupported(f"{left.value} {node.operator} {right.value} has no vector form", node.at)

    def membership(self, node: Binary) -> Runner:
        if not isinstance(node.right, ListLiteral) or self.kind(node.left) not in _NUMBERS:
            raise Unsupported("this 'in' has no vector form; it takes numbers or one text in a literal list", node.at)
        kinds = {self.kind(item) for item in node.right.items}
        if not kinds <= _NUMBERS:
            raise Unsupported("'in' over other things than numbers has no vector form", node.at)
        item, entries = self.lanes(node.left), [self.lanes(entry) for entry in node.right.items]

        def contained(batch: Batch) -> Lanes:
            lanes = item(batch)
            others = [entry(batch) for entry in entries]
            found = np.zeros(np.shape(lanes.values), np.bool_)
            for other in others:
                found = found | numeric(np.equal, lanes.values, other.values)
            return Lanes(found, either(lanes.errors, *(other.errors for other in others)))

        return contained

    def conditional(self, node: Conditional, kind: Kind) -> Runner:
        if self.kind(node.then) is not kind or self.kind(node.other) is not kind:
            raise Unsupported("branches of different types have no vector form", node.at)
        test, then, other = self.boolean(node.test), self.lanes(node.then), self.lanes(node.other)

        def choose(batch: Batch) -> Lanes:
            condition, first, second = test(batch), then(batch), other(batch)
            no = np.zeros((), np.bool_)
            errors = None
            if first.errors is not None or second.errors is not None:
                chosen = (no if first.errors is None else first.errors, no if second.errors is None else second.errors)
                errors = np.where(condition.values, *chosen)
            return Lanes(np.where(condition.values, first.values, second.values), either(condition.errors, errors))

        return choose

    def call(self, node: Call) -> Runner:
        kinds = [self.kind(argument) for argument in node.children()]
        if node.receiver is None and node.function == "double" and kinds == [Kind.INT]:
            operand = self.lanes(node.arguments[0])
            return lambda batch: mapped(operand(batch), lambda values: values.astype(np.float64))
        raise Unsupported(f"{node.function}() has no vector form here", node.at)
