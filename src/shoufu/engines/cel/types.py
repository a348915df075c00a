"""The types the checker knows, and how they come from a JSON Schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """The sorts of type; the value is the name that `type()` shows, as far as a value can have that type."""

    DYN = "dyn"
    NULL = "null_type"
    BOOL = "bool"
    INT = "int"
    UINT = "uint"
    DOUBLE = "double"
    STRING = "string"
    BYTES = "bytes"
    TIMESTAMP = "google.protobuf.Timestamp"
    DURATION = "google.protobuf.Duration"
    LIST = "list"
    MAP = "map"
    OBJECT = "object"
    TYPE = "type"


@dataclass(frozen=True, slots=True)
class Type:
    """A CEL type as the checker sees it.

    `parameters` holds the element type of a list, or key and value types of a map. An object is a map with
    string keys whose fields are known: `fields` gives their types and `required` those that are always there.
    `open` objects may have further fields (of type dyn). `nullable` says that the value may be null too.
    `choices` lists the values a JSON Schema enumerates; they serve better messages and take no part in equality.
    """

    kind: Kind
    parameters: tuple[Type, ...] = ()
    fields: tuple[tuple[str, Type], ...] = ()
    required: frozenset[str] = frozenset()
    open: bool = False
    nullable: bool = False
    choices: tuple[object, ...] = field(default=(), compare=False)

    @staticmethod
    def list_of(element: Type) -> Type:
        return Type(Kind.LIST, (element,))

    @staticmethod
    def map_of(key: Type, value: Type) -> Type:
        return Type(Kind.MAP, (key, value))

    @staticmethod
    def object(fields: Mapping[str, Type], required: Iterable[str] | None = None, *, open: bool = False) -> Type:
        """An object with these fields; all of them are required unless `required` says which ones are."""
        names = frozenset(fields) if required is None else frozenset(required)
        return Type(Kind.OBJECT, fields=tuple(fields.items()), required=names, open=open)

    @staticmethod
    def from_json_schema(schema: Mapping[str, Any] | bool) -> Type:
        """The type of the values that a JSON Schema (2020-12; `$ref` within the document) describes.

        An object with `properties` is closed for the checker unless `additionalProperties` opens it, so that a
        mistyped field is an error when a rule is saved. `number` is double, `integer` is int; what has no CEL
        type of its own (several types, no type) is dyn. Raises ValueError that names the place in the schema.
        """
        from shoufu.engines.cel.schema import read_schema

        return read_schema(schema)

    def field_type(self, name: str) -> Type | None:
        """The type of an object's field, or None where it is not declared."""
        for candidate, found in self.fields:
            if candidate == name:
                return found
        return None

    def or_null(self) -> Type:
        """The same type, with null among its values."""
        return self if self.kind in (Kind.DYN, Kind.NULL) else replace(self, nullable=True)

    def not_null(self) -> Type:
        """The same type without null."""
        return replace(self, nullable=False) if self.nullable else self

    @property
    def is_dyn(self) -> bool:
        return self.kind is Kind.DYN

    def __str__(self) -> str:
        if self.kind in (Kind.LIST, Kind.MAP) and self.parameters:
            text = f"{self.kind.value}({', '.join(map(str, self.parameters))})"
        elif self.kind is Kind.OBJECT:
            text = "object(" + ", ".join(name for name, _ in self.fields) + ")"
        else:
            text = _SHORT.get(self.kind, self.kind.value)
        return f"{text} or null" if self.nullable else text


_SHORT = {Kind.TIMESTAMP: "timestamp", Kind.DURATION: "duration", Kind.NULL: "null"}

DYN = Type(Kind.DYN)
NULL = Type(Kind.NULL)
BOOL = Type(Kind.BOOL)
INT = Type(Kind.INT)
UINT = Type(Kind.UINT)
DOUBLE = Type(Kind.DOUBLE)
STRING = Type(Kind.STRING)
BYTES = Type(Kind.BYTES)
TIMESTAMP = Type(Kind.TIMESTAMP)
DURATION = Type(Kind.DURATION)
TYPE = Type(Kind.TYPE)
LIST = Type.list_of(DYN)
MAP = Type.map_of(DYN, DYN)
