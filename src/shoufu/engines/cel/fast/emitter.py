"""Node → Python expression."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from shoufu.engines.cel import operators
from shoufu.engines.cel.check import Checked
from shoufu.engines.cel.closures import binary_operation, elements, truth
from shoufu.engines.cel.errors import CelEvaluationError
from shoufu.engines.cel.functions import Overload, dispatch, table_for
from shoufu.engines.cel.matching import compile_pattern
from shoufu.engines.cel.syntax import (
    Binary,
    Call,
    Comprehension,
    Conditional,
    Ident,
    Index,
    ListLiteral,
    Literal,
    Logic,
    MapLiteral,
    Node,
    Select,
    Unary,
)
from shoufu.engines.cel.types import Kind, Type
from shoufu.engines.cel.values import INT_MAX, normal_key

_EXACT = 1 << 53
"""Integers below this are doubles without loss, and compare with doubles in Python as CEL wants it."""
_INLINE = (bool, int, str, bytes, type(None))
_RAW_EQUALITY = frozenset({Kind.BOOL, Kind.STRING, Kind.BYTES, Kind.TIMESTAMP, Kind.DURATION, Kind.INT, Kind.UINT})
_NUMERIC = frozenset({Kind.INT, Kind.UINT, Kind.DOUBLE})
_BINARY_NAMES = {
    "==": "equals",
    "!=": "not_equals",
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
    "in": "contained",
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "divide",
    "%": "modulo",
}


def _want_bool(value: Any) -> bool:
    return truth(value, "a logical operator")


def _int_overflow() -> int:
    operators.overflow("int")


def _make_map(entries: tuple[tuple[object, object], ...]) -> dict[object, object]:
    result = {normal_key(key): value for key, value in entries}
    if len(result) != len(entries):
        raise CelEvaluationError("a key is in the map twice")
    return result


class Emitter:
    """Writes a Python expression for each node.

    `raw` gives the value as it is stored, where a double may be an int and an int a float with .0 (JSON has one
    sort of number); `exact` gives the CEL value.
    """

    def __init__(self, facts: Checked, given: frozenset[str] | None = None) -> None:
        self.facts = facts
        self.given = given
        self.names: dict[str, str] = {}
        self.bound: dict[str, Any] = {}
        self.temporaries = 0
        self.in_source = 0

    def make(self, source: str, bound: Mapping[str, Any]) -> Callable[..., object]:
        namespace: dict[str, Any] = {**self.bound, **bound}
        # The source holds only names made here and literals by repr(); nothing of the text gets in unquoted.
        exec(compile(source, "<cel>", "exec"), namespace)
        function: Callable[..., object] = namespace["evaluate"]
        return function

    def bind(self, value: Any, stem: str) -> str:
        for name, known in self.bound.items():
            if known is value:
                return name
        name = f"{stem}_{len(self.bound)}"
        self.bound[name] = value
        return name

    def kind(self, node: Node) -> Kind:
        """The kind on which a rule may rely: dyn for what may be null."""
        found = self.facts.types[node]
        return Kind.DYN if found.nullable else found.kind

    def variable(self, name: str) -> str:
        return self.names.setdefault(name, f"v{len(self.names)}")

    # Values

    def exact(self, node: Node) -> str:
        text = self.raw(node)
        if not self.is_read(node):
            return text
        kind = self.facts.types[node].kind
        if kind is Kind.DOUBLE:
            return f"({text}*1.0)"
        return f"({text}|0)" if kind is Kind.INT else text

    def is_read(self, node: Node) -> bool:
        """Whether the node's value comes from outside, so that `raw` and `exact` differ."""
        if node in self.facts.constants:
            return False
        return isinstance(node, Ident | Index) or (isinstance(node, Select) and not node.test)

    def constant(self, value: object) -> str:
        if type(value) in _INLINE or (type(value) is float and value - value == 0.0):
            return f"({value!r})"
        return self.bind(value, "constant")

    def raw(self, node: Node) -> str:
        if node in self.facts.constants and (self.facts.strict or not isinstance(node, Ident)):
            return self.constant(self.facts.constants[node])
        match node:
            case Literal():
                return self.constant(node.value)
            case Ident() | Select() if node in self.facts.variables:
                return self.variable(self.facts.variables[node])
            case Ident():
                return f"x{self.facts.locals[node]}" if node in self.facts.locals else self.type_or_variable(node)
            case Select():
                return self.select(node)
            case Index():
                return self.index(node)
            case Call():
                return self.call(node)
            case Unary():
                return self.unary(node)
            case Binary():
                return self.binary(node)
            case Logic():
                joint = " and " if node.operator == "&&" else " or "
                return f"({joint.join(self.condition(term) for term in node.terms)})"
            case Conditional():
                return f"({self.exact(node.then)} if {self.condition(node.test)} else {self.exact(node.other)})"
            case ListLiteral():
                return f"[{', '.join(map(self.exact, node.items))}]"
            case MapLiteral():
                return self.map_literal(node)
            case Comprehension():
                return self.comprehension(node)
        raise AssertionError(f"unknown node {type(node).__name__}")

    def type_or_variable(self, node: Ident) -> str:
        """Without declarations, a variable goes before the type of the same name."""
        fallback = self.bind(self.facts.constants[node], "type")
        if self.given is None:
            return f"a.get({node.name!r}, {fallback})"
        return self.variable(node.name) if node.name in self.given else fallback

    def condition(self, node: Node) -> str:
        text = self.raw(node)
        return text if self.kind(node) is Kind.BOOL else f"{self.bind(_want_bool, 'want_bool')}({text})"

    def select(self, node: Select) -> str:
        operand = self.raw(node.operand)
        if not node.test:
            # Of all CEL values only a map takes a string as index. (Python's compiler warns of `[1]["a"]`.)
            if self.is_read(node.operand):
                return f"{operand}[{node.field!r}]"
            return f"{self.bind(operators.select, 'select')}({operand}, {node.field!r})"
        if self.kind(node.operand) in (Kind.OBJECT, Kind.MAP):
            return f"({node.field!r} in {operand})"
        return f"{self.bind(operators.has_field, 'has_field')}({operand}, {node.field!r})"

    def index(self, node: Index) -> str:
        container, key = self.kind(node.operand), node.index
        operand = self.raw(node.operand)
        if container in (Kind.OBJECT, Kind.MAP) and self.kind(key) is Kind.STRING:
            return f"{operand}[{self.raw(key)}]"
        if container is Kind.LIST and isinstance(key, Literal) and type(key.value) is int and key.value >= 0:
            return f"{operand}[{key.value}]"
        return f"{self.bind(operators.index, 'index')}({operand}, {self.exact(key)})"

    def map_literal(self, node: MapLiteral) -> str:
        keys = [key.value for key, _ in node.entries if isinstance(key, Literal) and isinstance(key.value, str)]
        if len(set(keys)) == len(node.entries):
            return "{" + ", ".join(f"{self.raw(key)}: {self.exact(value)}" for key, value in node.entries) + "}"
        entries = "".join(f"({self.exact(key)}, {self.exact(value)})," for key, value in node.entries)
        return f"{self.bind(_make_map, 'make_map')}(({entries}))"

    # Operators

    def unary(self, node: Unary) -> str:
        kind = self.kind(node.operand)
        if node.operator == "!":
            if kind is Kind.BOOL:
                return f"(not {self.raw(node.operand)})"
            return f"{self.bind(operators.invert, 'invert')}({self.raw(node.operand)})"
        if kind is Kind.DOUBLE:
            return f"(-{self.exact(node.operand)})"
        return f"{self.bind(operators.negate, 'negate')}({self.exact(node.operand)})"

    def binary(self, node: Binary) -> str:
        if node.operator in ("==", "!="):
            text = self.equality(node)
        elif node.operator == "in":
            text = self.membership(node)
        elif node.operator in ("<", "<=", ">", ">="):
            text = self.order(node)
        else:
            text = self.arithmetic(node)
        return text or self.by_value(node)

    def by_value(self, node: Binary) -> str:
        operation = self.bind(binary_operation(self.facts, node), _BINARY_NAMES[node.operator])
        return f"{operation}({self.exact(node.left)}, {self.exact(node.right)})"

    def equality(self, node: Binary) -> str | None:
        for one, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(one, Literal) and one.value is None and self.is_read(other):
                return f"({self.raw(other)} is {'not ' if node.operator == '!=' else ''}None)"
        left, right = self.kind(node.left), self.kind(node.right)
        if (left is right and left in _RAW_EQUALITY) or self.compares_with_small(node):
            return f"({self.raw(node.left)} {node.operator} {self.raw(node.right)})"
        return self.double_relation(node)

    def order(self, node: Binary) -> str | None:
        left, right = self.kind(node.left), self.kind(node.right)
        if (left is right and left in _RAW_EQUALITY) or self.compares_with_small(node):
            return f"({self.raw(node.left)} {node.operator} {self.raw(node.right)})"
        return self.double_relation(node)

    def compares_with_small(self, node: Binary) -> bool:
        """A number and a number literal: Python compares exactly, CEL by doubles; the same for small literals."""
        for one, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(one, Literal) and type(one.value) in (int, float) and -_EXACT < one.value < _EXACT:  # type: ignore[operator]
                return self.kind(other) in _NUMERIC
        return False

    def double_relation(self, node: Binary) -> str | None:
        if self.kind(node.left) is self.kind(node.right) is Kind.DOUBLE:
            return f"({self.exact(node.left)} {node.operator} {self.exact(node.right)})"
        return None

    def membership(self, node: Binary) -> str | None:
        item, container = self.kind(node.left), self.facts.types[node.right]
        if container.nullable or item is not Kind.STRING:
            return None
        if isinstance(node.right, ListLiteral):
            values = [entry.value for entry in node.right.items if isinstance(entry, Literal)]
            if len(values) < len(node.right.items) or not all(isinstance(value, str) for value in values):
                return None
            return f"({self.raw(node.left)} in {self.bind(frozenset(values), 'set')})"
        if container.kind is Kind.LIST and container.parameters[0] == Type(Kind.STRING):
            return f"({self.raw(node.left)} in {self.raw(node.right)})"
        if container.kind in (Kind.MAP, Kind.OBJECT):
            return f"({self.raw(node.left)} in {self.raw(node.right)})"
        return None

    def arithmetic(self, node: Binary) -> str | None:
        left, right = self.kind(node.left), self.kind(node.right)
        if left is not right:
            return None
        if left is Kind.DOUBLE and node.operator != "%":
            # One side exact makes the result a double. Division by zero raises here and is infinite there.
            return f"({self.exact(node.left)} {node.operator} {self.raw(node.right)})"
        if node.operator == "+" and left in (Kind.STRING, Kind.BYTES, Kind.LIST):
            if node in self.facts.within_macro:
                return None
            return f"({self.raw(node.left)} + {self.raw(node.right)})"
        if left is Kind.INT:
            return self.int_arithmetic(node)
        return None

    def int_arithmetic(self, node: Binary) -> str | None:
        if node.operator in ("/", "%"):
            operation = operators.int_divide if node.operator == "/" else operators.int_modulo
            return f"{self.bind(operation, 'int_op')}({self.exact(node.left)}, {self.exact(node.right)})"
        if self.in_source:
            return None  # Python forbids := in what a comprehension runs over
        self.temporaries += 1
        result = f"t{self.temporaries}"
        value = f"{self.exact(node.left)} {node.operator} {self.exact(node.right)}"
        overflow = self.bind(_int_overflow, "int_overflow")
        return f"({result} if {-INT_MAX - 1} <= ({result} := {value}) <= {INT_MAX} else {overflow}())"

    # Functions and macros

    def call(self, node: Call) -> str:
        if node.receiver is None and node.function in self.facts.functions:
            implementation = self.facts.functions[node.function].implementation
            target = self.variable(node.function) if implementation is None else self.bind(implementation, "host")
            return f"{target}({', '.join(map(self.exact, node.arguments))})"
        overloads = table_for(receiver=node.receiver is not None).get(node.function, ())
        arguments = node.children()
        for overload in overloads:
            if self.surely(overload, arguments):
                return self.special(node) or self.direct(overload, arguments)
        if node.function == "dyn" and len(arguments) == 1:
            return self.exact(arguments[0])
        dispatcher = _dispatcher(node.function, overloads)
        return f"{self.bind(dispatcher, 'call')}({', '.join(map(self.exact, arguments))})"

    def surely(self, overload: Overload, arguments: tuple[Node, ...]) -> bool:
        """Whether the arguments' types leave no doubt about this overload."""
        if len(arguments) != len(overload.parameters):
            return False
        kinds = [Kind.MAP if self.kind(argument) is Kind.OBJECT else self.kind(argument) for argument in arguments]
        return all(
            parameter.kind is kind and kind is not Kind.DYN
            for parameter, kind in zip(overload.parameters, kinds, strict=True)
        )

    def direct(self, overload: Overload, arguments: tuple[Node, ...]) -> str:
        return f"{self.bind(overload.implementation, 'call')}({', '.join(map(self.exact, arguments))})"

    def special(self, node: Call) -> str | None:
        arguments = node.children()
        subject = arguments[0]
        match node.function:
            case "size":
                return f"len({self.raw(subject)})"
            case "contains":
                return f"({self.raw(arguments[1])} in {self.raw(subject)})"
            case "startsWith" | "endsWith":
                return f"{self.raw(subject)}.{node.function.lower()}({self.raw(arguments[1])})"
            case "matches" if isinstance(arguments[1], Literal):
                return self.matches(subject, str(arguments[1].value))
        return None

    def matches(self, subject: Node, pattern: str) -> str | None:
        try:
            found = compile_pattern(pattern).found
        except CelEvaluationError:
            return None  # an error of the evaluation, which another term may absorb
        return f"{self.bind(found, 'found')}({self.raw(subject)})"

    def comprehension(self, node: Comprehension) -> str:
        self.in_source += 1
        source = self.raw(node.source)
        self.in_source -= 1
        limit = self.facts.turn_limit
        source = f"{self.bind(elements, 'elements')}({source}, {node.macro!r}, {limit})"
        name = f"x{self.facts.slots[node]}"
        predicate = self.condition(node.predicate) if node.predicate is not None else None
        if node.macro == "all":
            return f"all({predicate} for {name} in {source})"
        if node.macro == "exists":
            return f"any({predicate} for {name} in {source})"
        if node.macro == "exists_one":
            return f"(sum(1 for {name} in {source} if {predicate}) == 1)"
        value = self.exact(node.transform) if node.transform is not None else name
        return f"[{value} for {name} in {source}{f' if {predicate}' if predicate else ''}]"


def _dispatcher(name: str, overloads: tuple[Overload, ...]) -> Callable[..., object]:
    def call(*values: object) -> object:
        return dispatch(name, overloads, values)

    return call
