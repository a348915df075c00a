"""Evaluate FHIRPath: a tree is made into closures once, which run on each resource."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from ..definitions import Model
from . import syntax
from .compare import compare, equal
from .nodes import Node, Nodes, children, number, text, truth
from .syntax import FhirPathError, Syntax

CONSTANTS = {
    "%ucum": "http://unitsofmeasure.org",
    "%sct": "http://snomed.info/sct",
    "%loinc": "http://loinc.org",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression sees beside its input: the model, ``%resource``, ``%rootResource``, ``$this``, resolve()."""

    model: Model
    resource: Node
    root: Node
    this: Nodes
    index: int = 0
    total: Nodes | None = None
    resolve: Callable[[str], dict[str, Any] | None] = lambda reference: None

    def at(self, node: Node, index: int) -> Scope:
        """The scope inside a function that goes over a collection."""
        return replace(self, this=[node], index=index)


Run = Callable[[Scope, Nodes], Nodes]


def holds(expression: str, scope: Scope) -> bool | None:
    """Whether an invariant holds of ``$this``; None for an empty result, as of times that cannot be ordered."""
    return as_truth(prepared(expression)(scope, scope.this))


def evaluate(expression: str, scope: Scope) -> Nodes:
    """The nodes that an expression finds from ``$this``."""
    return prepared(expression)(scope, scope.this)


@lru_cache(maxsize=2048)
def prepared(expression: str) -> Run:
    """The closure of an expression; :class:`.FhirPathError` where it cannot be read."""
    return build(syntax.parse(expression))


def build(tree: Syntax) -> Run:
    """The closure of a tree."""
    match tree:
        case syntax.Literal():
            constant = [] if tree.value is None else [Node(tree.value, f"System.{tree.kind}")]
            return lambda scope, focus: constant
        case syntax.Variable():
            return _variable(tree.name)
        case syntax.Member():
            return _member(tree)
        case syntax.Call():
            from .functions import call

            source = build(tree.source) if tree.source else None
            return call(tree, source)
        case syntax.Index():
            return _index(build(tree.source), build(tree.index))
        case syntax.Negation():
            operand = build(tree.operand)
            return lambda scope, focus: [Node(-node.value, node.type) for node in operand(scope, focus)]
        case syntax.TypeTest():
            operand, name = build(tree.operand), tree.type
            if tree.operator == "is":
                return lambda scope, focus: is_type(scope, operand(scope, focus), name)
            return lambda scope, focus: of_type(scope, operand(scope, focus), name)
        case syntax.Binary():
            return _binary(tree.operator, build(tree.left), build(tree.right))


def as_truth(nodes: Nodes) -> bool | None:
    """A collection as a logical value: empty is unknown, a single thing that is no boolean is true."""
    if not nodes:
        return None
    if len(nodes) > 1:
        raise FhirPathError("a single value was expected")
    value = nodes[0].value
    return value if isinstance(value, bool) else True


def has_type(scope: Scope, node: Node, name: str) -> bool:
    """Whether a node is of a type or of one derived from it; ``Boolean`` also means FHIR's own boolean."""
    name = name.removeprefix("FHIR.").removeprefix("System.")
    own = node.type.removeprefix("System.")
    return name == own or name[0].lower() + name[1:] == own or scope.model.is_a(own, name)


def is_type(scope: Scope, nodes: Nodes, name: str) -> Nodes:
    """The operator ``is``."""
    return truth(has_type(scope, nodes[0], name)) if len(nodes) == 1 else []


def of_type(scope: Scope, nodes: Nodes, name: str) -> Nodes:
    """Those nodes that are of a type."""
    return [node for node in nodes if has_type(scope, node, name)]


def _variable(name: str) -> Run:
    match name:
        case "$this":
            return lambda scope, focus: scope.this
        case "$index":
            return lambda scope, focus: number(scope.index)
        case "$total":
            return lambda scope, focus: scope.total or []
        case "%resource":
            return lambda scope, focus: [scope.resource]
        case "%rootResource":
            return lambda scope, focus: [scope.root]
        case "%context":
            return lambda scope, focus: scope.this
    if name not in CONSTANTS:
        raise FhirPathError(f"{name} is not known")
    constant = text(CONSTANTS[name])
    return lambda scope, focus: constant


def _member(tree: syntax.Member) -> Run:
    name = tree.name
    if tree.source is None:

        def first(scope: Scope, focus: Nodes) -> Nodes:
            # An expression may begin with the type of what it stands on: `Appointment.status`.
            found = [node for node in focus if scope.model.is_a(node.type, name)] if name[0].isupper() else []
            return found or [child for node in focus for child in children(scope.model, node, name)]

        return first
    source = build(tree.source)

    def following(scope: Scope, focus: Nodes) -> Nodes:
        return [child for node in source(scope, focus) for child in children(scope.model, node, name)]

    return following


def _index(source: Run, index: Run) -> Run:
    def run(scope: Scope, focus: Nodes) -> Nodes:
        place = index(scope, focus)
        nodes = source(scope, focus)
        return nodes[place[0].value : place[0].value + 1] if place else []

    return run


def _binary(operator: str, left: Run, right: Run) -> Run:
    if operator in _LOGIC:
        decide = _LOGIC[operator]
        return lambda scope, focus: truth(decide(as_truth(left(scope, focus)), as_truth(right(scope, focus))))
    work = _OPERATORS[operator]
    return lambda scope, focus: work(scope, left(scope, focus), right(scope, focus))


def _and(left: bool | None, right: bool | None) -> bool | None:
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def _or(left: bool | None, right: bool | None) -> bool | None:
    if left or right:
        return True
    return None if left is None or right is None else False


def _xor(left: bool | None, right: bool | None) -> bool | None:
    return None if left is None or right is None else left is not right


def _implies(left: bool | None, right: bool | None) -> bool | None:
    if left is False or right:
        return True
    return None if left is None or right is None else False


def same(scope: Scope, left: Nodes, right: Nodes) -> bool | None:
    """Whether two collections are equal, in order; unknown where one is empty."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    found = [equal(scope.model, one, other) for one, other in zip(left, right, strict=True)]
    return False if False in found else None if None in found else True


def _contains(scope: Scope, inner: Nodes, outer: Nodes) -> Nodes:
    if not inner:
        return []
    if len(inner) > 1:
        raise FhirPathError("a single value was expected")
    return truth(any(equal(scope.model, inner[0], node) for node in outer))


def union(scope: Scope, left: Nodes, right: Nodes) -> Nodes:
    """All of both, each once."""
    found: Nodes = []
    for node in (*left, *right):
        if not any(equal(scope.model, node, kept) for kept in found):
            found.append(node)
    return found


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _ordered(test: Callable[[int], bool]) -> Callable[[Scope, Nodes, Nodes], Nodes]:
    def work(scope: Scope, left: Nodes, right: Nodes) -> Nodes:
        if len(left) != 1 or len(right) != 1:
            return []
        order = compare(scope.model, left[0], right[0])
        return [] if order is None else truth(test(order))

    return work


def _arithmetic(operator: str) -> Callable[[Scope, Nodes, Nodes], Nodes]:
    def work(scope: Scope, left: Nodes, right: Nodes) -> Nodes:
        if len(left) != 1 or len(right) != 1:
            return []
        one, other = left[0].value, right[0].value
        if isinstance(one, str) and isinstance(other, str) and operator == "+":
            return text(one + other)
        if not all(isinstance(side, int | Decimal) and not isinstance(side, bool) for side in (one, other)):
            return []
        return _computed(operator, one, other)

    return work


def _computed(operator: str, one: Any, other: Any) -> Nodes:
    try:
        match operator:
            case "+":
                return number(one + other)
            case "-":
                return number(one - other)
            case "*":
                return number(one * other)
            case "/":
                return number(Decimal(one) / Decimal(other))
            case "div":
                return number(int(Decimal(one) / Decimal(other)))
            case _:
                return number(one - int(Decimal(one) / Decimal(other)) * other)
    except (ZeroDivisionError, InvalidOperation):
        return []


def _joined(scope: Scope, left: Nodes, right: Nodes) -> Nodes:
    return text("".join(str(nodes[0].value) for nodes in (left, right) if nodes and nodes[0].value is not None))


_LOGIC = {"and": _and, "or": _or, "xor": _xor, "implies": _implies}
_OPERATORS: dict[str, Callable[[Scope, Nodes, Nodes], Nodes]] = {
    "=": lambda scope, left, right: truth(same(scope, left, right)),
    "!=": lambda scope, left, right: truth(_not(same(scope, left, right))),
    "~": lambda scope, left, right: truth(same(scope, left, right) if left and right else not left and not right),
    "!~": lambda scope, left, right: truth(not same(scope, left, right) if left and right else bool(left or right)),
    "<": _ordered(lambda order: order < 0),
    ">": _ordered(lambda order: order > 0),
    "<=": _ordered(lambda order: order <= 0),
    ">=": _ordered(lambda order: order >= 0),
    "in": _contains,
    "contains": lambda scope, left, right: _contains(scope, right, left),
    "|": union,
    "&": _joined,
    **{operator: _arithmetic(operator) for operator in ("+", "-", "*", "/", "div", "mod")},
}
