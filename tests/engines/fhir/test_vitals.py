"""Vital signs, which R4 asks to be written in one way only; standard extensions; documents that hold what they name."""

from __future__ import annotations

from typing import Any

import pytest

from .examples import LOINC, bundle, errors, observation, patient

UCUM = "http://unitsofmeasure.org"
SIGNS = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}


def _coded(*codes: str) -> dict[str, Any]:
    return {"coding": [{"system": LOINC, "code": code} for code in codes]}


def _quantity(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def temperature(**more: Any) -> dict[str, Any]:
    usual = {"category": [SIGNS], "code": _coded("8310-5", "8331-1"), "valueQuantity": _quantity(37, "Cel")}
    return observation(**(usual | more))


def pressure(*components: dict[str, Any], **more: Any) -> dict[str, Any]:
    content = observation(category=[SIGNS], code=_coded("85354-9"), component=list(components), **more)
    if "valueQuantity" not in more:
        del content["valueQuantity"]
    return content


SYSTOLIC = {"code": _coded("8480-6"), "valueQuantity": _quantity(142, "mm[Hg]")}
DIASTOLIC = {"code": _coded("8462-4"), "valueQuantity": _quantity(88, "mm[Hg]")}
REASON = {"text": "cuff slipped"}


def test_vital_signs_as_they_ought_to_be() -> None:
    assert errors(temperature()) == {}
    assert errors(pressure(SYSTOLIC, DIASTOLIC)) == {}
    assert errors(pressure({"code": _coded("8480-6"), "dataAbsentReason": REASON}, DIASTOLIC)) == {}


@pytest.mark.parametrize(
    ("content", "expression", "says"),
    [
        (temperature(code=_coded("8331-1")), "Observation.code", "8310-5"),
        (temperature(category=[{"text": "vital"}]), "Observation.category", "vital-signs"),
        (temperature(effectiveDateTime="2026-03"), "Observation.effectiveDateTime", "vs-1"),
        (temperature(valueQuantity=_quantity(310, "K")), "Observation.valueQuantity.code", "Cel, [degF]"),
        (temperature(valueQuantity={"value": 37, "unit": "°C"}), "Observation.valueQuantity.code", "required"),
        (
            pressure(SYSTOLIC, DIASTOLIC, valueQuantity=_quantity(1, "mm[Hg]")),
            "Observation.valueQuantity",
            "components",
        ),
        (pressure(SYSTOLIC), "Observation.component", "diastolic"),
        (pressure(SYSTOLIC, {"code": _coded("8462-4")}), "Observation.component[1].value", "vs-3"),
    ],
)
def test_a_vital_sign_written_otherwise(content: dict[str, Any], expression: str, says: str) -> None:
    assert says in errors(content)[expression]


def test_a_vital_sign_without_value_time_or_patient() -> None:
    content = temperature()
    for name in ("valueQuantity", "effectiveDateTime", "subject"):
        del content[name]
    assert set(errors(content)) == {"Observation.value", "Observation.effective", "Observation.subject"}


HL7 = "http://hl7.org/fhir/StructureDefinition/"


def test_a_standard_extension_has_its_place_and_type() -> None:
    birthplace = {"url": f"{HL7}patient-birthPlace", "valueAddress": {"city": "沈阳"}}
    assert errors(patient(extension=[birthplace])) == {}
    assert "not at Patient.name" in errors(patient(name=[{"extension": [birthplace]}]))["Patient.name[0].extension[0]"]
    text = {"url": f"{HL7}patient-birthPlace", "valueString": "沈阳"}
    assert "is Address" in errors(patient(extension=[text]))["Patient.extension[0].valueString"]
    assert errors(patient(extension=[{"url": "https://shoufu.example/unknown", "valueString": "a"}])) == {}


def test_a_primitive_takes_the_extensions_of_its_type() -> None:
    mother = {"url": f"{HL7}humanname-mothers-family", "valueString": "李"}
    assert errors(patient(name=[{"family": "王", "_family": {"extension": [mother]}}])) == {}
    assert list(errors(patient(name=[{"family": "王", "extension": [mother]}]))) == ["Patient.name[0].extension[0]"]


def _document(reference: str, *more: dict[str, Any]) -> dict[str, Any]:
    composition = {
        "resourceType": "Composition",
        "id": "c",
        "status": "final",
        "type": {"text": "visit"},
        "subject": {"reference": reference},
        "date": "2026-03-01",
        "author": [{"display": "Li Na"}],
        "title": "Visit",
    }
    head = {"fullUrl": "https://a.example/Composition/c", "resource": composition}
    entry = {"fullUrl": "https://a.example/Patient/wang-xiulan", "resource": patient()}
    identifier = {"system": "urn:x", "value": "1"}
    return bundle(head, entry, *more, kind="document", identifier=identifier, timestamp="2026-03-01T08:00:00Z")


def test_a_document_holds_what_it_names() -> None:
    assert errors(_document("Patient/wang-xiulan")) == {}
    assert errors(_document("https://a.example/Patient/wang-xiulan")) == {}
    assert list(errors(_document("Patient/li"))) == ["Bundle.entry[0].resource.subject"]


def test_of_two_versions_one_must_be_named() -> None:
    entries = [
        {"fullUrl": "https://a.example/Patient/two", "resource": patient(id="two", meta={"versionId": version})}
        for version in ("1", "2")
    ]
    assert errors(_document("Patient/two/_history/2", *entries)) == {}
    assert (
        "not in the bundle" in errors(_document("Patient/two/_history/3", *entries))["Bundle.entry[0].resource.subject"]
    )
    assert "2 entries" in errors(_document("Patient/two", *entries))["Bundle.entry[0].resource.subject"]
