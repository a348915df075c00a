"""Code systems, profiles and extensions among the files: what is judged by them, and what they leave alone."""

from __future__ import annotations

from typing import Any

import pytest

from shoufu.engines import fhir

from .examples import bundle, encoded, observation, patient

SKIN = "http://a.example/CodeSystem/skin"
PROFILE = "http://a.example/StructureDefinition/resident"
COLOUR = "http://a.example/StructureDefinition/colour"


def _errors(content: dict[str, Any], *definitions: dict[str, Any]) -> dict[str, str]:
    report = fhir.check(encoded(content), fhir.at_hand(definitions))
    return {issue.expression: issue.message for issue in report.issues if issue.grave}


def _system(**more: Any) -> dict[str, Any]:
    concepts = [{"code": "dry", "concept": [{"code": "very-dry"}]}]
    return {
        "resourceType": "CodeSystem",
        "url": SKIN,
        "status": "active",
        "content": "complete",
        "concept": concepts,
        **more,
    }


def _skin(code: str, **more: str) -> dict[str, Any]:
    return observation(code={"coding": [{"system": SKIN, "code": code, **more}]})


def test_codes_of_a_system_that_is_at_hand() -> None:
    assert not _errors(_skin("very-dry"), _system())
    assert "Observation.code.coding[0].code" in _errors(_skin("wet"), _system())
    assert not _errors(_skin("wet"), _system(content="fragment"))
    assert not _errors(_skin("wet", version="2"), _system(version="1"))
    assert not _errors(_skin("DRY"), _system(caseSensitive=False))


def test_a_system_in_the_same_bundle_counts_too() -> None:
    both = bundle({"resource": _system()}, {"resource": _skin("wet")})
    assert "Bundle.entry[1].resource.code.coding[0].code" in _errors(both)


def test_a_supplement_is_no_system_of_codes() -> None:
    supplement = _system(content="supplement", supplements="http://loinc.org")
    assert "supplement" in _errors(_skin("dry"), supplement)["Observation.code.coding[0].system"]
    assert "CodeSystem.content" in _errors(_system(supplements="http://loinc.org"))


def _profile(*elements: dict[str, Any], url: str = PROFILE, base: str = "Patient") -> dict[str, Any]:
    return {
        "resourceType": "StructureDefinition",
        "url": url,
        "type": "Patient",
        "kind": "resource",
        "derivation": "constraint",
        "baseDefinition": base if ":" in base else f"http://hl7.org/fhir/StructureDefinition/{base}",
        "differential": {"element": list(elements)},
    }


RELATION = {"strength": "required", "valueSet": "http://hl7.org/fhir/ValueSet/administrative-gender"}


@pytest.mark.parametrize(
    ("element", "expression", "message"),
    [
        ({"path": "Patient.telecom", "min": 1}, "telecom", "is required by the profile"),
        ({"path": "Patient.identifier", "max": "0"}, "identifier[0]", "at most 0 times"),
        ({"path": "Patient.name.given", "min": 2}, "name[0].given", "at least 2 times"),
        ({"path": "Patient.deceased[x]", "type": [{"code": "dateTime"}]}, "deceasedBoolean", "is of type dateTime"),
        ({"path": "Patient.gender", "fixedCode": "male"}, "gender", "must be male"),
        (
            {"path": "Patient.identifier", "patternIdentifier": {"system": "urn:oid:1.2"}},
            "identifier[0]",
            "must hold",
        ),
        ({"path": "Patient.name.family", "binding": RELATION}, "name[0].family", "required value set"),
    ],
)
def test_what_a_claimed_profile_asks(element: dict[str, Any], expression: str, message: str) -> None:
    resident = patient(meta={"profile": [f"{PROFILE}|1"]}, deceasedBoolean=False)
    assert message in _errors(resident, _profile(element))[f"Patient.{expression}"]
    assert not _errors(patient(deceasedBoolean=False), _profile(element))


def test_a_profile_is_made_from_another_and_keeps_its_rules() -> None:
    resident = patient(meta={"profile": [PROFILE]})
    parent = _profile({"path": "Patient.telecom", "min": 1}, url="http://a.example/StructureDefinition/base")
    assert "Patient.telecom" in _errors(resident, _profile(base=parent["url"]), parent)


def test_what_a_profile_leaves_alone() -> None:
    resident = patient(meta={"profile": [PROFILE]})
    slices = (
        {"id": "Patient.identifier:card", "path": "Patient.identifier", "sliceName": "card", "min": 1},
        {"id": "Patient.identifier:card.system", "path": "Patient.identifier.system", "fixedUri": "urn:oid:1.2"},
        {"path": "Patient.contact.name", "min": 1},
        {"path": "Patient.gender", "patternCode": "female"},
    )
    assert not _errors(resident, _profile(*slices))


def _colour(*contexts: tuple[str, str]) -> dict[str, Any]:
    rows = [{"id": "Extension.value[x]", "path": "Extension.value[x]", "type": [{"code": "code"}]}]
    return {
        "resourceType": "StructureDefinition",
        "url": COLOUR,
        "type": "Extension",
        "kind": "complex-type",
        "derivation": "constraint",
        "context": [{"type": kind, "expression": expression} for kind, expression in contexts],
        "differential": {"element": rows},
    }


def test_an_extension_belongs_where_its_definition_says() -> None:
    red = {"url": COLOUR, "valueCode": "red"}
    around = {"url": "http://a.example/around", "extension": [red]}
    assert not _errors(patient(extension=[red]), _colour(("element", "Patient")))
    assert not _errors(patient(extension=[red]), _colour(("element", "DomainResource")))
    assert not _errors(patient(extension=[around]), _colour(("extension", around["url"])))  # type: ignore[arg-type]
    assert (
        "belongs at HumanName"
        in _errors(patient(extension=[red]), _colour(("element", "HumanName")))["Patient.extension[0]"]
    )
    wrong = patient(extension=[{"url": COLOUR, "valueString": "red"}])
    assert "is code" in _errors(wrong, _colour(("element", "Patient")))["Patient.extension[0].valueString"]
    text = patient()
    text["text"] = text["text"] | {"extension": [red]}
    assert not _errors(text, _colour(("element", "DomainResource.text")))


def test_definitions_that_are_broken_themselves_stop_nothing() -> None:
    broken = {"resourceType": "StructureDefinition", "url": PROFILE, "type": "Patient", "derivation": "constraint"}
    odd = broken | {"kind": "resource", "differential": {"element": [{"id": "x"}, {"path": "Patient"}]}}
    extension = {**broken, "type": "Extension", "url": COLOUR, "context": [{}]}
    resident = patient(meta={"profile": [PROFILE]})
    assert not _errors(resident, broken, odd, extension, _system(concept=[{}]))
