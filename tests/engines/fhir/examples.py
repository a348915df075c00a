"""Small whole resources, written for these tests."""

from __future__ import annotations

import json
from typing import Any

from shoufu.engines import fhir

DIV = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Wang Xiulan, seen at home</p></div>'
LOINC = "http://loinc.org"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"


def patient(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": "wang-xiulan",
        "text": {"status": "generated", "div": DIV},
        "identifier": [{"system": "urn:oid:2.16.156.10011.1.3", "value": "110105194903070025"}],
        "name": [{"family": "王", "given": ["秀兰"]}],
        "gender": "female",
        "birthDate": "1949-03-07",
        **more,
    }


def observation(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": "15074-8", "display": "Glucose"}]},
        "subject": {"reference": "Patient/wang-xiulan"},
        "effectiveDateTime": "2026-03-01T07:30:00+08:00",
        "valueQuantity": {"value": 6, "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"},
        **more,
    }


def appointment(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Appointment",
        "status": "booked",
        "start": "2026-03-02T09:00:00+08:00",
        "end": "2026-03-02T10:00:00+08:00",
        "participant": [{"actor": {"reference": "Patient/wang-xiulan"}, "status": "accepted"}],
        **more,
    }


def condition(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"system": CLINICAL, "code": "active"}]},
        "subject": {"reference": "Patient/wang-xiulan"},
        **more,
    }


def bundle(*entries: dict[str, Any], kind: str = "collection", **more: Any) -> dict[str, Any]:
    """Entries without a full URL get one, as they need it in a collection."""
    named = [{"fullUrl": f"urn:uuid:00000000-0000-4000-8000-00000000000{n}"} | one for n, one in enumerate(entries)]
    return {"resourceType": "Bundle", "type": kind, "entry": named, **more}


def encoded(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()


def errors(content: dict[str, Any] | bytes) -> dict[str, str]:
    """Messages of what is grave, by expression."""
    data = content if isinstance(content, bytes) else encoded(content)
    return {issue.expression: issue.message for issue in fhir.check(data).issues if issue.grave}
