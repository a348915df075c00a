"""The compact model out of structures in HL7's form, shown on a small one of our own."""

from __future__ import annotations

from typing import Any

from shoufu.engines.fhir import compiling
from shoufu.engines.fhir.definitions import model, search_parameters

PREFIX = "http://hl7.org/fhir/StructureDefinition/"


def _row(path: str, low: int, high: str, *codes: str, **more: Any) -> dict[str, Any]:
    return {"path": path, "min": low, "max": high, "type": [{"code": code} for code in codes], **more}


def _structure(*rows: dict[str, Any], name: str = "Lamp", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "StructureDefinition",
        "fhirVersion": "4.0.1",
        "name": name,
        "type": name,
        "kind": "resource",
        "baseDefinition": f"{PREFIX}DomainResource",
        "snapshot": {"element": [_row(name, 0, "*"), *rows]},
        **more,
    }


RULE = {"key": "lmp-1", "severity": "error", "human": "Lit needs a bulb", "expression": "lit implies bulb.exists()"}
COLOUR = {"strength": "required", "valueSet": "http://a.example/ValueSet/colour|1"}
LAMP = _structure(
    _row("Lamp.id", 0, "1", "http://hl7.org/fhirpath/System.String"),
    _row("Lamp.lit[x]", 1, "1", "boolean", "date"),
    _row("Lamp.bulb", 0, "*", "BackboneElement", constraint=[RULE, RULE | {"key": "ele-1"}]),
    _row("Lamp.bulb.colour", 0, "1", "code", binding=COLOUR),
    _row("Lamp.bulb.spare", 0, "*") | {"contentReference": "#Lamp.bulb", "type": []},
    {
        "path": "Lamp.owner",
        "min": 0,
        "max": "1",
        "type": [{"code": "Reference", "targetProfile": [f"{PREFIX}Patient"]}],
    },
)
COLOURS = {
    "url": "http://a.example/ValueSet/colour",
    "compose": {"include": [{"system": "urn:c", "concept": [{"code": "red"}]}, {"system": "urn:all"}]},
}


def test_types_backbones_choices_and_bindings() -> None:
    made = compiling.compile_model([LAMP, _structure(name="Later", fhirVersion="5.0.0")], [COLOURS], {})
    assert set(made.types) == {"Lamp", "Lamp.bulb"}
    lamp, bulb = made.types["Lamp"].properties, made.types["Lamp.bulb"].properties
    assert set(lamp) == {"id", "litBoolean", "litDate", "bulb", "owner"}
    assert lamp["litDate"].element.min == 1 and lamp["litDate"].type.code == "date"
    assert lamp["id"].type.code == "id"
    assert lamp["bulb"].type.rules == bulb["spare"].type.rules == "Lamp.bulb"
    assert lamp["bulb"].element.many and not lamp["owner"].element.many
    assert lamp["owner"].type.targets == ("Patient",)
    assert [made.constraints[number].key for number in lamp["bulb"].element.constraints] == ["lmp-1"]
    assert made.value_sets[bulb["colour"].element.binding or ""] == {"urn:c": frozenset({"red"}), "urn:all": None}


def test_what_the_package_added_is_left_out() -> None:
    meta = _structure(_row("Meta.tag", 0, "*", "Coding"), _row("Meta.project", 0, "1", "uri"), name="Meta")
    official = {"Meta.tag": _row("Meta.tag", 0, "*", "Coding"), "Meta.source": _row("Meta.source", 0, "1", "uri")}
    made = compiling.compile_model([meta], [], official)
    assert set(made.types["Meta"].properties) == {"tag", "source"}


def test_systems_that_are_whole() -> None:
    concept = [{"code": "a", "concept": [{"code": "b"}]}]
    made = compiling.compile_systems(
        [
            {"url": "urn:whole", "content": "complete", "concept": concept},
            {"url": "urn:part", "content": "fragment", "concept": concept},
            {"url": "urn:any-case", "content": "complete", "caseSensitive": False, "concept": concept},
        ]
    )
    assert made == {"urn:whole": frozenset("ab")}


def test_each_type_gets_its_part_of_a_search() -> None:
    parameter = {
        "code": "patient",
        "type": "reference",
        "url": "http://a.example/p",
        "base": ["Slot", "Task"],
        "expression": "Slot.patient | Task.for.where(resolve() is Patient)",
        "target": ["Patient"],
    }
    made = compiling.compile_search([parameter])
    assert made["Task"]["patient"].expression == "Task.for.where(resolve() is Patient)"
    assert made["Slot"]["patient"].targets == ("Patient",)


def test_the_built_model_is_that_of_r4() -> None:
    known = model()
    assert len([kind for kind in known.types.values() if kind.kind == "resource" and not kind.abstract]) > 140
    for kind in known.types.values():
        for prop in kind.properties.values():
            assert prop.type.rules in known.types, (kind.name, prop)
    assert "project" not in known.types["Meta"].properties
    assert search_parameters()["Slot"]["schedule"].kind == "reference"
