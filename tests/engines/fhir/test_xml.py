"""Resources in XML: the same judgement, in JSON's names, and what only XML can have wrong."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from shoufu.engines import fhir

from .examples import DIV, encoded, patient

ZONED = "2026-03-01T07:30:00+08:00"
WHOLE = f"""<?xml version="1.0" encoding="UTF-8"?>
<Observation xmlns="http://hl7.org/fhir">
  <id value="glucose"/>
  <text><status value="generated"/>{DIV}</text>
  <contained><Practitioner><id value="nurse"/><active value="true"/></Practitioner></contained>
  <extension url="http://a.example/how"><valueString value="at home &amp; sitting"/></extension>
  <status value="final"/>
  <code><coding><system value="http://loinc.org"/><code value="15074-8"/></coding></code>
  <subject><reference value="Patient/wang-xiulan"/></subject>
  <effectiveDateTime id="t1" value="{ZONED}"/>
  <performer><reference value="#nurse"/></performer>
  <valueQuantity><value value="6.10"/><unit value="mmol/L"/></valueQuantity>
</Observation>"""


def _of(inner: str, kind: str = "Patient") -> bytes:
    return f'<{kind} xmlns="http://hl7.org/fhir">{inner}</{kind}>'.encode()


def _errors(data: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for issue in fhir.check_file(data).issues:
        if issue.grave:
            found[issue.expression] = f"{found.get(issue.expression, '')}{issue.message}; "
    return found


def test_a_resource_in_xml_is_the_one_that_json_has() -> None:
    report = fhir.check_file(WHOLE.encode())
    assert report.valid, report.issues
    assert report.resource is not None
    content = report.resource.content
    assert content["contained"] == [{"resourceType": "Practitioner", "id": "nurse", "active": True}]
    assert content["extension"] == [{"url": "http://a.example/how", "valueString": "at home & sitting"}]
    assert content["valueQuantity"] == {"value": Decimal("6.10"), "unit": "mmol/L"}
    assert (content["effectiveDateTime"], content["_effectiveDateTime"]) == (ZONED, {"id": "t1"})
    assert content["text"]["div"] == DIV
    assert fhir.check(report.resource.to_bytes()).valid


def test_a_decimal_may_be_long() -> None:
    long = WHOLE.replace('"6.10"', '"1000000000000000000000.10E-24"')
    assert fhir.check_file(long.encode()).valid
    whole = WHOLE.replace('"6.10"', '"1000000000000000000000"')
    assert fhir.check_file(whole.encode()).valid


def test_lists_keep_the_places_of_what_has_no_value() -> None:
    given = '<given value="Xiu"/><given><extension url="http://a.example/e"><valueCode value="x"/></extension></given>'
    report = fhir.check_file(_of(f"<name>{given}<given value='Lan'/></name>"))
    assert report.valid, report.issues
    name = report.content["name"][0]
    assert name["given"] == ["Xiu", None, "Lan"]
    assert [None if one is None else list(one) for one in name["_given"]] == [None, ["extension"], None]


@pytest.mark.parametrize(
    ("data", "expression", "message"),
    [
        (_of('<gender value="frau"/>'), "Patient.gender", "administrative-gender"),
        (_of('<active value="yes"/>'), "Patient.active", "true or false"),
        (_of('<multipleBirthInteger value="02"/>'), "Patient.multipleBirthInteger", "number"),
        (_of('<birthDate value="1949-02-30"/>'), "Patient.birthDate", "no such day"),
        (_of('<birthDate value=""/>'), "Patient.birthDate", "empty"),
        (_of("<birthDate/>"), "Patient.birthDate", "empty"),
        (_of('<active id="a"/>'), "Patient.active", "ele-1"),
        (_of('<colour value="red"/>'), "Patient.colour", "no element of Patient"),
        (_of('<gender value="female" form="short"/>'), "Patient.gender", "no attribute form"),
        (_of("<active>true</active>"), "Patient.active", "the text 'true'"),
        (_of('<birthDate value="1949"/><gender value="female"/>'), "Patient.gender", "stands after birthDate"),
        (_of('<gender value="female"/><gender value="male"/>'), "Patient.gender", "once only"),
        (_of('<extension><url value="http://a.example"/></extension>'), "Patient.extension[0].url", "an attribute"),
        (_of("<name/>"), "Patient.name[0]", "empty object"),
        (_of("<contained/>"), "Patient.contained[0]", "holds one resource"),
        (_of("<status value='final'/>", "Observation"), "Observation.code", "required"),
        (b"<Patient><active value='true'/></Patient>", "", "namespace ''"),
        (_of("", "Lamp"), "", "no resource type"),
        (b"<Patient xmlns='http://hl7.org/fhir'>", "", "not well-formed XML"),
        (_of("<active value='&yes;'/>"), "", "not well-formed XML"),
        (b"<!DOCTYPE Patient [<!ENTITY a 'b'>]>" + _of("<active value='&a;'/>"), "", "document type"),
        (b"<a>" * 300, "", "nested deeper"),
    ],
)
def test_what_is_wrong_names_the_element_of_json(data: bytes, expression: str, message: str) -> None:
    assert message in _errors(data)[expression]


def test_json_goes_the_same_way_and_the_interface_takes_json_alone() -> None:
    assert fhir.check_file(encoded(patient())).valid
    assert fhir.check_file(b"\xef\xbb\xbf" + json.dumps(patient()).encode()).valid
    assert not fhir.check(_of('<active value="true"/>')).valid
