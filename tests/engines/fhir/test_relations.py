"""References, contained resources, bundles and invariants."""

from __future__ import annotations

from typing import Any

import pytest

from shoufu.engines import fhir

from .examples import LOINC, appointment, bundle, condition, encoded, errors, observation, patient

UUID = "urn:uuid:8f2f3c7e-3c41-4a90-9a70-2b1f0f0d2c11"


@pytest.mark.parametrize(
    "reference",
    [
        {"reference": "Patient/wang-xiulan"},
        {"reference": "Patient/wang-xiulan/_history/3", "type": "Patient"},
        {"reference": "https://fhir.example.org/r4/Patient/1"},
        {"reference": "https://records.example.org/anything?x=1"},
        {"reference": UUID, "type": "Device"},
        {"identifier": {"system": "urn:oid:2.16.156.10011.1.3", "value": "1"}},
        {"display": "Wang Xiulan"},
    ],
)
def test_forms_of_a_reference(reference: dict[str, Any]) -> None:
    assert errors(observation(subject=reference)) == {}


@pytest.mark.parametrize(
    ("reference", "expression", "says"),
    [
        ({"reference": "Practitioner/li"}, "Observation.subject", "points at a Practitioner; allowed are Patient"),
        ({"reference": "http://a.example/fhir/Practitioner/li"}, "Observation.subject", "points at a Practitioner"),
        ({"type": "Practitioner", "display": "Li"}, "Observation.subject", "points at a Practitioner"),
        ({"reference": "Patient/1", "type": "Group"}, "Observation.subject.type", "says Group"),
        ({"reference": "Patient/1", "type": "Human"}, "Observation.subject.type", "no resource type"),
        ({"reference": "wang"}, "Observation.subject.reference", "neither [ResourceType]/[id]"),
        ({"reference": "Human/1"}, "Observation.subject.reference", "neither [ResourceType]/[id]"),
        ({"reference": "Patient/a b"}, "Observation.subject.reference", "white space"),
        ({"reference": "#p"}, "Observation.subject.reference", "not among the contained"),
    ],
)
def test_a_wrong_reference_names_its_element(reference: dict[str, Any], expression: str, says: str) -> None:
    assert says in errors(observation(subject=reference))[expression]


def _inside(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "p", **more}


def test_contained_resources() -> None:
    assert errors(observation(contained=[_inside()], subject={"reference": "#p"})) == {}
    device = {"resourceType": "Device", "id": "d", "patient": {"reference": "#"}}
    assert errors(patient(contained=[device])) == {}


@pytest.mark.parametrize(
    ("contained", "expression", "says"),
    [
        ([{"resourceType": "Patient"}], "Observation.contained[0].id", "needs an id"),
        ([_inside(), _inside()], "Observation.contained[1].id", "another contained"),
        ([_inside(), _inside(id="q")], "Observation.contained[1]", "dom-3"),
        ([_inside(contained=[_inside(id="q")])], "Observation.contained[0].contained", "dom-2"),
        ([_inside(meta={"versionId": "1"})], "Observation.contained[0].meta.versionId", "dom-4"),
        ([_inside(meta={"security": [{"code": "R"}]})], "Observation.contained[0].meta.security", "dom-5"),
        ([_inside(gender="F")], "Observation.contained[0].gender", "administrative-gender"),
        ([_inside(resourceType="Practitioner")], "Observation.subject", "points at a Practitioner"),
    ],
)
def test_a_fault_in_what_is_contained(contained: list[dict[str, Any]], expression: str, says: str) -> None:
    assert says in errors(observation(contained=contained, subject={"reference": "#p"}))[expression]


def test_a_reference_in_a_bundle_is_what_it_resolves_to() -> None:
    nurse = {"resourceType": "Practitioner", "id": "li"}
    entries = [{"fullUrl": UUID, "resource": nurse}, {"resource": observation(subject={"reference": UUID})}]
    assert "Practitioner" in errors(bundle(*entries))["Bundle.entry[1].resource.subject"]
    entries[0]["resource"] = patient()
    assert errors(bundle(*entries)) == {}


def test_a_conditional_reference_belongs_in_a_transaction() -> None:
    resource = observation(subject={"reference": "Patient?identifier=urn:x|1"})
    request = {"method": "POST", "url": "Observation"}
    assert errors(bundle({"resource": resource, "request": request}, kind="transaction")) == {}
    assert "Observation.subject.reference" in errors(resource)
    resource["subject"] = {"reference": "Patient?identifier=a&?=="}
    found = errors(bundle({"resource": resource, "request": request}, kind="transaction"))
    assert list(found) == ["Bundle.entry[0].resource.subject.reference"]


INVARIANTS: list[tuple[dict[str, Any], str, str]] = [
    (observation(dataAbsentReason={"text": "unknown"}), "Observation", "obs-6"),
    (
        observation(component=[{"code": {"coding": [{"system": LOINC, "code": "15074-8", "display": "Glucose"}]}}]),
        "Observation",
        "obs-7",
    ),
    (observation(referenceRange=[{"type": {"text": "normal"}}]), "Observation.referenceRange[0]", "obs-3"),
    (observation(valueQuantity={"value": 6, "code": "mmol/L"}), "Observation.valueQuantity", "qty-3"),
    (
        appointment(cancelationReason={"text": "a"}),
        "Appointment",
        "app-4",
    ),
    (appointment(participant=[{"status": "accepted"}]), "Appointment.participant[0]", "app-1"),
    (condition(abatementString="gone"), "Condition", "con-4"),
    (condition(stage=[{"type": {"text": "a"}}]), "Condition.stage[0]", "con-1"),
    (patient(contact=[{"gender": "male"}]), "Patient.contact[0]", "pat-1"),
    (patient(telecom=[{"value": "1"}]), "Patient.telecom[0]", "cpt-2"),
    (patient(photo=[{"data": "AAEC"}]), "Patient.photo[0]", "att-1"),
    (
        patient(identifier=[{"period": {"start": "2026-03-02", "end": "2026-03-01"}}]),
        "Patient.identifier[0].period",
        "per-1",
    ),
    (bundle({"resource": patient()}, total=1), "Bundle", "bdl-1"),
    (bundle({"resource": patient()}, kind="batch"), "Bundle", "bdl-3"),
    (bundle({"fullUrl": UUID, "resource": patient()}, {"fullUrl": UUID, "resource": patient()}), "Bundle", "bdl-7"),
]


@pytest.mark.parametrize(("content", "expression", "key"), INVARIANTS, ids=[row[2] for row in INVARIANTS])
def test_an_invariant_that_does_not_hold(content: dict[str, Any], expression: str, key: str) -> None:
    found = errors(content)
    assert list(found) == [expression]
    assert key in found[expression]


@pytest.mark.parametrize("name", ["start", "end"])
def test_a_booked_appointment_needs_both_its_times(name: str) -> None:
    content = appointment()
    del content[name]
    issues = fhir.check(encoded(content)).issues
    assert {issue.expression for issue in issues} == {"Appointment"}
    assert any("app-2" in issue.message for issue in issues)


def test_an_outcome_is_itself_a_valid_resource() -> None:
    outcome = fhir.operation_outcome(fhir.check(encoded(observation(status="done"))).issues)
    assert outcome["issue"][0]["expression"] == ["Observation.status"]
    assert outcome["issue"][0]["severity"] == "error"
    assert fhir.check_content(outcome).valid
    assert fhir.check_content(fhir.operation_outcome(())).valid
