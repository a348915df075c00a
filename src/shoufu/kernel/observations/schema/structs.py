import keyword
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

INT64 = 2**63


class Unsupported(Exception):
    """The schema says something that a generated struct cannot check; the general validator takes over."""


Schema = Mapping[str, Any]
RUN = re.compile(r"\^\[[a-zA-Z0-9-]+\]\{\d+,\d+\}\$")
NOTES = frozenset({"title", "description", "examples", "$schema", "$id", "$comment", "default", "deprecated", "unit"})


def struct_type(schema: Schema) -> Any:
    """A msgspec type that accepts just what this JSON Schema accepts; Unsupported where there is none.

    Numbers decode as float, integers must fit 64 bits, optional properties that are absent stay UNSET.
    """
    _only(schema, "type", "properties", "required", "additionalProperties")
    if schema.get("type") != "object" or schema.get("additionalProperties") is not False:
        raise Unsupported("objects with fixed properties only")
    properties: Mapping[str, Schema] = schema.get("properties", {})
    required = set(schema.get("required", ()))
    if not required <= properties.keys():
        raise Unsupported("a required property is not described")
    names = {name: name if _plain(name) else f"p_{index}" for index, name in enumerate(properties)}
    fields: list[Any] = []
    for name, inner in properties.items():
        kind = _type(inner)
        if name in required:
            fields.append((names[name], kind))
        else:
            fields.append((names[name], kind | msgspec.UnsetType, msgspec.UNSET))
    return msgspec.defstruct(
        "Result", fields, rename={names[name]: name for name in properties}, forbid_unknown_fields=True, kw_only=True
    )


def _plain(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("_")


def _only(schema: Schema, *known: str) -> None:
    unknown = schema.keys() - NOTES - set(known)
    if unknown:
        raise Unsupported(", ".join(sorted(unknown)))


def _type(schema: Schema) -> Any:
    if not isinstance(schema, Mapping):
        raise Unsupported("a schema that is true or false")
    make = {"string": _string, "integer": _integer, "number": _number, "boolean": _boolean, "array": _array}.get(
        str(schema.get("type"))
    )
    if make:
        return make(schema)
    return struct_type(schema)


def _string(schema: Schema) -> Any:
    _only(schema, "type", "enum", "minLength", "maxLength", "pattern")
    if "enum" in schema:
        values = schema["enum"]
        if len(schema.keys() - NOTES) > 2 or not values or not all(isinstance(value, str) for value in values):
            raise Unsupported("enum")
        return Literal[tuple(values)]
    limits = {"min_length": schema.get("minLength"), "max_length": schema.get("maxLength")}
    return _meta(str, pattern=_pattern(schema.get("pattern")), **limits)


def _pattern(text: object) -> str | None:
    """A run of one class of characters, which Python and ECMA-262 read alike but for `$` before a last line end."""
    if text is None:
        return None
    if not isinstance(text, str) or not RUN.fullmatch(text):
        raise Unsupported("pattern")
    return text.removesuffix("$") + r"\Z"


def _integer(schema: Schema) -> Any:
    _only(schema, "type", "minimum", "maximum")
    low, high = schema.get("minimum", -INT64), schema.get("maximum", INT64 - 1)
    if int(low) != low or int(high) != high:
        raise Unsupported("fractional limits of an integer")
    return _meta(int, ge=max(int(low), -INT64), le=min(int(high), INT64 - 1))


def _number(schema: Schema) -> Any:
    _only(schema, "type", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
    if {"minimum", "exclusiveMinimum"} <= schema.keys() or {"maximum", "exclusiveMaximum"} <= schema.keys():
        raise Unsupported("two limits on one side")
    limits = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}
    return _meta(float, **{name: schema.get(word) for name, word in limits.items()})


def _boolean(schema: Schema) -> Any:
    _only(schema, "type")
    return bool


def _array(schema: Schema) -> Any:
    _only(schema, "type", "items", "minItems", "maxItems")
    if "items" not in schema:
        raise Unsupported("an array of anything")
    return _meta(list[_type(schema["items"])], min_length=schema.get("minItems"), max_length=schema.get("maxItems"))  # type: ignore[misc]


def _meta(kind: Any, **limits: Any) -> Any:
    given = {name: value for name, value in limits.items() if value is not None}
    return Annotated[kind, msgspec.Meta(**given)] if given else kind
