"""A tree of XML elements to the names and values that FHIR's JSON has, by the definitions of the types.

Said here is what only XML can have wrong (http://hl7.org/fhir/R4/xml.html): attributes, text between elements, order,
namespaces. Everything else is judged on what comes out.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from shoufu.engines.fhir.definitions import Model, Property, Type
from shoufu.engines.fhir.issues import Issue
from shoufu.engines.fhir.primitives import NUMBERS
from shoufu.engines.fhir.references import is_resource

from .tree import FHIR, XHTML, Node, parse, refused, written

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d{1,9})?")
# As in JSON, what no FHIR integer can hold keeps its letters.
_MOST_DIGITS = 18
# Says where a schema lies; means nothing to a resource.
_SCHEMA = "http://www.w3.org/2001/XMLSchema-instance "


def read(model: Model, data: bytes) -> tuple[dict[str, Any], list[Issue]]:
    """A resource in XML as JSON's values, and what is wrong with the XML itself."""
    root = parse(data)
    if root.space != FHIR or not is_resource(model, root.name):
        raise refused(f"{root.name} in the namespace '{root.space}' is no resource type of R4")
    reading = _Reading(model)
    value = reading.resource(root, root.name)
    return value, reading.issues


class _Reading:
    def __init__(self, model: Model) -> None:
        self.model = model
        self.issues: list[Issue] = []

    def resource(self, node: Node, path: str) -> dict[str, Any]:
        kind = self.model.types.get(node.name)
        if node.space != FHIR or kind is None or not is_resource(self.model, node.name):
            self._say(path, f"{node.name} is no resource type of R4")
            return {"resourceType": node.name}
        self._attributes(node, path, ())
        return {"resourceType": node.name} | self._object(node, kind, path)

    def _say(self, path: str, message: str) -> None:
        self.issues.append(Issue(path, message, "structure"))

    def _attributes(self, node: Node, path: str, allowed: tuple[str, ...]) -> dict[str, Any]:
        for name in node.attributes:
            if name not in allowed and not name.startswith(_SCHEMA):
                self._say(path, f"{node.name} has no attribute {name}")
        return {name: node.attributes[name] for name in allowed if name in node.attributes}

    def _object(self, node: Node, kind: Type, path: str) -> dict[str, Any]:
        """The children of an element by name, each list gathered from all that stand."""
        if node.words:
            self._say(path, f"has the text '{node.words[:40]}' between its elements: values stand in attributes")
        made: dict[str, Any] = {}
        order = {element.name: place for place, element in enumerate(kind.elements)}
        last = -1
        for child in node.children:
            known = kind.properties.get(child.name)
            where = f"{path}.{child.name}"
            if known is None or child.space != (XHTML if known.type.code == "xhtml" else FHIR):
                self._say(where, f"is no element of {kind.name}")
                continue
            if kind.kind != "resource" and child.name in _attributed(kind.name):
                self._say(where, f"is an attribute of {node.name}, not an element in it")
                continue
            place = order[known.element.name]
            if place < last:
                self._say(where, f"stands after {kind.elements[last].name}: elements keep the order of {kind.name}")
            last = max(last, place)
            self._add(made, child, known, where)
        return made

    def _add(self, made: dict[str, Any], child: Node, known: Property, path: str) -> None:
        many, name = known.element.many, child.name
        if not many and (name in made or f"_{name}" in made):
            self._say(path, "may stand once only")
            return
        where = f"{path}[{_count(made, name)}]" if many else path
        if self.model.types[known.type.rules].kind != "primitive":
            value = self._complex(child, known, where)
            if many:
                made.setdefault(name, []).append(value)
            else:
                made[name] = value
            return
        value, beside = self._primitive(child, known, where)
        if many:
            _gather(made, name, value, beside)
            return
        if value is not None:
            made[name] = value
        if beside or value is None:
            made[f"_{name}"] = beside

    def _complex(self, node: Node, known: Property, path: str) -> Any:
        if known.type.code == "Resource":
            self._attributes(node, path, ())
            if len(node.children) != 1:
                self._say(path, f"holds one resource, not {len(node.children)}")
            return self.resource(node.children[0], path) if node.children else {}
        kind = self.model.types[known.type.rules]
        return self._attributes(node, path, _attributed(kind.name)) | self._object(node, kind, path)

    def _primitive(self, node: Node, known: Property, path: str) -> tuple[Any, dict[str, Any]]:
        """The value (None without one) and what JSON writes beside it: id and extensions."""
        if known.type.code == "xhtml":
            return written(node), {}
        beside = self._attributes(node, path, ("id", "value"))
        value = beside.pop("value", None)
        beside |= self._object(node, self.model.types["Element"], path)
        return None if value is None else _plain(known.type.code, value), beside


def _attributed(kind: str) -> tuple[str, ...]:
    """What XML writes as an attribute of an element of a type."""
    return ("id", "url") if kind == "Extension" else ("id",)


def _count(made: dict[str, Any], name: str) -> int:
    return max(len(made.get(name, ())), len(made.get(f"_{name}", ())))


def _gather(made: dict[str, Any], name: str, value: Any, beside: dict[str, Any]) -> None:
    """One more value of a list; ``null`` keeps the places where value or sibling are missing."""
    count = _count(made, name)
    extra = beside or ({} if value is None else None)
    for key, one in ((name, value), (f"_{name}", extra)):
        if one is not None or key in made:
            made.setdefault(key, [None] * count).append(one)


def _plain(code: str, value: str) -> Any:
    """The value of an attribute as JSON has it; what is no boolean or number stays a text, and is refused as one."""
    if code == "boolean":
        return {"true": True, "false": False}.get(value, value)
    if code not in NUMBERS or not _NUMBER.fullmatch(value):
        return value
    whole = value != "-0" and value.lstrip("-").isdigit() and len(value) <= _MOST_DIGITS
    return int(value) if whole else Decimal(value)
