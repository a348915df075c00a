"""The syntax tree. Nodes are compared by identity, so that other stages can attach facts to them in dicts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """`start` and `end` delimit the node's source text; `at` is where an error about it is shown."""

    start: int
    end: int
    at: int

    def children(self) -> tuple[Node, ...]:
        return ()

    def walk(self) -> Iterator[Node]:
        """This node and all below it, parents first, in the order of the text."""
        yield self
        for child in self.children():
            yield from child.walk()


@dataclass(frozen=True, slots=True, eq=False)
class Literal(Node):
    value: object


@dataclass(frozen=True, slots=True, eq=False)
class Ident(Node):
    """A simple name; `rooted` when written `.name`, which no macro variable can shadow."""

    name: str
    rooted: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Select(Node):
    """`operand.field`, or with `test` the macro `has(operand.field)`."""

    operand: Node
    field: str
    test: bool = False

    def children(self) -> tuple[Node, ...]:
        return (self.operand,)


@dataclass(frozen=True, slots=True, eq=False)
class Index(Node):
    operand: Node
    index: Node

    def children(self) -> tuple[Node, ...]:
        return (self.operand, self.index)


@dataclass(frozen=True, slots=True, eq=False)
class Call(Node):
    """`function(arguments)` or `receiver.function(arguments)`."""

    function: str
    arguments: tuple[Node, ...]
    receiver: Node | None = None

    def children(self) -> tuple[Node, ...]:
        return self.arguments if self.receiver is None else (self.receiver, *self.arguments)


@dataclass(frozen=True, slots=True, eq=False)
class Unary(Node):
    """`!` or `-`."""

    operator: str
    operand: Node

    def children(self) -> tuple[Node, ...]:
        return (self.operand,)


@dataclass(frozen=True, slots=True, eq=False)
class Binary(Node):
    """Arithmetic, comparison or `in`."""

    operator: str
    left: Node
    right: Node

    def children(self) -> tuple[Node, ...]:
        return (self.left, self.right)


@dataclass(frozen=True, slots=True, eq=False)
class Logic(Node):
    """A chain of two or more terms joined by `&&`, or by `||`."""

    operator: str
    terms: tuple[Node, ...]

    def children(self) -> tuple[Node, ...]:
        return self.terms


@dataclass(frozen=True, slots=True, eq=False)
class Conditional(Node):
    test: Node
    then: Node
    other: Node

    def children(self) -> tuple[Node, ...]:
        return (self.test, self.then, self.other)


@dataclass(frozen=True, slots=True, eq=False)
class ListLiteral(Node):
    items: tuple[Node, ...]

    def children(self) -> tuple[Node, ...]:
        return self.items


@dataclass(frozen=True, slots=True, eq=False)
class MapLiteral(Node):
    entries: tuple[tuple[Node, Node], ...]

    def children(self) -> tuple[Node, ...]:
        return tuple(part for entry in self.entries for part in entry)


@dataclass(frozen=True, slots=True, eq=False)
class MessageLiteral(Node):
    """`Name{field: value}`; only the wrapper messages of google.protobuf mean anything here."""

    name: str
    entries: tuple[tuple[str, Node], ...]

    def children(self) -> tuple[Node, ...]:
        return tuple(value for _, value in self.entries)


@dataclass(frozen=True, slots=True, eq=False)
class Comprehension(Node):
    """`source.macro(variable, predicate)`; of map(): `(variable, transform)` or `(variable, predicate, transform)`."""

    macro: str
    source: Node
    variable: str
    predicate: Node | None
    transform: Node | None

    def children(self) -> tuple[Node, ...]:
        return tuple(node for node in (self.source, self.predicate, self.transform) if node is not None)


def dotted_name(node: Node) -> str | None:
    """`a.b.c` of a chain of selections that starts at a name, else None."""
    parts: list[str] = []
    while isinstance(node, Select) and not node.test:
        parts.append(node.field)
        node = node.operand
    if not isinstance(node, Ident):
        return None
    return ".".join([node.name, *reversed(parts)])


def root_ident(node: Node) -> Ident | None:
    """The name a chain of selections starts at, else None."""
    while isinstance(node, Select):
        node = node.operand
    return node if isinstance(node, Ident) else None
