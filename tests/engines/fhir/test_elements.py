"""Names, cardinality, types and letters: each fault names its element."""

from __future__ import annotations

from typing import Any

import pytest

from shoufu.engines import fhir

from .examples import appointment, bundle, condition, encoded, errors, observation, patient

VALID = [
    patient(),
    patient(birthDate="1949"),
    patient(birthDate="1949-03", active=True, multipleBirthInteger=2),
    patient(_birthDate={"extension": [{"url": "http://example.com/sure", "valueBoolean": False}]}),
    patient(
        name=[
            {"given": ["秀兰", None], "_given": [None, {"id": "b", "extension": [{"url": "urn:x", "valueCode": "a"}]}]}
        ]
    ),
    patient(extension=[{"url": "urn:a", "extension": [{"url": "b", "valueQuantity": {"value": 1}}]}]),
    patient(photo=[{"contentType": "image/jpeg", "data": "AAEC\nAwQF"}]),
    observation(),
    observation(effectiveDateTime="2024-02-29"),
    appointment(),
    condition(),
    {"resourceType": "Parameters"},
    patient(language="zh-Hans-CN", photo=[{"contentType": "image/png", "data": "AAE=", "size": 2}]),
    bundle({"fullUrl": "urn:uuid:8f2f3c7e-3c41-4a90-9a70-2b1f0f0d2c11", "resource": patient()}),
]


@pytest.mark.parametrize("content", VALID, ids=range(len(VALID)))
def test_valid_ones(content: dict[str, Any]) -> None:
    assert errors(content) == {}


NAMED: list[tuple[dict[str, Any], str, str]] = [
    (patient(surname="Wang"), "Patient.surname", "no element of Patient"),
    (patient(birthdate="1949-03-07"), "Patient.birthdate", "did you mean birthDate?"),
    (patient(multipleBirth=2), "Patient.multipleBirth", "multipleBirthBoolean, multipleBirthInteger"),
    (patient(multipleBirthInteger=2, multipleBirthBoolean=True), "Patient.multipleBirthInteger", "only one of"),
    (patient(fhir_comments=["a"]), "Patient.fhir_comments", "no element"),
    (patient(_name=[{"id": "a"}]), "Patient._name", "no element"),
    (patient(name={"family": "Wang"}), "Patient.name", "must be an array"),
    (patient(name=[]), "Patient.name", "empty array"),
    (patient(name=[{}]), "Patient.name[0]", "empty object"),
    (patient(name=[None]), "Patient.name[0]", "null"),
    (patient(name=["Wang"]), "Patient.name[0]", "must be an object"),
    (patient(name=[{"given": [None]}]), "Patient.name[0].given[0]", "null"),
    (patient(gender=["female"]), "Patient.gender", "must not be an array"),
    (patient(gender=None), "Patient.gender", "null"),
    (patient(gender="F"), "Patient.gender", "female, male, other, unknown"),
    (patient(gender=" female"), "Patient.gender", "no space around it"),
    (patient(birthDate=""), "Patient.birthDate", "empty string"),
    (patient(birthDate="07.03.1949"), "Patient.birthDate", "is not a date"),
    (patient(birthDate="1949-02-29"), "Patient.birthDate", "no such day"),
    (patient(birthDate="1949-03-07T00:00:00Z"), "Patient.birthDate", "is not a date"),
    (patient(birthDate=1949), "Patient.birthDate", "must be a string, not the number 1949"),
    (patient(birthDate={"value": "1949"}), "Patient.birthDate", "must be a string, not an object"),
    (patient(_birthDate=None), "Patient.birthDate", "null"),
    (patient(_active=None), "Patient.active", "null"),
    (patient(_birthDate="1949"), "Patient.birthDate", "must be an object"),
    (patient(_birthDate={"value": "1949"}), "Patient.birthDate.value", "id and extension only"),
    (patient(active="true"), "Patient.active", "must be true or false"),
    (patient(multipleBirthInteger="2"), "Patient.multipleBirthInteger", "must be a number"),
    (patient(multipleBirthInteger=2.5), "Patient.multipleBirthInteger", "whole number"),
    (patient(multipleBirthInteger=2**31), "Patient.multipleBirthInteger", "must be from"),
    (patient(telecom=[{"system": "phone", "value": "1", "rank": 0}]), "Patient.telecom[0].rank", "must be from 1"),
    (patient(id="bad id"), "Patient.id", "an id holds"),
    (patient(id="wang_xiulan"), "Patient.id", "an id holds"),
    (patient(id="w" * 65), "Patient.id", "at most 64"),
    (patient(identifier=[{"system": "urn:oid:2.16.ab"}]), "Patient.identifier[0].system", "OID"),
    (patient(identifier=[{"system": "urn:uuid:12"}]), "Patient.identifier[0].system", "UUID"),
    (patient(identifier=[{"system": "http://a b"}]), "Patient.identifier[0].system", "white space"),
    (patient(photo=[{"contentType": "image/jpeg", "data": "AAE"}]), "Patient.photo[0].data", "base64"),
    (
        patient(photo=[{"contentType": "image/png", "data": "AAEC", "size": 4}]),
        "Patient.photo[0].size",
        "the data are 3",
    ),
    (patient(language="Chinese (simplified)"), "Patient.language", "all-languages"),
    (patient(name=[{"text": "\0"}]), "Patient.name[0].text", "U+0000"),
    ({"resourceType": "Questionnaire", "status": "draft", "url": "intake"}, "Questionnaire.url", "absolute"),
    (patient(photo=[{"contentType": "image jpeg"}]), "Patient.photo[0].contentType", "mimetypes"),
    (patient(meta={"lastUpdated": "2026-03-01T07:30:00"}), "Patient.meta.lastUpdated", "time zone"),
    (patient(meta={"lastUpdated": "2026-03-01"}), "Patient.meta.lastUpdated", "is not an instant"),
    (patient(extension=[{"valueString": "a"}]), "Patient.extension[0].url", "url is required"),
    (patient(extension=[{"url": "urn:a"}]), "Patient.extension[0]", "ext-1"),
    (
        patient(extension=[{"url": "urn:a", "valueString": "a", "extension": [{"url": "b", "valueString": "c"}]}]),
        "Patient.extension[0]",
        "ext-1",
    ),
    (observation(status=None), "Observation.status", "null"),
    (observation(status="done"), "Observation.status", "observation-status"),
    (observation(code={"text": ""}), "Observation.code.text", "empty string"),
    (observation(effectiveDateTime="2026-03-01T07:30"), "Observation.effectiveDateTime", "is not a dateTime"),
    (observation(effectiveDateTime="2026-03-01T07:30:00"), "Observation.effectiveDateTime", "time zone"),
    (observation(effectiveDateTime="2026-03-01T24:00:00Z"), "Observation.effectiveDateTime", "is not a dateTime"),
    (observation(valueQuantity={"value": "6.5"}), "Observation.valueQuantity.value", "must be a number"),
    (
        observation(component=[{"code": {"text": "a"}, "valueQuantity": [{"value": 1}]}]),
        "Observation.component[0].valueQuantity",
        "must not be an array",
    ),
    (
        observation(code={"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "nix"}]}),
        "Observation.code.coding[0].code",
        "not in the code system",
    ),
    (observation(code={"coding": [{"system": "loinc", "code": "1"}]}), "Observation.code.coding[0].system", "absolute"),
    (
        condition(clinicalStatus={"coding": [{"system": "urn:x", "code": "active"}]}),
        "Condition.clinicalStatus",
        "active, inactive, recurrence, relapse, remission, resolved",
    ),
    (condition(clinicalStatus={"text": "active"}), "Condition.clinicalStatus", "needs a code"),
    (appointment(participant=[]), "Appointment.participant", "empty array"),
    (
        patient(identifier=[{"system": "hospital", "value": "7"}]),
        "Patient.identifier[0].system",
        "must be an absolute URI",
    ),
    (
        patient(identifier=[{"system": "urn:ietf:rfc:3986", "value": "2.16.156.1"}]),
        "Patient.identifier[0].value",
        "must be a whole URI",
    ),
    (
        patient(identifier=[{"system": "urn:ietf:rfc:3986", "value": "urn:oid:2.16.x"}]),
        "Patient.identifier[0].value",
        "not a well-formed OID",
    ),
    (patient(extension=[{"url": "nation", "valueString": "x"}]), "Patient.extension[0].url", "must be absolute"),
    (patient(name=[{"id": "n", "text": "x"}, {"id": "n", "text": "y"}]), "Patient.name[1].id", "another element too"),
    (
        bundle() | {"entry": [{"resource": patient()}]},
        "Bundle.entry[0].fullUrl",
        "needs the full URL",
    ),
    (
        bundle({"fullUrl": "http://a.example/Patient/1", "resource": {"resourceType": "Patient", "active": True}}),
        "Bundle.entry[0].resource.id",
        "says an id",
    ),
    (bundle({"resource": {"resourceType": "Nobody"}}), "Bundle.entry[0].resource.resourceType", "no resource type"),
    (bundle({"resource": {"id": "a"}}), "Bundle.entry[0].resource", "resourceType"),
    (bundle({"resource": patient(gender="F")}), "Bundle.entry[0].resource.gender", "administrative-gender"),
    (bundle({"fullUrl": "Patient/1", "resource": patient()}), "Bundle.entry[0].fullUrl", "must be absolute"),
    (
        bundle({"fullUrl": "http://a.example/Patient/1", "resource": patient()}),
        "Bundle.entry[0].fullUrl",
        "own id, wang-xiulan",
    ),
    (bundle({"resource": {"resourceType": "Patient"}}, kind="searchset"), "Bundle.entry[0].resource.id", "have ids"),
]


@pytest.mark.parametrize(("content", "expression", "says"), NAMED, ids=[row[1] for row in NAMED])
def test_a_fault_names_its_element(content: dict[str, Any], expression: str, says: str) -> None:
    found = errors(content)
    assert list(found) == [expression]
    assert says in found[expression]


@pytest.mark.parametrize(
    ("content", "name"),
    [(observation(), "status"), (observation(), "code"), (appointment(), "participant"), (condition(), "subject")],
)
def test_what_is_required_is_missed(content: dict[str, Any], name: str) -> None:
    del content[name]
    assert "is required" in errors(content)[f"{content['resourceType']}.{name}"]


def test_a_required_value_may_be_explained_away_by_an_extension_but_not_a_code() -> None:
    reason = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
    absent = {"extension": [{"url": reason, "valueCode": "unknown"}]}
    slot = {
        "resourceType": "Slot",
        "schedule": {"reference": "Schedule/1"},
        "status": "free",
        "end": "2026-03-01T08:00:00Z",
    }
    assert errors(slot | {"_start": absent}) == {}
    content = observation(_status=absent)
    del content["status"]
    assert "needs a code of the required value set" in errors(content)["Observation.status"]


@pytest.mark.parametrize("text", [" ", "a\x0bb"])
def test_what_a_text_should_not_hold_is_told(text: str) -> None:
    report = fhir.check(encoded(patient(name=[{"text": text}])))
    assert report.valid
    assert [(issue.expression, issue.severity) for issue in report.issues] == [("Patient.name[0].text", "warning")]


def test_a_canonical_is_an_absolute_url() -> None:
    answers = {"resourceType": "QuestionnaireResponse", "status": "completed"}
    assert errors(answers | {"questionnaire": "https://a.example/Questionnaire/intake|2"}) == {}
    assert list(errors(answers | {"questionnaire": "intake"})) == ["QuestionnaireResponse.questionnaire"]
    assert list(errors(answers | {"questionnaire": "#q"})) == ["QuestionnaireResponse.questionnaire"]
    report = fhir.check(encoded(answers | {"questionnaire": "Questionnaire/intake|2"}))
    assert [(issue.expression, issue.severity) for issue in report.issues] == [
        ("QuestionnaireResponse.questionnaire", "warning")
    ]


def test_arrays_of_a_primitive_and_its_siblings_of_different_length_are_told() -> None:
    names = [{"given": ["a", "b"], "_given": [{"id": "x"}]}]
    report = fhir.check(encoded(patient(name=names)))
    assert report.valid
    assert [issue.expression for issue in report.issues] == ["Patient.name[0].given"]


@pytest.mark.parametrize(
    ("div", "says"),
    [
        ("<div>a</div>", "namespace"),
        ('<p xmlns="http://www.w3.org/1999/xhtml">a</p>', "one div"),
        ('<div xmlns="http://www.w3.org/1999/xhtml"> <p/> </div>', "txt-2"),
        ('<div xmlns="http://www.w3.org/1999/xhtml">a<script>b</script></div>', "script is not allowed"),
        ('<div xmlns="http://www.w3.org/1999/xhtml"><p onclick="a()">b</p></div>', "onclick"),
        ('<div xmlns="http://www.w3.org/1999/xhtml"><a href=" JavaScript:a()">b</a></div>', "run a program"),
        ('<div xmlns="http://www.w3.org/1999/xhtml">a<br></div>', "well-formed"),
        ('<div xmlns="http://www.w3.org/1999/xhtml">a&reg;</div>', "well-formed"),
        ('<!DOCTYPE div [<!ENTITY x "y">]><div xmlns="http://www.w3.org/1999/xhtml">&x;</div>', "document type"),
    ],
)
def test_narratives(div: str, says: str) -> None:
    assert says in errors(patient(text={"status": "generated", "div": div}))["Patient.text.div"]
