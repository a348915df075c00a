"""What breaks a right resource: check finds it, and REST refuses it, both naming the element."""

import copy
import importlib.util
from pathlib import Path
from typing import Any

from shoufu.engines import fhir
from shoufu.engines.fhir.reading import write

GONE = object()
HL7 = "http://terminology.hl7.org/CodeSystem/"
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'
ELSEWHERE = {"url": "urn:e"}

# The type, what is put where (GONE takes away), and the element that is named.
CHANGES: list[tuple[str, dict[str, Any], str]] = [
    ("Patient", {"gender": "weiblich"}, "gender"),
    ("Patient", {"birthDate": "1949-02-29"}, "birthDate"),
    ("Patient", {"active": "true"}, "active"),
    ("Patient", {"hobby": "chess"}, "hobby"),
    ("Patient", {"id": "wang xiulan"}, "id"),
    ("Patient", {"deceasedBoolean": True, "deceasedDateTime": "2026"}, "deceasedDateTime"),
    ("Patient", {"identifier": [{"system": "ID card", "value": "1"}]}, "identifier[0].system"),
    ("Patient", {"identifier": [{"system": "urn:oid:2.16.x", "value": "1"}]}, "identifier[0].system"),
    ("Patient", {"telecom": [{"value": "62551234"}]}, "telecom[0]"),
    ("Patient", {"photo": [{"contentType": "image/png", "data": "§"}]}, "photo[0].data"),
    ("Patient", {"name": {"family": "王"}}, "name"),
    ("Patient", {"name": []}, "name"),
    ("Patient", {"managingOrganization": {"reference": "Patient/li"}}, "managingOrganization"),
    ("Patient", {"managingOrganization": {"reference": "#home"}}, "managingOrganization.reference"),
    ("Patient", {"contained": [{"resourceType": "Organization", "id": "o", "name": "x"}]}, "contained[0]"),
    ("Patient", {"text": {"status": "generated", "div": DIV.format("<form/>")}}, "text.div"),
    ("Patient", {"maritalStatus": {"id": "m"}}, "maritalStatus"),
    ("Practitioner", {"qualification": [{"identifier": [{"value": "1"}]}]}, "qualification[0].code"),
    ("Practitioner", {"gender": {"code": "female"}}, "gender"),
    ("Practitioner", {"language": "Chinese!"}, "language"),
    ("ServiceRequest", {"intent": GONE}, "intent"),
    ("ServiceRequest", {"status": "open"}, "status"),
    ("ServiceRequest", {"subject": {"reference": "Slot/1"}}, "subject"),
    ("ServiceRequest", {"authoredOn": "2026-03-01T07:30:00"}, "authoredOn"),
    ("ServiceRequest", {"instantiatesUri": ["urn:uuid:12"]}, "instantiatesUri[0]"),
    ("Appointment", {"participant": GONE}, "participant"),
    ("Appointment", {"participant": [{"status": "accepted"}]}, "participant[0]"),
    ("Appointment", {"minutesDuration": 0}, "minutesDuration"),
    ("Appointment", {"end": GONE}, ""),
    ("Schedule", {"actor": []}, "actor"),
    ("Schedule", {"planningHorizon": {"start": "2026-03-02", "end": "2026-03-01"}}, "planningHorizon"),
    ("Slot", {"start": "2026-03-02"}, "start"),
    ("Slot", {"schedule": "Schedule/li"}, "schedule"),
    ("Encounter", {"class": GONE}, "class"),
    ("Encounter", {"class": {"system": f"{HL7}v3-ActCode", "code": "HOUSE"}}, "class.code"),
    ("Encounter", {"statusHistory": [{"status": "finished"}]}, "statusHistory[0].period"),
    ("Observation", {"dataAbsentReason": {"text": "asleep"}}, ""),
    ("Observation", {"valueString": "six"}, "valueString"),
    ("Observation", {"valueQuantity.value": "6.1"}, "valueQuantity.value"),
    ("Observation", {"valueQuantity.code": "mmol per l"}, "valueQuantity.code"),
    ("Observation", {"code.coding": [{"system": "http://loinc.org", "code": "15074-9"}]}, "code.coding[0].code"),
    ("Observation", {"referenceRange": [{"type": {"text": "normal"}}]}, "referenceRange[0]"),
    ("Observation", {"modifierExtension": [ELSEWHERE]}, "modifierExtension[0]"),
    ("Observation", {"modifierExtension": [{"valueBoolean": True}]}, "modifierExtension[0].url"),
    (
        "Condition",
        {"clinicalStatus": {"coding": [{"system": f"{HL7}condition-clinical", "code": "x"}]}},
        "clinicalStatus",
    ),
    ("Condition", {"onsetAge": {"value": 70, "unit": "years"}}, "onsetAge"),
    ("Condition", {"abatementDateTime": "2026-02-30"}, "abatementDateTime"),
    ("CarePlan", {"activity": [{"detail": {"description": "walk"}}]}, "activity[0].detail.status"),
    ("CarePlan", {"goal": [{"reference": "Condition/1"}]}, "goal[0]"),
    ("Task", {"input": [{"type": {"text": "wound"}}]}, "input[0].value"),
    ("Task", {"restriction": {"repetitions": -1}}, "restriction.repetitions"),
    ("Consent", {"scope": GONE}, "scope"),
    ("Consent", {"provision": {"type": "allow"}}, "provision.type"),
    ("QuestionnaireResponse", {"item": [{"text": "How far?"}]}, "item[0].linkId"),
    (
        "QuestionnaireResponse",
        {"item": [{"linkId": "1", "answer": [{"valueCode": "a"}]}]},
        "item[0].answer[0].valueCode",
    ),
    ("QuestionnaireResponse", {"status": None}, "status"),
    ("Provenance", {"agent": [{"role": [{"text": "nurse"}]}]}, "agent[0].who"),
    ("Provenance", {"recorded": "2026-03-01"}, "recorded"),
    ("Provenance", {"target": {"reference": "Task/1"}}, "target"),
]


def _right() -> dict[str, dict[str, Any]]:
    spec = importlib.util.spec_from_file_location("fhir_cases", Path(__file__).with_name("cases.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {kind: {"resourceType": kind} | content for kind, content in module.BASE.items()}


def _changed(content: dict[str, Any], changes: dict[str, Any]) -> bytes:
    made = copy.deepcopy(content)
    for path, value in changes.items():
        *before, last = path.split(".")
        owner = made
        for name in before:
            owner = owner[name]
        if value is GONE:
            del owner[last]
        else:
            owner[last] = value
    return write(made)


def test_each_change_is_found_refused_and_named(care: Any, program: Any) -> None:
    gao, right = program("gao"), _right()
    served = {kind for kind, _changes, _named in CHANGES}
    assert len(served) == 14 and all(fhir.check(write(right[kind])).valid for kind in served)
    for kind, changes, name in CHANGES:
        body, named = _changed(right[kind], changes), f"{kind}.{name}".rstrip(".")
        report = fhir.check(body)
        assert named in [issue.expression for issue in report.issues if issue.grave], (kind, changes, report.issues)
        answer = gao.post(f"/{kind}", body)
        assert answer.status_code == 422, (kind, changes, answer.content)
        assert answer.content_read["resourceType"] == "OperationOutcome"
        assert named in [one for issue in answer.content_read["issue"] for one in issue.get("expression", ())]


def test_a_name_that_stands_twice(care: Any, program: Any) -> None:
    body = b'{"resourceType": "Patient", "active": true, "active": false}'
    answer = program("gao").post("/Patient", body)
    assert answer.status_code == 422
    assert answer.content_read["issue"][0]["expression"] == ["Patient.active"]
