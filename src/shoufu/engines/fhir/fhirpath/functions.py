"""The functions of FHIRPath that invariants and search parameters use."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from . import syntax
from .compare import equal
from .evaluate import Run, Scope, as_truth, build, has_type, of_type, union
from .nodes import Node, Nodes, children, descendants, number, text, truth
from .syntax import Call, FhirPathError

Simple = Callable[..., Nodes]
Lambda = Callable[[Scope, Nodes, Run], Nodes]


def call(tree: Call, source: Run | None) -> Run:
    """The closure of a function call; :class:`.FhirPathError` where the function is not known."""
    from_source = source or (lambda scope, focus: focus)
    if tree.name in ("is", "as", "ofType"):
        return _typed(tree, from_source)
    arguments = [build(argument) for argument in tree.arguments]
    if tree.name == "iif":
        return _iif(from_source, arguments)
    if tree.name in _LAMBDAS and arguments:
        over, condition = _LAMBDAS[tree.name], arguments[0]
        return lambda scope, focus: over(scope, from_source(scope, focus), condition)
    if tree.name not in _SIMPLE:
        raise FhirPathError(f"the function {tree.name}() is not known")
    work = _SIMPLE[tree.name]
    # An argument is computed where the function stands, not inside what it works on.
    return lambda scope, focus: work(
        scope, from_source(scope, focus), *(argument(scope, scope.this) for argument in arguments)
    )


def _typed(tree: Call, source: Run) -> Run:
    if len(tree.arguments) != 1:
        raise FhirPathError(f"{tree.name}() takes the name of one type")
    name = _type_name(tree.arguments[0])
    if tree.name == "is":
        return lambda scope, focus: [
            node for item in source(scope, focus)[:1] for node in truth(has_type(scope, item, name))
        ]
    return lambda scope, focus: of_type(scope, source(scope, focus), name)


def _type_name(tree: syntax.Syntax) -> str:
    if isinstance(tree, syntax.Member):
        return tree.name if tree.source is None else f"{_type_name(tree.source)}.{tree.name}"
    raise FhirPathError("the name of a type was expected")


def _iif(source: Run, arguments: list[Run]) -> Run:
    def run(scope: Scope, focus: Nodes) -> Nodes:
        nodes = source(scope, focus)
        if as_truth(arguments[0](scope, nodes)):
            return arguments[1](scope, nodes)
        return arguments[2](scope, nodes) if len(arguments) > 2 else []

    return run


def _each(scope: Scope, nodes: Nodes, run: Run) -> list[Nodes]:
    return [run(scope.at(node, place), [node]) for place, node in enumerate(nodes)]


def _where(scope: Scope, nodes: Nodes, run: Run) -> Nodes:
    return [node for node, found in zip(nodes, _each(scope, nodes, run), strict=True) if as_truth(found)]


def _select(scope: Scope, nodes: Nodes, run: Run) -> Nodes:
    return [node for found in _each(scope, nodes, run) for node in found]


def _all(scope: Scope, nodes: Nodes, run: Run) -> Nodes:
    return truth(all(as_truth(found) for found in _each(scope, nodes, run)))


def _repeat(scope: Scope, nodes: Nodes, run: Run) -> Nodes:
    found: Nodes = []
    waiting = list(nodes)
    while waiting:
        fresh = _select(scope, waiting, run)
        waiting = [node for node in fresh if not any(node is kept or node == kept for kept in found)]
        found.extend(waiting)
    return found


def _one(nodes: Nodes) -> Any:
    return nodes[0].value if len(nodes) == 1 else None


def _text(nodes: Nodes) -> str | None:
    value = _one(nodes)
    return value if isinstance(value, str) else None


def _on_texts(work: Callable[..., Nodes]) -> Simple:
    def run(scope: Scope, nodes: Nodes, *arguments: Nodes) -> Nodes:
        own = _text(nodes)
        others = [_text(argument) for argument in arguments]
        return [] if own is None or None in others else work(own, *others)

    return run


def _substring(scope: Scope, nodes: Nodes, start: Nodes, length: Nodes | None = None) -> Nodes:
    own, first = _text(nodes), _one(start)
    if own is None or not isinstance(first, int) or not 0 <= first < len(own):
        return []
    count = _one(length) if length else None
    return text(own[first : first + count] if isinstance(count, int) else own[first:])


def _to_integer(scope: Scope, nodes: Nodes) -> Nodes:
    value = _one(nodes)
    if isinstance(value, int):
        return number(int(value))
    return number(int(value)) if isinstance(value, str) and re.fullmatch(r"[+-]?\d+", value) else []


def _to_string(scope: Scope, nodes: Nodes) -> Nodes:
    value = _one(nodes)
    if isinstance(value, bool):
        return text("true" if value else "false")
    return text(str(value)) if isinstance(value, str | int | Decimal) else []


def _distinct(scope: Scope, nodes: Nodes) -> Nodes:
    kept = union(scope, nodes, [])
    return kept


def _is_distinct(scope: Scope, nodes: Nodes) -> Nodes:
    values = [node.value for node in nodes]
    if all(isinstance(value, str) for value in values):
        return truth(len(set(values)) == len(values))
    return truth(len(union(scope, nodes, [])) == len(nodes))


def _intersect(scope: Scope, nodes: Nodes, other: Nodes) -> Nodes:
    return [node for node in _distinct(scope, nodes) if any(equal(scope.model, node, one) for one in other)]


def _exclude(scope: Scope, nodes: Nodes, other: Nodes) -> Nodes:
    return [node for node in nodes if not any(equal(scope.model, node, one) for one in other)]


def _subset(scope: Scope, nodes: Nodes, other: Nodes) -> Nodes:
    return truth(all(any(equal(scope.model, node, one) for one in other) for node in nodes))


def _resolve(scope: Scope, nodes: Nodes) -> Nodes:
    found = []
    for node in nodes:
        reference = node.value.get("reference") if isinstance(node.value, dict) else node.value
        target = scope.resolve(reference) if isinstance(reference, str) else None
        if target is not None:
            found.append(Node(target, str(target.get("resourceType", "Resource"))))
    return found


def _extension(scope: Scope, nodes: Nodes, url: Nodes) -> Nodes:
    wanted = _text(url)
    return [
        child
        for node in nodes
        for child in children(scope.model, node, "extension")
        if isinstance(child.value, dict) and child.value.get("url") == wanted
    ]


def _flags(test: Callable[[list[bool]], bool]) -> Simple:
    return lambda scope, nodes: truth(test([bool(as_truth([node])) for node in nodes]))


def _not(scope: Scope, nodes: Nodes) -> Nodes:
    value = as_truth(nodes)
    return [] if value is None else truth(not value)


def _matches(own: str, pattern: str) -> Nodes:
    try:
        return truth(re.fullmatch(pattern, own, re.DOTALL) is not None)
    except re.error as error:
        raise FhirPathError(f"{pattern!r} is no regular expression: {error}") from error


_LAMBDAS: dict[str, Lambda] = {
    "where": _where,
    "select": _select,
    "all": _all,
    "repeat": _repeat,
    "exists": lambda scope, nodes, run: truth(bool(_where(scope, nodes, run))),
}
_SIMPLE: dict[str, Simple] = {
    "exists": lambda scope, nodes: truth(bool(nodes)),
    "empty": lambda scope, nodes: truth(not nodes),
    "not": _not,
    "count": lambda scope, nodes: number(len(nodes)),
    "hasValue": lambda scope, nodes: truth(len(nodes) == 1 and not isinstance(nodes[0].value, dict | None)),
    "trace": lambda scope, nodes, *arguments: nodes,
    "first": lambda scope, nodes: nodes[:1],
    "last": lambda scope, nodes: nodes[-1:],
    "tail": lambda scope, nodes: nodes[1:],
    "skip": lambda scope, nodes, some: nodes[_one(some) :],
    "take": lambda scope, nodes, some: nodes[: _one(some)],
    "single": lambda scope, nodes: nodes[:1],
    "children": lambda scope, nodes: [child for node in nodes for child in children(scope.model, node)],
    "descendants": lambda scope, nodes: [below for node in nodes for below in descendants(scope.model, node)],
    "distinct": _distinct,
    "isDistinct": _is_distinct,
    "intersect": _intersect,
    "exclude": _exclude,
    "subsetOf": _subset,
    "supersetOf": lambda scope, nodes, other: _subset(scope, other, nodes),
    "union": union,
    "combine": lambda scope, nodes, other: [*nodes, *other],
    "resolve": _resolve,
    "extension": _extension,
    "allTrue": _flags(all),
    "anyTrue": _flags(any),
    "allFalse": _flags(lambda flags: not any(flags)),
    "anyFalse": _flags(lambda flags: not all(flags)),
    "matches": _on_texts(_matches),
    "startsWith": _on_texts(lambda own, other: truth(own.startswith(other))),
    "endsWith": _on_texts(lambda own, other: truth(own.endswith(other))),
    "contains": _on_texts(lambda own, other: truth(other in own)),
    "indexOf": _on_texts(lambda own, other: number(own.find(other))),
    "lower": _on_texts(lambda own: text(own.lower())),
    "upper": _on_texts(lambda own: text(own.upper())),
    "length": _on_texts(lambda own: number(len(own))),
    "replace": _on_texts(lambda own, old, new: text(own.replace(old, new))),
    "replaceMatches": _on_texts(lambda own, old, new: text(re.sub(old, new, own))),
    "substring": _substring,
    "toInteger": _to_integer,
    "toString": _to_string,
}
