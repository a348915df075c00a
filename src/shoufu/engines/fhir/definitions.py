"""What FHIR R4 (4.0.1) says of its types, in the compact form that :mod:`.compiling` makes of the official bundles."""

from __future__ import annotations

from functools import cached_property, lru_cache
from pathlib import Path

import msgspec

FOLDER = Path(__file__).parent / "compiled"
MODEL = "r4.json"
SYSTEMS = "systems.json"
VALUE_SETS = "valuesets.json"
DISPLAYS = "displays.json"
SEARCH = "search.json"


class TypeRef(msgspec.Struct, frozen=True, omit_defaults=True):
    """One type that an element may have.

    ``code`` names the type (and ends the JSON name of a choice), ``rules`` the type whose rules apply (SimpleQuantity
    for a Quantity without comparator, Observation.component for a backbone), ``targets`` what a reference may point at.
    """

    code: str
    rules: str
    targets: tuple[str, ...] = ()


class Element(msgspec.Struct, frozen=True, omit_defaults=True):
    """An element: its name without ``[x]``, its types, cardinality (``max`` None: any number) and required binding."""

    name: str
    types: tuple[TypeRef, ...]
    min: int = 0
    max: int | None = 1
    choice: bool = False
    binding: str | None = None
    constraints: tuple[int, ...] = ()

    @property
    def many(self) -> bool:
        """Whether JSON writes it as an array."""
        return self.max is None or self.max > 1


class Constraint(msgspec.Struct, frozen=True):
    """An invariant: its key (obs-6), severity, what it says to people, and its FHIRPath."""

    key: str
    severity: str
    human: str
    expression: str


class Property(msgspec.Struct, frozen=True):
    """What a JSON name means in a type: the element, and which of its types."""

    element: Element
    type: TypeRef


class Type(msgspec.Struct, frozen=True, omit_defaults=True, dict=True):
    """A resource, a complex type, a primitive or a backbone element (named by its path)."""

    name: str
    kind: str
    base: str = ""
    abstract: bool = False
    elements: tuple[Element, ...] = ()
    constraints: tuple[int, ...] = ()

    @cached_property
    def properties(self) -> dict[str, Property]:
        """By JSON name: ``valueQuantity`` and its like each for itself."""
        found = {}
        for element in self.elements:
            for kind in element.types:
                name = element.name + kind.code[0].upper() + kind.code[1:] if element.choice else element.name
                found[name] = Property(element, kind)
        return found

    @cached_property
    def named(self) -> dict[str, list[str]]:
        """JSON names by element name: ``value`` to all of ``valueQuantity``, ``valueString`` …"""
        found: dict[str, list[str]] = {}
        for name, known in self.properties.items():
            found.setdefault(known.element.name, []).append(name)
        return found


class Part(msgspec.Struct, frozen=True, omit_defaults=True):
    """An extension inside a defined one, named by its short url: how often, and the types of its value (None: any)."""

    types: frozenset[str] | None
    min: int = 0
    max: int | None = 1
    binding: str | None = None


class Extension(msgspec.Struct, frozen=True, omit_defaults=True):
    """An extension: where it belongs (``Patient``, ``HumanName.family``, ``Element``, the URL of another extension).

    ``types`` are those of its value (None for any);
    ``parts`` are the extensions in it, where its definition leaves no others; ``modifier`` says that it changes the
    meaning of what it stands in.
    """

    contexts: frozenset[str]
    types: frozenset[str] | None
    parts: dict[str, Part] = {}
    binding: str | None = None
    modifier: bool = False


class SearchParameter(msgspec.Struct, frozen=True):
    """What a search parameter of a resource type looks at: its kind (token, date …), URL, FHIRPath and targets."""

    code: str
    kind: str
    url: str
    expression: str
    targets: tuple[str, ...] = ()


class Model(msgspec.Struct):
    """All types, invariants, standard extensions and the value sets of required bindings.

    Value sets are found by URL; each has the codes of its systems, None for all of them.
    """

    types: dict[str, Type]
    constraints: tuple[Constraint, ...]
    value_sets: dict[str, dict[str, frozenset[str] | None]]
    extensions: dict[str, Extension]

    def ancestry(self, name: str) -> tuple[str, ...]:
        """A type's name and those that it is derived from, nearest first."""
        found = []
        while name:
            found.append(name)
            known = self.types.get(name)
            name = known.base if known else ""
        return tuple(found)

    def is_a(self, name: str, ancestor: str) -> bool:
        """Whether a type is another one or derived from it; names that are not known are none."""
        return name in self.types and ancestor in self.ancestry(name)


class DefinitionsMissing(RuntimeError):
    """The compiled definitions are not there: ``bin/shoufu build`` makes them."""


@lru_cache(maxsize=1)
def model() -> Model:
    """The compiled definitions, read once; :class:`DefinitionsMissing` where they were not built."""
    return msgspec.json.decode(_read(MODEL), type=Model)


@lru_cache(maxsize=1)
def systems() -> dict[str, frozenset[str]]:
    """Codes of the code systems that FHIR publishes whole, by URL."""
    return msgspec.json.decode(_read(SYSTEMS), type=dict[str, frozenset[str]])


@lru_cache(maxsize=1)
def value_sets() -> dict[str, dict[str, frozenset[str] | None]]:
    """Codes by system of R4's value sets, by URL; None where a system is taken whole or by a filter."""
    return msgspec.json.decode(_read(VALUE_SETS), type=dict[str, dict[str, frozenset[str] | None]])


@lru_cache(maxsize=1)
def displays() -> dict[str, dict[str, tuple[str, ...]]]:
    """The display texts and designations of the code systems that are FHIR's own, by URL and code."""
    return msgspec.json.decode(_read(DISPLAYS), type=dict[str, dict[str, tuple[str, ...]]])


@lru_cache(maxsize=1)
def search_parameters() -> dict[str, dict[str, SearchParameter]]:
    """The search parameters that R4 defines, by resource type and name; those of all types under ``Resource``."""
    return msgspec.json.decode(_read(SEARCH), type=dict[str, dict[str, SearchParameter]])


def _read(name: str) -> bytes:
    path = FOLDER / name
    if not path.is_file():
        raise DefinitionsMissing(f"FHIR definitions are not built ({name}): run bin/shoufu build")
    return path.read_bytes()
