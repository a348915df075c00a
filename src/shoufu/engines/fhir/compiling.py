"""Make the compact definitions out of the official R4 bundles (StructureDefinitions, value sets, code systems)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from .definitions import Constraint, Element, Extension, Model, Part, SearchParameter, Type, TypeRef

Json = dict[str, Any]

VERSION = "4.0.1"
_PREFIX = "http://hl7.org/fhir/StructureDefinition/"
_SYSTEM = "http://hl7.org/fhirpath/System."
# Checked by the walk itself, where it is cheaper and can say more; dom-6 is advice on good practice.
BY_HAND = frozenset({"ele-1", "ext-1", "dom-2", "dom-3", "dom-4", "dom-5", "dom-6", "ref-1", "txt-1", "txt-2"})
# Known errata of 4.0.1, as later editions have them.
_CORRECTED = {
    "que-12": "enableWhen.count() > 1 implies enableBehavior.exists()",
}
# HL7's own resources have these in other places than their definitions name.
_ANYWHERE = (_PREFIX + "structuredefinition-", _PREFIX + "regex", _PREFIX + "resource-")
# The package that carries the bundles has added to these structures; the official data elements put them right.
_ADDED_TO = frozenset(
    {
        "Binary",
        "DeviceDefinition",
        "EvidenceVariable",
        "HealthcareService",
        "Meta",
        "ObservationDefinition",
        "ResearchStudy",
    }
)
_CHANGED = frozenset(
    {
        "AuditEvent.agent.who",
        "AuditEvent.source.observer",
        "Bundle.entry.response.outcome",
        "DetectedIssue.status",
        "MeasureReport.subject",
    }
)
_PART = "Extension.extension:"
_ELSEWHERE = re.compile(r"/v[23]-")
_EVERYWHERE = frozenset({"id", "extension", "modifierExtension"})
_EVERY_RESOURCE = frozenset({"meta", "implicitRules", "language", "text", "contained"})


def resources(bundle: Json, kind: str) -> Iterator[Json]:
    """The resources of one type in a bundle."""
    for entry in bundle.get("entry", ()):
        resource = entry.get("resource", {})
        if resource.get("resourceType") == kind:
            yield resource


def data_elements(bundle: Json) -> dict[str, Json]:
    """The official definition of each data element, by its path."""
    rows = (structure["snapshot"]["element"][0] for structure in resources(bundle, "StructureDefinition"))
    return {row["path"]: row for row in rows}


def compile_model(structures: Iterable[Json], value_sets: Iterable[Json], official: dict[str, Json]) -> Model:
    """Types and extensions of every structure of this version, and the value sets of their required bindings.

    ``official`` are the :func:`data_elements`, which take the place of what was changed in the structures.
    """
    maker = _Maker(official)
    extensions = {}
    for structure in structures:
        if structure.get("fhirVersion") != VERSION or structure["kind"] == "logical":
            continue
        if structure["type"] == "Extension" and structure.get("derivation") == "constraint":
            extensions[structure["url"]] = known = compile_extension(structure)
            maker.bindings.update(filter(None, (known.binding, *(part.binding for part in known.parts.values()))))
        else:
            maker.add(structure)
    return Model(maker.types, tuple(maker.constraints), _expanded(maker.bindings, value_sets), extensions)


def compile_systems(code_systems: Iterable[Json]) -> dict[str, frozenset[str]]:
    """Codes of the systems that are published whole; of those whose codes ignore case none."""
    return {
        system["url"]: frozenset(_codes(system["concept"]))
        for system in code_systems
        if system.get("content") == "complete" and system.get("concept") and system.get("caseSensitive", True)
    }


def compile_value_sets(value_sets: Iterable[Json]) -> dict[str, dict[str, frozenset[str] | None]]:
    """Codes by system of the value sets that name their systems; None for a system taken whole or by a filter."""
    found = {}
    for value_set in value_sets:
        parts = value_set.get("compose", {}).get("include", ())
        if parts and all(part.get("system") and not part.get("valueSet") for part in parts):
            found[value_set["url"]] = _parts(parts)
    return found


def compile_displays(code_systems: Iterable[Json]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Texts of the codes of the systems that are published whole, without those of HL7's versions 2 and 3.

    Those come from another standard, whose later editions word them anew.
    """
    return {
        system["url"]: dict(_texts(system["concept"]))
        for system in code_systems
        if system.get("content") == "complete" and system.get("concept") and not _ELSEWHERE.search(system["url"])
    }


def compile_search(parameters: Iterable[Json]) -> dict[str, dict[str, SearchParameter]]:
    """By resource type and name; of an expression for many types each gets its own part."""
    found: dict[str, dict[str, SearchParameter]] = {}
    for parameter in parameters:
        for base in parameter["base"] if parameter.get("expression") else ():
            found.setdefault(base, {})[parameter["code"]] = SearchParameter(
                parameter["code"],
                parameter["type"],
                parameter["url"],
                _part(parameter["expression"], base),
                tuple(parameter.get("target", ())),
            )
    return found


def _part(expression: str, base: str) -> str:
    parts = expression.split(" | ")
    if any(part.count("(") != part.count(")") for part in parts):
        return expression
    own = [part for part in parts if part.lstrip("(").startswith(f"{base}.")]
    return " | ".join(own) or expression


class _Maker:
    def __init__(self, official: dict[str, Json]) -> None:
        self.official = official
        self.types: dict[str, Type] = {}
        self.constraints: list[Constraint] = []
        self.bindings: set[str] = set()
        self._numbers: dict[tuple[str, str], int] = {}

    def add(self, structure: Json) -> None:
        """The type of a structure and its backbone elements, each a type named by its path."""
        name = structure["name"] if structure.get("derivation") == "constraint" else structure["type"]
        rows = self._restored(structure)
        parents = {row["path"].rpartition(".")[0] for row in rows}
        kind = structure["kind"].removesuffix("-type")
        for path in sorted(parents - {""}):
            root = path == structure["type"]
            children = [row for row in rows if row["path"].rpartition(".")[0] == path]
            head = next(row for row in rows if row["path"] == path)
            base = structure.get("baseDefinition", "").removeprefix(_PREFIX) if root else head["type"][0]["code"]
            elements = () if kind == "primitive" else tuple(self._element(row, structure, parents) for row in children)
            self.types[name if root else path] = Type(
                name=name if root else path,
                kind=kind if root else "complex",
                base=base,
                abstract=bool(structure.get("abstract")) and root,
                elements=elements,
                constraints=self._constraints(head) if root else (),
            )

    def _restored(self, structure: Json) -> list[Json]:
        rows = [
            self.official[row["path"]] if row["path"] in _CHANGED else row for row in structure["snapshot"]["element"]
        ]
        kind = structure["type"]
        if kind not in _ADDED_TO:
            return rows
        present = {row["path"] for row in rows}
        missing = [row for path, row in self.official.items() if path.startswith(f"{kind}.") and path not in present]
        return [row for row in rows if self._is_official(row["path"])] + missing

    def _is_official(self, path: str) -> bool:
        """Whether R4 has an element: it, or one below it, is a data element, or it is one that all of its kind have."""
        owner, _, name = path.rpartition(".")
        if name in _EVERYWHERE:
            return not owner or "." not in owner or self._is_official(owner)
        if not owner or ("." not in owner and name in _EVERY_RESOURCE):
            return True
        return path in self.official or any(known.startswith(f"{path}.") for known in self.official)

    def _element(self, row: Json, structure: Json, parents: set[str]) -> Element:
        name = row["path"].rpartition(".")[2]
        binding = row.get("binding", {})
        required = _required(binding, row)
        if required:
            self.bindings.add(required)
        return Element(
            name=name.removesuffix("[x]"),
            types=self._types(row, structure, parents),
            min=row["min"],
            max=None if row["max"] == "*" else int(row["max"]),
            choice=name.endswith("[x]"),
            binding=required,
            constraints=self._constraints(row),
        )

    def _types(self, row: Json, structure: Json, parents: set[str]) -> tuple[TypeRef, ...]:
        path = row["path"]
        if path in parents:
            code = row["type"][0]["code"]
            return (TypeRef(code, path),)
        if "contentReference" in row:
            return (TypeRef("BackboneElement", row["contentReference"].removeprefix("#")),)
        found: dict[str, TypeRef] = {}
        for kind in row["type"]:
            code = _primitive(kind, path, structure) if kind["code"].startswith(_SYSTEM) else kind["code"]
            rules = kind.get("profile", [code])[0].removeprefix(_PREFIX)
            targets = [target.removeprefix(_PREFIX) for target in kind.get("targetProfile", ())]
            found[code] = TypeRef(code, rules, tuple(targets))
        return tuple(found.values())

    def _constraints(self, row: Json) -> tuple[int, ...]:
        return tuple(
            self._number(constraint)
            for constraint in row.get("constraint", ())
            if constraint["key"] not in BY_HAND and constraint.get("expression")
        )

    def _number(self, constraint: Json) -> int:
        name: str = constraint["key"]
        key = (name, _CORRECTED.get(name) or str(constraint["expression"]))
        if key not in self._numbers:
            self._numbers[key] = len(self.constraints)
            self.constraints.append(Constraint(key[0], constraint["severity"], constraint["human"], key[1]))
        return self._numbers[key]


def _required(binding: Json, row: Json) -> str | None:
    """The value set that a value must be of: a required one, or the widest that a code may be of (languages)."""
    if binding.get("strength") == "required":
        return str(binding.get("valueSet", "")).partition("|")[0] or None
    if [kind["code"] for kind in row.get("type", ())] != ["code"]:
        return None
    widest = [one for one in binding.get("extension", ()) if one["url"].endswith("elementdefinition-maxValueSet")]
    return str(widest[0]["valueCanonical"]).partition("|")[0] if widest else None


def compile_extension(structure: Json) -> Extension:
    """An extension out of its snapshot, or of what its differential says."""
    contexts = structure.get("context", ())
    # A context that is an expression cannot be compared with a name: the extension may then stand anywhere.
    named = all(context.get("type") != "fhirpath" for context in contexts)
    anywhere = not named or structure["url"].startswith(_ANYWHERE)
    places = frozenset[str]() if anywhere else frozenset(str(context.get("expression")) for context in contexts)
    elements = (structure.get("snapshot") or structure.get("differential") or {}).get("element", ())
    rows = {str(row.get("id") or row.get("path")): row for row in elements}
    types, binding = _value(rows.get("Extension.value[x]", {}))
    return Extension(places, types, _extension_parts(rows), binding, bool(rows.get("Extension", {}).get("isModifier")))


def _value(row: Json) -> tuple[frozenset[str] | None, str | None]:
    """The types of an extension's value (None for any), and the value set that it must be of."""
    if row.get("max") == "0":
        return frozenset(), None
    types = frozenset(str(kind.get("code")) for kind in row["type"]) if row.get("type") else None
    return types, _required(row.get("binding", {}), row)


def _extension_parts(rows: dict[str, Json]) -> dict[str, Part]:
    """The named extensions of a complex extension by their urls; nothing where they have parts of their own."""
    found = {}
    for own, row in rows.items():
        if not own.startswith(_PART) or "." in own.removeprefix(_PART):
            continue
        if rows.get(f"{own}.extension", {}).get("max") != "0":
            return {}
        url = rows.get(f"{own}.url", {}).get("fixedUri")
        types, binding = _value(rows.get(f"{own}.value[x]", {}))
        if url is None:
            return {}
        most = row.get("max", "*")
        found[str(url)] = Part(types, row.get("min", 0), int(most) if most.isdigit() else None, binding)
    return found


def _primitive(kind: Json, path: str, structure: Json) -> str:
    if path.endswith(".id"):
        return "id" if structure["kind"] == "resource" and path.count(".") == 1 else "string"
    for extension in kind.get("extension", ()):
        if extension["url"].endswith("structuredefinition-fhir-type"):
            return str(extension["valueUrl"])
    return str(kind["code"].removeprefix(_SYSTEM)).lower()


def _expanded(wanted: set[str], value_sets: Iterable[Json]) -> dict[str, dict[str, frozenset[str] | None]]:
    found = {}
    for value_set in value_sets:
        compose = value_set.get("compose", {})
        # A set made by filters, exclusions or other sets is not judged; R4 has none under a required binding.
        if value_set["url"] in wanted and not compose.get("exclude") and compose.get("include"):
            parts = compose["include"]
            if all(part.get("system") and not part.get("filter") and not part.get("valueSet") for part in parts):
                found[value_set["url"]] = _parts(parts)
    return found


def _parts(parts: Iterable[Json]) -> dict[str, frozenset[str] | None]:
    found: dict[str, frozenset[str] | None] = {}
    for part in parts:
        concepts = part.get("concept")
        codes = frozenset(concept["code"] for concept in concepts) if concepts else None
        before = found.get(part["system"], frozenset())
        found[part["system"]] = None if codes is None or before is None else codes | before
    return found


def _texts(concepts: Iterable[Json]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for concept in concepts:
        found = [concept.get("display"), *(one["value"] for one in concept.get("designation", ()))]
        texts = tuple(dict.fromkeys(text for text in found if text))
        if texts:
            yield concept["code"], texts
        yield from _texts(concept.get("concept", ()))


def _codes(concepts: Iterable[Json]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _codes(concept.get("concept", ()))
