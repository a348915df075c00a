"""JSON Schema → `Type`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shoufu.engines.cel.types import BOOL, DOUBLE, DYN, INT, NULL, STRING, Kind, Type

_SCALARS = {"string": STRING, "integer": INT, "number": DOUBLE, "boolean": BOOL, "null": NULL}
_NAMES = "string, integer, number, boolean, null, object, array"
_MAX_DEPTH = 64


def read_schema(schema: Mapping[str, Any] | bool) -> Type:
    """See `Type.from_json_schema`."""
    return _Reader(schema).read(schema, "$", 0)


class _Reader:
    def __init__(self, root: Mapping[str, Any] | bool) -> None:
        self.root = root

    def read(self, schema: Any, place: str, depth: int) -> Type:
        if isinstance(schema, bool):
            return DYN
        if not isinstance(schema, Mapping):
            raise ValueError(f"{place}: expected a JSON Schema (an object or a boolean), got {type(schema).__name__}")
        if depth > _MAX_DEPTH:
            # A recursive schema (a tree) has no finite type: below this depth its values are dyn.
            return DYN
        if "$ref" in schema:
            return self._reference(schema["$ref"], place, depth)
        if "allOf" in schema:
            return self._all_of(schema, place, depth)
        for union in ("anyOf", "oneOf"):
            if union in schema:
                return self._union(schema[union], f"{place}.{union}", depth)
        return self._plain(schema, place, depth)

    def _plain(self, schema: Mapping[str, Any], place: str, depth: int) -> Type:
        named = schema.get("type")
        if named is None:
            return self._untyped(schema, place, depth)
        names = [named] if isinstance(named, str) else list(named)
        nullable = "null" in names and len(names) > 1
        others = [name for name in names if name != "null"] or ["null"]
        if len(others) == 2 and set(others) == {"integer", "number"}:
            others = ["number"]
        found = [self._single(name, schema, place, depth) for name in others]
        result = found[0] if len(found) == 1 else DYN
        return result.or_null() if nullable else result

    def _untyped(self, schema: Mapping[str, Any], place: str, depth: int) -> Type:
        if "properties" in schema:
            return self._object(schema, place, depth)
        if "items" in schema:
            return self._array(schema, place, depth)
        values = _choices(schema)
        if not values:
            return DYN
        kinds = {_SCALARS[name] for name in map(_json_name, values) if name in _SCALARS}
        nullable = NULL in kinds and len(kinds) > 1
        kinds -= {NULL} if nullable else set()
        if len(kinds) != 1 or any(_json_name(value) not in _SCALARS for value in values):
            return DYN
        result = replace(kinds.pop(), choices=tuple(value for value in values if value is not None))
        return result.or_null() if nullable else result

    def _single(self, name: Any, schema: Mapping[str, Any], place: str, depth: int) -> Type:
        if name == "object":
            return self._object(schema, place, depth)
        if name == "array":
            return self._array(schema, place, depth)
        if name not in _SCALARS:
            raise ValueError(f"{place}.type: {name!r} is no JSON Schema type; use one of {_NAMES}")
        values = tuple(value for value in _choices(schema) if value is not None)
        return replace(_SCALARS[name], choices=values) if values else _SCALARS[name]

    def _object(self, schema: Mapping[str, Any], place: str, depth: int) -> Type:
        properties = schema.get("properties") or {}
        more = schema.get("additionalProperties")
        if not properties:
            value = DYN if more is None or isinstance(more, bool) else self.read(more, f"{place}.*", depth + 1)
            return Type.map_of(STRING, value)
        fields = {name: self.read(inner, f"{place}.{name}", depth + 1) for name, inner in properties.items()}
        return Type.object(fields, frozenset(schema.get("required", ())) & frozenset(fields), open=bool(more))

    def _array(self, schema: Mapping[str, Any], place: str, depth: int) -> Type:
        items = schema.get("items", True)
        return Type.list_of(self.read(items, f"{place}[]", depth + 1))

    def _reference(self, reference: Any, place: str, depth: int) -> Type:
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise ValueError(f"{place}.$ref: {reference!r} points out of the document; copy the definition into $defs")
        found: Any = self.root
        for step in reference[1:].split("/")[1:]:
            step = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, Mapping) or step not in found:
                raise ValueError(f"{place}.$ref: nothing at {reference!r}")
            found = found[step]
        return self.read(found, place, depth + 8)

    def _all_of(self, schema: Mapping[str, Any], place: str, depth: int) -> Type:
        rest = {key: value for key, value in schema.items() if key != "allOf"}
        parts = [self.read(part, f"{place}.allOf[{i}]", depth + 1) for i, part in enumerate(schema["allOf"])]
        parts.append(self._plain(rest, place, depth))
        known = [part for part in parts if not part.is_dyn]
        objects = [part for part in known if part.kind is Kind.OBJECT]
        if objects and len(objects) == len(known):
            fields = {name: found for part in objects for name, found in part.fields}
            required = frozenset().union(*(part.required for part in objects))
            return Type.object(fields, required, open=any(part.open for part in objects))
        return known[0] if known and all(part == known[0] for part in known) else DYN

    def _union(self, parts: Any, place: str, depth: int) -> Type:
        found = [self.read(part, f"{place}[{i}]", depth + 1) for i, part in enumerate(parts)]
        others = {part.not_null() for part in found if part.kind is not Kind.NULL}
        if len(others) != 1:
            return DYN
        nullable = any(part.kind is Kind.NULL or part.nullable for part in found)
        return others.pop().or_null() if nullable else others.pop()


def _choices(schema: Mapping[str, Any]) -> tuple[object, ...]:
    if "const" in schema:
        return (schema["const"],)
    return tuple(schema.get("enum", ()))


def _json_name(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    return "string" if isinstance(value, str) else "object"
