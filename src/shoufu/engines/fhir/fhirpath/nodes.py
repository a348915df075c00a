"""What FHIRPath works on: a value of a resource with its type, so that ``value`` finds ``valueQuantity``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ..definitions import Model, TypeRef

SYSTEM = "System."


@dataclass(frozen=True, slots=True)
class Node:
    """A value in JSON's own form, its type's name, and of a primitive what stands in its ``_name`` sibling."""

    value: Any
    type: str
    extra: dict[str, Any] | None = field(default=None, compare=False)


Nodes = list[Node]

TRUE = [Node(True, "System.Boolean")]
FALSE = [Node(False, "System.Boolean")]


def truth(value: bool | None) -> Nodes:
    """A collection for a logical value; unknown is the empty one."""
    return [] if value is None else TRUE if value else FALSE


def text(value: str) -> Nodes:
    """A collection of one string."""
    return [Node(value, "System.String")]


def number(value: int | Decimal) -> Nodes:
    """A collection of one number."""
    return [Node(value, "System.Integer" if isinstance(value, int) else "System.Decimal")]


def resource(value: dict[str, Any]) -> Node:
    """The node of a whole resource."""
    return Node(value, str(value.get("resourceType", "Resource")))


def children(model: Model, node: Node, name: str | None = None) -> Iterator[Node]:
    """The children of a node, all of them or those of one element (without the type that ends a choice's name)."""
    if not isinstance(node.value, dict):
        yield from _of_primitive(node, name)
        return
    known = model.types.get(node.type)
    if known is None:
        return
    for json_name in known.properties if name is None else known.named.get(name, ()):
        if json_name in node.value or f"_{json_name}" in node.value:
            prop = known.properties[json_name]
            yield from _nodes(node.value.get(json_name), node.value.get(f"_{json_name}"), prop.type)


def descendants(model: Model, node: Node) -> Iterator[Node]:
    """All nodes below, in the order of the document's types."""
    for child in children(model, node):
        yield child
        yield from descendants(model, child)


def _of_primitive(node: Node, name: str | None) -> Iterator[Node]:
    extra = node.extra or {}
    if name in (None, "id") and isinstance(extra.get("id"), str):
        yield Node(extra["id"], "string")
    if name in (None, "extension") and isinstance(extra.get("extension"), list):
        for extension in extra["extension"]:
            yield Node(extension, "Extension")


def _nodes(value: Any, extra: Any, kind: TypeRef) -> Iterator[Node]:
    values = value if isinstance(value, list) else [value]
    extras = extra if isinstance(extra, list) else [extra]
    for place in range(max(len(values), len(extras))):
        one = values[place] if place < len(values) else None
        more = extras[place] if place < len(extras) else None
        if one is None and more is None:
            continue
        if kind.code == "Resource" and isinstance(one, dict):
            yield resource(one)
        else:
            yield Node(one, kind.rules, more if isinstance(more, dict) else None)
