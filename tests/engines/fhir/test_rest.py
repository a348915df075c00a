"""Searches, conditional creates, batches and the capability statement, without any server."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoufu.engines import fhir
from shoufu.engines.fhir import capabilities, rest
from shoufu.engines.fhir.rest import conditional, matching, values

from .examples import appointment, bundle, condition, encoded, errors, observation, patient


def _search(kind: str, query: str, *, strict: bool = False) -> rest.Search:
    return rest.read(kind, parse_qsl(query, keep_blank_values=True), strict=strict)


PATIENT = patient(
    identifier=[{"system": "urn:oid:2.16.156.10011.1.3", "value": "1101|05"}],
    name=[{"family": "Löwe", "given": ["Xiulan"]}],
    meta={"lastUpdated": "2026-03-01T07:30:00+08:00"},
    active=True,
)


@pytest.mark.parametrize(
    ("content", "query"),
    [
        (PATIENT, ""),
        (PATIENT, "_id=wang-xiulan"),
        (PATIENT, "_id=li,wang-xiulan"),
        (PATIENT, "_id=wang-xiulan&gender=female"),
        (PATIENT, r"identifier=urn:oid:2.16.156.10011.1.3|1101\|05"),
        (PATIENT, "identifier=urn:oid:2.16.156.10011.1.3|"),
        (PATIENT, "active=true"),
        (PATIENT, "gender:not=male"),
        (PATIENT, "family=LOW"),
        (PATIENT, "family:exact=Löwe"),
        (PATIENT, "name:contains=iul"),
        (PATIENT, "deceased=false"),
        (PATIENT, "telecom:missing=true"),
        (PATIENT, "birthdate=1949-03-07"),
        (PATIENT, "birthdate=1949"),
        (PATIENT, "birthdate=ge1949-03&birthdate=lt1950"),
        (PATIENT, "birthdate=ap1949-03-08"),
        (PATIENT, "_lastUpdated=2026-02-28T23:30:00Z"),
        (PATIENT, "_lastUpdated=gt2026-02-28T23:29:59Z"),
        (observation(), "code=http://loinc.org|15074-8"),
        (observation(), "code=15074-8"),
        (observation(), "patient=wang-xiulan"),
        (observation(), "patient=Patient/wang-xiulan"),
        (observation(), "subject:Patient=wang-xiulan"),
        (observation(), "value-quantity=6"),
        (observation(), "value-quantity=ge6|http://unitsofmeasure.org|mmol/L"),
        (observation(), "date=2026-03-01T07:30:00%2B08:00"),
        (observation(), "date=2026-03-01T07:30:00+08:00"),
        (observation(effectiveDateTime=None) | {"effectivePeriod": {"start": "2026-03-01"}}, "date=ge2030"),
        (observation(effectiveDateTime=None) | {"effectivePeriod": {"end": "9999-12-31"}}, "date=lt2030"),
        (appointment(), "patient=wang-xiulan&status=booked,arrived"),
        (condition(), "clinical-status=http://terminology.hl7.org/CodeSystem/condition-clinical|active"),
    ],
)
def test_found(content: dict[str, Any], query: str) -> None:
    assert matching.fits(content, _search(content["resourceType"], query))


@pytest.mark.parametrize(
    ("content", "query"),
    [
        (PATIENT, "_id=wang-xiulan&gender=male"),
        (PATIENT, "identifier=|1101"),
        (PATIENT, "identifier=urn:other|1101"),
        (PATIENT, "gender:not=male,female"),
        (PATIENT, "family:exact=löwe"),
        (PATIENT, "family=owe"),
        (PATIENT, "telecom:missing=false"),
        (PATIENT, "birthdate=1950"),
        (PATIENT, "birthdate=gt1949"),
        (PATIENT, "birthdate=ne1949-03"),
        (PATIENT, "_lastUpdated=lt2026-02-28"),
        (observation(), "patient=li"),
        (observation(), "subject:Group=wang-xiulan"),
        (observation(), "value-quantity=6.0"),
        (observation(), "value-quantity=lt6"),
        (observation(), "value-quantity=6||mg"),
    ],
)
def test_not_found(content: dict[str, Any], query: str) -> None:
    if "6.0" in query:
        content = observation(valueQuantity={"value": Decimal("6.2")})
    assert not matching.fits(content, _search(content["resourceType"], query))


@pytest.mark.parametrize(
    ("kind", "query", "name"),
    [
        ("Patient", "birthdate=07.03.1949", "birthdate"),
        ("Patient", "birthdate=1949-02-30", "birthdate"),
        ("Patient", "birthdate=", "birthdate"),
        ("Patient", "identifier=|", "identifier"),
        ("Patient", "gender:exact=male", "gender:exact"),
        ("Patient", "telecom:missing=maybe", "telecom:missing"),
        ("Patient", "_count=-1", "_count"),
        ("Patient", "_sort=colour", "_sort"),
        ("Patient", "general-practitioner.name=Li", "general-practitioner.name"),
        ("Patient", "_has:Observation:patient:code=1", "_has:Observation:patient:code"),
        ("Observation", "subject:Slot=1", "subject:Slot"),
        ("Observation", "subject=a b", "subject"),
        ("Observation", "subject:Patient=Group/1", "subject:Patient"),
        ("Observation", "value-quantity=much", "value-quantity"),
        ("Observation", "value-quantity=1e9999999", "value-quantity"),
        ("Observation", "code-value-quantity=a$1", "code-value-quantity"),
        ("Observation", "_include=Observation", "_include"),
        ("Observation", "_include=Observation:code", "_include"),
        ("Observation", "_include=Patient:organization", "_include"),
        ("Slot", "_revinclude=Observation:subject", "_revinclude"),
    ],
)
def test_a_search_that_cannot_be_done_names_its_parameter(kind: str, query: str, name: str) -> None:
    with pytest.raises(rest.SearchRefused) as caught:
        _search(kind, query)
    assert [issue.expression for issue in caught.value.issues] == [name]


def test_how_to_answer() -> None:
    search = _search("Appointment", "_count=20&_sort=-date,_id&_include=Appointment:patient&_format=json&colour=red")
    assert search.count == 20
    assert [(known.code, down) for known, down in search.sort] == [("date", True), ("_id", False)]
    assert search.result == {"_format": "json"}
    assert search.ignored == ("colour",)
    assert [issue.expression for issue in rest.told(search)] == ["colour"]
    (include,) = search.includes
    assert matching.pointers(appointment(), include.parameter) == [
        values.Pointer("Patient", "wang-xiulan", "Patient/wang-xiulan")
    ]
    with pytest.raises(rest.SearchRefused):
        _search("Appointment", "colour=red", strict=True)


def test_reverse_includes() -> None:
    (include,) = _search("Patient", "_revinclude=Observation:patient").includes
    assert include.reverse and include.type == "Observation"


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_query_brings_it_down(name: str, text: str) -> None:
    for parameter in (name, "birthdate", "identifier", "name", "_include", "_count", "general-practitioner"):
        try:
            matching.fits(PATIENT, rest.read("Patient", [(parameter, text)]))
        except rest.SearchRefused as refused:
            assert refused.issues


@given(st.lists(st.text("a,\\|$ü", max_size=4), min_size=1, max_size=4))
def test_escapes(parts: list[str]) -> None:
    escaped = ",".join(part.replace("\\", "\\\\").replace(",", "\\,") for part in parts)
    assert [values.plain(part) for part in values.split(escaped, ",")] == parts


def test_conditional_create() -> None:
    search = conditional.condition("Patient", "Patient?identifier=urn:oid:2.16.156.10011.1.3|1")
    assert [one.parameter.code for one in search.criteria] == ["identifier"]
    assert rest.decide([]).status == 201
    assert rest.decide(["a"]) == rest.Conditional(200, "a")
    several = rest.decide(["a", "b"])
    assert several.status == 412 and several.issue is not None
    for header in ("", "colour=red"):
        with pytest.raises(rest.SearchRefused):
            conditional.condition("Patient", header)


def _request(method: str, url: str, **more: Any) -> dict[str, Any]:
    return {"request": {"method": method, "url": url}, **more}


def test_a_batch_is_taken_apart_in_the_order_of_the_standard() -> None:
    sent = bundle(
        _request("GET", "Observation?patient=wang-xiulan&_count=5"),
        _request("PUT", "Patient/wang-xiulan", resource=patient()),
        {
            "resource": observation(),
            "request": {"method": "POST", "url": "Observation", "ifNoneExist": "identifier=a|1"},
        },
        _request("DELETE", "Slot/1"),
        _request("POST", "Patient", resource=observation()),
        _request("GET", "https://elsewhere.example/Patient/1"),
        _request("GET", "Human/1"),
        _request("POST", "Patient/1", resource=patient()),
        _request("PUT", "Patient/2"),
        _request("GET", "http://[x/Patient"),
        kind="batch",
    )
    assert errors(sent) == {}
    entries = rest.batch(sent)
    assert [entry.method for entry in entries] == ["DELETE", *["POST"] * 3, *["PUT"] * 2, *["GET"] * 4]
    by_place = {entry.place: entry for entry in entries}
    assert by_place[0].query == (("patient", "wang-xiulan"), ("_count", "5"))
    assert by_place[1].id == "wang-xiulan" and by_place[1].resource == patient()
    assert by_place[2].if_none_exist == "identifier=a|1"
    faulty = {place: entry.issue.expression for place, entry in by_place.items() if entry.issue}
    assert faulty == {
        4: "Bundle.entry[4].request.url",
        5: "Bundle.entry[5].request.url",
        6: "Bundle.entry[6].request.url",
        7: "Bundle.entry[7].request.url",
        8: "Bundle.entry[8].resource",
        9: "Bundle.entry[9].request.url",
    }


def test_answers_are_valid_bundles() -> None:
    issue = fhir.Issue("Patient.gender", "is wrong", "code-invalid")
    made = rest.Answer(201, "Patient/1/_history/1", 'W/"1"', "2026-03-01T07:30:00Z", patient())
    answer = rest.answered([made, rest.Answer(422, issues=(issue,))])
    assert fhir.check(encoded(answer)).issues == ()
    assert [entry["response"]["status"] for entry in answer["entry"]] == ["201", "422"]
    links = [("self", "https://a.example/fhir/Patient?gender=female")]
    found = rest.result_bundle(
        "https://a.example/fhir/", [patient()], [patient(id="b")], total=9, links=links, issues=[issue]
    )
    assert fhir.check(encoded(found)).issues == ()
    assert [entry["search"]["mode"] for entry in found["entry"]] == ["match", "include", "outcome"]
    assert errors(rest.result_bundle("https://a.example", [], total=0, links=links)) == {}


def _statement(**more: Any) -> dict[str, Any]:
    offers = [
        capabilities.Offer(
            "Patient", ("read", "search-type", "create"), ("_id", "identifier"), conditional_create=True
        ),
        capabilities.Offer("Slot", ("read",), ("schedule", "start"), ("Slot:schedule",)),
    ]
    return capabilities.statement(
        offers,
        url="https://a.example/fhir",
        name="A district",
        software="Shoufu",
        software_version="0.1.0",
        date="2026-03-01",
        system=["batch"],
        **more,
    )


def test_a_capability_statement_is_valid() -> None:
    made = _statement(operations=[("export", "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export")])
    assert fhir.check(encoded(made)).issues == ()
    identifier = made["rest"][0]["resource"][0]["searchParam"][1]
    assert identifier["type"] == "token" and identifier["definition"].endswith("Patient-identifier")


def test_claims_that_r4_does_not_know_are_refused() -> None:
    with pytest.raises(ValueError, match="colour"):
        capabilities.statement(
            [capabilities.Offer("Slot", ("read",), ("colour",))],
            url="https://a.example",
            name="a",
            software="b",
            software_version="1",
            date="2026",
        )
    made = _statement()
    made["rest"][0]["resource"][0]["searchParam"][1]["type"] = "date"
    assert list(errors(made)) == ["CapabilityStatement.rest[0].resource[0].searchParam[1].type"]
