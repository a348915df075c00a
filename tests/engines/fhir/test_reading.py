"""The bytes: what is JSON, and that a valid resource comes back as it was sent."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoufu.engines import fhir
from shoufu.engines.fhir import locating, reading

from .examples import encoded, errors, observation, patient

BROKEN = {
    b"": "is empty",
    b" \n": "is empty",
    b'{"resourceType": "Patient",}': "is not JSON",
    b'{"resourceType": "Patient"': "is not JSON",
    b'{"resourceType": "Patient"} x': "is not JSON",
    b'{"resourceType": "Patient", "active": True}': "is not JSON",
    b"{'resourceType': 'Patient'}": "is not JSON",
    b'{resourceType: "Patient"}': "is not JSON",
    b'{"resourceType": "Patient" // a comment\n}': "is not JSON",
    b'{"resourceType": "Observation", "valueQuantity": {"value": NaN}}': "NaN is no number",
    b'{"resourceType": "Observation", "valueQuantity": {"value": 01}}': "is not JSON",
    b'{"resourceType": "Patient", "id": "a\tb"}': "is not JSON",
    b'{"resourceType": "Patient", "name": [{"text": "\xff"}]}': "is not UTF-8",
    b'{"resourceType": "Patient", "name": [{"text": "\\ud800"}]}': "surrogate",
    b'<Patient xmlns="http://hl7.org/fhir"/>': "is XML",
    b"[" * 5000: "nested",
    b'{"a":' * 900 + b"1" + b"}" * 900: "nested",
}


@pytest.mark.parametrize("data", BROKEN)
def test_what_is_no_json_is_refused_in_words(data: bytes) -> None:
    report = fhir.check(data)
    assert not report.valid
    assert [issue.severity for issue in report.issues] == [fhir.Severity.FATAL]
    assert BROKEN[data] in report.issues[0].message


@pytest.mark.parametrize(
    ("data", "expression"),
    [
        ('{"resourceType": "Patient", "name": [{"given": ["a", "b",]}]}', "Patient.name[0].given[2]"),
        ('{"resourceType": "Patient", "name": [{"given": ["a"]} {}]}', "Patient.name[0]"),
        ('{"resourceType": "Patient", "name": [{"family": Wang}]}', "Patient.name[0].family"),
        ('{"resourceType": "Patient", "text": {"div": "a:{[\\"", "status": }', "Patient.text.status"),
        ('{"resourceType": "Patient", "active": true', "Patient.active"),
        ('{"active": tru, "resourceType": "Patient"}', ""),
    ],
)
def test_broken_json_names_the_element_that_it_breaks_in(data: str, expression: str) -> None:
    assert list(errors(data.encode())) == [expression]


@given(st.text('{}[]":,\\a1', max_size=40))
def test_no_text_brings_the_search_for_its_break_down(text: str) -> None:
    locating.element_at(text, len(text))


@pytest.mark.parametrize("data", [b"[]", b"3", b"null", b'"Patient"', b"{}", b'{"resourceType": "Patiant"}'])
def test_json_that_is_no_resource(data: bytes) -> None:
    assert not fhir.check(data).valid


def test_a_name_that_stands_twice_is_named() -> None:
    data = b'{"resourceType": "Patient", "name": [{"family": "Wang", "family": "Li"}]}'
    assert errors(data) == {"Patient.name[0].family": "stands twice in the same object"}


def test_a_byte_order_mark_is_told_but_does_no_harm() -> None:
    report = fhir.check(b"\xef\xbb\xbf" + encoded(patient()))
    assert report.valid
    assert [issue.severity for issue in report.issues] == [fhir.Severity.WARNING]


def test_a_file_beyond_the_limit_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_BYTES", 100)
    assert "too large" in fhir.check(encoded(patient())).issues[0].message


def test_order_and_digits_stay() -> None:
    data = encoded(observation()).replace(b'"value": 6', b'"value": 6.50')
    resource = fhir.parse(data)
    assert isinstance(resource, fhir.Resource)
    assert resource.type == "Observation" and resource.id is None
    assert resource.content["valueQuantity"]["value"] == Decimal("6.50")
    assert b'"value":6.50,' in resource.to_bytes()
    assert list(json.loads(resource.to_bytes())) == list(json.loads(data))


def test_what_is_not_valid_gives_its_issues() -> None:
    issues = fhir.parse(encoded(patient(gender="F")))
    assert isinstance(issues, tuple)
    assert [issue.expression for issue in issues] == ["Patient.gender"]


texts = st.text(st.characters(codec="utf-8"), max_size=12)
numbers = st.integers(-(10**25), 10**25) | st.decimals(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_whatever_is_written_is_read_equal(value: Any) -> None:
    back, issues = reading.read(reading.write(value))
    assert back == value and not issues
    assert reading.write(back) == reading.write(value)


@given(st.binary(max_size=60) | values.map(reading.write))
def test_no_bytes_bring_it_down(data: bytes) -> None:
    assert not fhir.check(data).valid


@given(values, st.sampled_from(["name", "contact", "birthDate", "_birthDate", "contained", "extension", "text", "x"]))
def test_no_value_in_any_element_brings_it_down(value: Any, name: str) -> None:
    fhir.check(reading.write(patient(**{name: value})))


def test_many_names_that_stand_twice_are_counted_once() -> None:
    """A quarter of a million names took minutes when each was counted by itself."""
    names = ",".join(f'"n{number}":1' for number in range(250_000))
    value, _issues = reading.read(f"{{{names},{names}}}".encode())
    assert len(value.repeated) == 250_000


def test_what_breaks_after_half_a_letter_can_still_be_said() -> None:
    issue = fhir.check(b'{"resourceType": "Patient", "\\ud800": ]').issues[0]
    assert issue.expression == "Patient.?" and issue.message.encode()
