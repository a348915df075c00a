"""Go through a resource by its definition: names, cardinality, JSON types, primitives, codes, references."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from . import bindings, extensions, narrative, primitives, references
from .containment import contained_faults, repeated_ids
from .definitions import Element, Model, Property, Type
from .issues import Issue, Severity
from .reading import Repeating
from .references import Around, Entries

_SIBLING = "_"


@dataclass(frozen=True, slots=True)
class Pending:
    """Invariants to be tried once the whole document is known to have its right shape."""

    value: Any
    type: str
    extra: dict[str, Any] | None
    constraints: tuple[int, ...]
    path: str
    resource: dict[str, Any]
    around: Around


@dataclass(frozen=True, slots=True)
class Inside:
    """The resource that is being walked, and where it stands."""

    resource: dict[str, Any]
    around: Around


@dataclass(slots=True)
class Walk:
    """One pass over a document; issues and the invariants to try gather in it."""

    model: Model
    issues: list[Issue] = field(default_factory=list)
    pending: list[Pending] = field(default_factory=list)
    # Every resource of the document with its path, the contained ones as well.
    resources: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    # The entries of each bundle in the document, by the bundle's identity.
    entries: dict[int, Entries] = field(default_factory=dict)
    # Wrong shapes (an array where an object belongs) would lead the invariants astray.
    misshapen: bool = False

    def say(self, path: str, message: str, code: str = "structure", *, shape: bool = False) -> None:
        """Note an error."""
        self.issues.append(Issue(path, message, code))
        self.misshapen = self.misshapen or shape

    def resource(self, value: Any, path: str, around: Around | None, *, inside: bool = False) -> None:
        """Walk a resource; ``around`` None where it is the root of its own, ``inside`` where it is contained."""
        known = self._resource_type(value, path)
        if known is None:
            return
        around = around or Around(value)
        self.resources.append((path or known.name, value))
        places = self.model.ancestry(known.name)
        self._object(value, known, path or known.name, Inside(value, around), places, resource=True)
        self._invariants(value, known.name, None, known.constraints, path or known.name, Inside(value, around))
        found = contained_faults(self.model, value, path or known.name, inside)
        for expression, message, code in chain(found, repeated_ids(value, path or known.name)):
            self.say(expression, message, code)

    def _resource_type(self, value: Any, path: str) -> Type | None:
        if not isinstance(value, dict):
            self.say(path, "must be a resource: a JSON object with resourceType", shape=True)
            return None
        name = value.get("resourceType")
        if name is None:
            self.say(path, "has no resourceType", "required", shape=True)
        elif not isinstance(name, str) or not references.is_resource(self.model, name):
            self.say(f"{path}.resourceType" if path else "", f"{name!r} is no resource type of R4", shape=True)
        else:
            return self.model.types[name]
        return None

    def _object(
        self,
        value: dict[str, Any],
        kind: Type,
        path: str,
        inside: Inside,
        places: tuple[str, ...],
        *,
        resource: bool = False,
    ) -> None:
        """Walk an object of a type; ``places`` are the names by which extensions may be allowed in it."""
        if isinstance(value, Repeating):
            for name in value.repeated:
                self.say(f"{path}.{name}", "stands twice in the same object", shape=True)
        if not value:
            self.say(path, "must not be an empty object: leave it out")
            return
        if not resource and kind.name != "Element" and tuple(value) == ("id",):
            self.say(path, "must have a value or children, not only an id (ele-1)", "invariant")
        for name, inner in value.items():
            if name == "resourceType" and resource:
                continue
            self._named(name, inner, value, kind, path, inside)
        self._cardinality(value, kind, path)
        if kind.name == "Extension":
            self._told(extensions.shape_faults(value), path)
        for name in ("extension", "modifierExtension"):
            inner = value.get(name)
            for place, extension in enumerate(inner if isinstance(inner, list) else ()):
                here = (*places, str(value.get("url"))) if kind.name == "Extension" else places
                self._told(extensions.defined_faults(self.model, extension, here), f"{path}.{name}[{place}]")
                if message := extensions.modifier_fault(self.model, extension, name):
                    self.say(f"{path}.{name}[{place}]", message)

    def _told(self, found: Iterator[tuple[str, str, str]], path: str) -> None:
        for name, message, code in found:
            self.say(f"{path}.{name}" if name else path, message, code)

    def _named(self, name: str, inner: Any, owner: dict[str, Any], kind: Type, path: str, inside: Inside) -> None:
        plain = name.removeprefix(_SIBLING)
        known = kind.properties.get(plain)
        primitive = known is not None and self.model.types[known.type.rules].kind == "primitive"
        if known is None or (plain != name and not primitive) or name.startswith("__"):
            self.say(f"{path}.{name}", f"is no element of {kind.name}{_hint(plain, kind)}")
            return
        if primitive:
            # The value and its sibling are judged together, where the first of them stands.
            if plain == name or plain not in owner:
                self._primitives(owner, plain, known, path, inside, kind)
            return
        self._complex(inner, name, known, path, inside, kind)

    def _complex(self, value: Any, name: str, known: Property, path: str, inside: Inside, owner: Type) -> None:
        path = f"{path}.{name}"
        for place, item in self._items(value, known.element, path):
            where = path if place is None else f"{path}[{place}]"
            if item is None:
                self.say(where, "must not be null: leave it out", shape=True)
            elif not isinstance(item, dict):
                self.say(where, f"must be an object ({known.type.code})", shape=True)
            elif known.type.code == "Resource":
                self._inner_resource(item, name, where, inside)
            else:
                self._typed(item, known, where, inside, owner)

    def _inner_resource(self, value: dict[str, Any], name: str, path: str, inside: Inside) -> None:
        if name == "contained":
            self.resource(value, path, inside.around, inside=True)
            return
        # A resource in a bundle's entry stands on its own; in Parameters as well.
        entries, url = inside.around.entries, None
        if inside.resource["resourceType"] == "Bundle":
            entries = self._entries(inside.resource)
            url = entries.url(value)
        self.resource(value, path, Around(value, entries, url))

    def _entries(self, bundle: dict[str, Any]) -> Entries:
        if id(bundle) not in self.entries:
            self.entries[id(bundle)] = Entries(self.model, bundle)
        return self.entries[id(bundle)]

    def _typed(self, value: dict[str, Any], known: Property, path: str, inside: Inside, owner: Type) -> None:
        kind = self.model.types[known.type.rules]
        self._object(value, kind, path, inside, self._places(known, owner))
        constraints = (*known.element.constraints, *kind.constraints)
        self._invariants(value, kind.name, None, constraints, path, inside)
        if known.element.binding:
            for message in bindings.coding_faults(self.model, known.element.binding, value):
                self.say(path, message, "code-invalid")
        if kind.name == "Coding":
            for name, message in bindings.coded_faults(value, inside.resource.get("language")):
                self.say(f"{path}.{name}", message, "code-invalid")
        elif "Quantity" in self.model.ancestry(kind.name):
            if unit := bindings.unit_fault(value):
                self.say(f"{path}.code", unit, "code-invalid")
        elif kind.name == "SampledData" and (wrong := primitives.sampled_fault(value)):
            self.say(f"{path}.data", wrong, "value")
        elif kind.name == "Identifier":
            for name, message in primitives.identifier_faults(value):
                self.say(f"{path}.{name}", message, "value")
        elif kind.name == "Extension" and owner.name != "Extension" and (wrong := extensions.address_fault(value)):
            self.say(f"{path}.url", wrong, "value")
        elif kind.name == "Attachment" and (wrong := primitives.attachment_fault(value)):
            self.say(f"{path}.size", wrong, "value")
        elif kind.name == "Reference":
            for name, message in references.faults(self.model, value, known.type.targets, inside.around):
                self.say(f"{path}.{name}" if name else path, message, "value")

    def _places(self, known: Property, owner: Type) -> tuple[str, ...]:
        name = known.element.name + ("[x]" if known.element.choice else "")
        owners = self.model.ancestry(owner.name)
        return (*(f"{one}.{name}" for one in owners), *self.model.ancestry(known.type.rules))

    def _items(self, value: Any, element: Element, path: str) -> Iterator[tuple[int | None, Any]]:
        """The values of a property with their places; says so where array and single value are confused."""
        if not element.many:
            if isinstance(value, list):
                self.say(path, "must not be an array: it may stand once only", shape=True)
            else:
                yield None, value
            return
        if not isinstance(value, list):
            self.say(path, "must be an array", shape=True)
            return
        if not value:
            self.say(path, "must not be an empty array: leave it out")
        yield from enumerate(value)

    def _primitives(
        self, owner: dict[str, Any], name: str, known: Property, path: str, inside: Inside, kind: Type
    ) -> None:
        path = f"{path}.{name}"
        values = list(self._items(owner[name], known.element, path)) if name in owner else []
        extras: dict[int | None, Any] = {}
        if _SIBLING + name in owner:
            extras = dict(self._items(owner[_SIBLING + name], known.element, path))
        present = dict(values)
        if name in owner and extras and None not in extras and len(extras) != len(present):
            message = f"has {len(present)} values, but _{name} has {len(extras)} places: fill up with null"
            self.issues.append(Issue(path, message, "structure", Severity.WARNING))
        for place in dict.fromkeys((*present, *extras)):
            where = path if place is None else f"{path}[{place}]"
            beside, value = extras.get(place), present.get(place)
            if beside is not None:
                self._beside(beside, known, where, inside, kind)
            elif place is None and _SIBLING + name in owner and name in owner:
                self.say(where, f"_{name} must not be null: leave it out", shape=True)
            if value is not None:
                self._primitive(value, beside, known, where, inside, kind)
            elif isinstance(beside, dict) and tuple(beside) == ("id",):
                self.say(where, "must have a value or extensions, not only an id (ele-1)", "invariant")
            elif known.type.code == "code" and known.element.binding and extensions.says_absent(beside):
                message = (
                    f"needs a code of the required value set {known.element.binding}: why there is none is no code"
                )
                self.say(where, message, "code-invalid")
            elif beside is None or (name in owner and place is None):
                # In an array, null keeps the place of a value that has only an id or extensions.
                self.say(where, "must not be null: leave it out", shape=True)

    def _primitive(self, value: Any, extra: Any, known: Property, path: str, inside: Inside, kind: Type) -> None:
        if message := primitives.fault(known.type.code, value):
            wrong = primitives.wrong_type(known.type.code, value)
            self.say(path, message, "structure" if wrong else "value", shape=wrong)
            return
        if message := primitives.advice(known.type.code, value):
            self.issues.append(Issue(path, message, "value", Severity.WARNING))
        if known.type.code == "xhtml":
            for message in narrative.faults(value):
                self.say(path, message, "invariant")
        if known.element.binding:
            for message in bindings.code_faults(self.model, known.element.binding, value):
                self.say(path, message, "code-invalid")
        if known.type.code == "canonical":
            if message := references.canonical_fault(self.model, value, known.type.targets):
                self.say(path, message, "value")
            self._canonical(value, path, inside)
        elif known.element.name == "url" and kind.kind == "resource" and ":" not in value:
            self.say(path, f"'{value}' must be an absolute URI: it is what canonicals name", "value")
        beside = extra if isinstance(extra, dict) else None
        self._invariants(value, known.type.rules, beside, known.element.constraints, path, inside)

    def _canonical(self, value: str, path: str, inside: Inside) -> None:
        if value.startswith("#"):
            if value != "#" and references.contained(inside.around.root, value[1:]) is None:
                self.say(path, f"'{value}' is not among the contained resources", "value")
        elif references.rest(self.model, value.partition("|")[0]) is not None and ":" not in value:
            # Published examples of R4 have it, though it says where a resource is, not what it is called.
            message = f"'{value}' should be the absolute URL that the resource is known by"
            self.issues.append(Issue(path, message, "value", Severity.WARNING))
        elif ":" not in value:
            self.say(path, f"'{value}' must be an absolute URL, or # and the id of a contained resource", "value")

    def _beside(self, extra: Any, known: Property, path: str, inside: Inside, owner: Type) -> None:
        """The object in ``_name``: an id and extensions of a primitive value."""
        if not isinstance(extra, dict):
            self.say(path, "its sibling with the underscore must be an object", shape=True)
            return
        for name in extra:
            if name not in ("id", "extension"):
                self.say(f"{path}.{name}", f"a {known.type.code} has no element {name}: id and extension only")
        plain = {name: extra[name] for name in extra if name in ("id", "extension")}
        if plain or not extra:
            self._object(plain, self.model.types["Element"], path, inside, self._places(known, owner))

    def _cardinality(self, value: dict[str, Any], kind: Type, path: str) -> None:
        for element in kind.elements:
            names = [name for name in kind.named[element.name] if name in value or _SIBLING + name in value]
            if element.choice and len(names) > 1:
                self.say(f"{path}.{names[1]}", f"only one of {', '.join(names)} may stand", shape=True)
            if not names and element.min:
                shown = f"{element.name}[x]" if element.choice else element.name
                self.say(f"{path}.{element.name}", f"{shown} is required in {kind.name}", "required")
            if names and element.max == 0:
                self.say(f"{path}.{names[0]}", f"is not allowed in {kind.name}")

    def _invariants(
        self,
        value: Any,
        kind: str,
        extra: dict[str, Any] | None,
        constraints: tuple[int, ...],
        path: str,
        inside: Inside,
    ) -> None:
        if constraints:
            self.pending.append(
                Pending(value, kind, extra, tuple(dict.fromkeys(constraints)), path, inside.resource, inside.around)
            )


def _hint(name: str, kind: Type) -> str:
    for known in kind.properties:
        if known.lower() == name.lower():
            return f": did you mean {known}?"
    choices = sorted(kind.named[name]) if name in kind.named else []
    return f": write its type too ({', '.join(choices[:6])}{', …' if len(choices) > 6 else ''})" if choices else ""
