"""Extensions that R4 itself defines, as far as their definitions go: parts, values, and whether they modify."""

from __future__ import annotations

from typing import Any

import pytest

from .examples import errors, patient

CORE = "http://hl7.org/fhir/StructureDefinition/"
SINCE = {"url": "period", "valuePeriod": {"start": "2001"}}
CHINA = {"url": "code", "valueCodeableConcept": {"text": "China"}}


def _nationality(*parts: dict[str, Any]) -> dict[str, str]:
    return errors(patient(extension=[{"url": f"{CORE}patient-nationality", "extension": list(parts)}]))


def test_a_complex_extension_holds_the_parts_of_its_definition() -> None:
    assert not _nationality(CHINA, SINCE)
    # A part of somebody else's, with a full address, is allowed as everywhere.
    assert not _nationality(CHINA, {"url": "http://a.example/why", "valueString": "birth"})


@pytest.mark.parametrize(
    ("parts", "expression", "message"),
    [
        ((CHINA, {"url": "land", "valueString": "China"}), ".extension[1].url", "code, period"),
        (({"url": "code", "valueString": "China"},), ".extension[0].valueString", "is CodeableConcept"),
        ((CHINA, CHINA), ".extension", "at most 1 code"),
    ],
)
def test_parts_that_the_definition_does_not_have(
    parts: tuple[dict[str, Any], ...], expression: str, message: str
) -> None:
    assert message in _nationality(*parts)[f"Patient.extension[0]{expression}"]


def test_a_part_that_is_missing() -> None:
    animal = {"url": f"{CORE}patient-animal", "extension": [{"url": "breed", "valueCodeableConcept": {"text": "Bo"}}]}
    assert "needs species" in errors(patient(extension=[animal]))["Patient.extension[0].extension"]


def test_a_modifier_stands_among_the_modifiers() -> None:
    named = {"url": f"{CORE}patient-birthPlace", "valueAddress": {"text": "Suzhou"}}
    assert "belongs in extension" in errors(patient(modifierExtension=[named]))["Patient.modifierExtension[0]"]
    assert not errors(patient(extension=[named]))


def test_the_value_of_an_extension_is_of_its_required_value_set() -> None:
    use = {"url": f"{CORE}iso21090-uncertaintyType", "valueCode": "X"}
    wrong = {"resourceType": "Observation", "status": "final", "code": {"text": "a"}, "valueQuantity": {"value": 1}}
    wrong["valueQuantity"] = {"value": 1, "extension": [use]}
    assert "required value set" in errors(wrong)["Observation.valueQuantity.extension[0].valueCode"]
    use["valueCode"] = "N"
    assert not errors(wrong)


def test_an_element_needs_more_than_an_id() -> None:
    assert "ele-1" in errors(patient(maritalStatus={"id": "m"}))["Patient.maritalStatus"]
    assert "ele-1" in errors(patient(_active={"id": "a"}))["Patient.active"]
    assert not errors(patient(active=True, _active={"id": "a"}))


def test_a_picture_in_the_narrative_refers_to_what_is_contained() -> None:
    held = {"resourceType": "Binary", "id": "wound", "contentType": "image/png", "data": "AAEC"}
    shown = '<div xmlns="http://www.w3.org/1999/xhtml"><img src="#wound" alt="wound"/></div>'
    text = {"status": "generated", "div": shown}
    assert not errors(patient(contained=[held], text=text))
    assert "dom-3" in errors(patient(contained=[held]))["Patient.contained[0]"]
