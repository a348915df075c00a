"""Resources written from the text of R4: of each type two that are right and two that are wrong, each in its own way.

A wrong one names the element at which it is wrong.
"""

from decimal import Decimal
from typing import Any

HL7 = "http://terminology.hl7.org/CodeSystem/"
LI, WANG = {"reference": "Practitioner/li"}, {"reference": "Patient/wang"}
AT, TILL = "2026-03-02T09:00:00+08:00", "2026-03-02T10:00:00+08:00"


def one(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": f"{HL7}{system}", "code": code}]}


BASE: dict[str, dict[str, Any]] = {
    "Patient": {"name": [{"use": "official", "family": "王", "given": ["秀兰"]}], "gender": "female"},
    "Practitioner": {"name": [{"text": "李护士"}], "qualification": [{"code": {"text": "护师"}}]},
    "PractitionerRole": {"practitioner": LI, "active": True},
    "ServiceRequest": {"status": "active", "intent": "order", "subject": WANG, "code": {"text": "伤口换药"}},
    "Appointment": {
        "status": "booked",
        "start": AT,
        "end": TILL,
        "participant": [{"actor": WANG, "status": "accepted"}],
    },
    "Schedule": {"actor": [LI], "planningHorizon": {"start": "2026-03-01", "end": "2026-03-31"}},
    "Slot": {"schedule": {"reference": "Schedule/li"}, "status": "free", "start": AT, "end": TILL},
    "Encounter": {"status": "finished", "class": {"system": f"{HL7}v3-ActCode", "code": "HH"}, "subject": WANG},
    "Observation": {
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "15074-8"}]},
        "subject": WANG,
        "valueQuantity": {
            "value": Decimal("6.10"),
            "unit": "mmol/L",
            "system": "http://unitsofmeasure.org",
            "code": "mmol/L",
        },
    },
    "Condition": {"clinicalStatus": one("condition-clinical", "active"), "subject": WANG, "code": {"text": "糖尿病"}},
    "CarePlan": {"status": "active", "intent": "plan", "subject": WANG, "title": "血压管理"},
    "Task": {"status": "requested", "intent": "order", "for": WANG, "description": "量血压"},
    "Consent": {
        "status": "active",
        "scope": one("consentscope", "treatment"),
        "category": [{"text": "居家护理"}],
        "patient": WANG,
        "policyRule": {"text": "OPTIN"},
    },
    "QuestionnaireResponse": {
        "status": "completed",
        "subject": WANG,
        "item": [{"linkId": "1", "answer": [{"valueBoolean": True}]}],
    },
    "Provenance": {"target": [WANG], "recorded": AT, "agent": [{"who": LI}]},
}
RIGHT: dict[str, dict[str, Any]] = {
    "Patient": {
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": "urn:oid:2.16.156.10011.1.3"}],
        "birthDate": "1949-03",
        "deceasedDateTime": "2026-01-01T00:00:00.5Z",
        "multipleBirthInteger": 2,
        "_gender": {"id": "sex"},
        "contact": [{"relationship": [one("v2-0131", "N")], "telecom": [{"system": "phone", "value": "139"}]}],
        "link": [{"other": {"reference": "RelatedPerson/lan"}, "type": "seealso"}],
    },
    "Practitioner": {
        "birthDate": "1990",
        "communication": [{"coding": [{"system": "urn:ietf:bcp:47", "code": "zh-CN"}]}],
        "photo": [{"contentType": "image/png", "data": "iVBORw0K", "size": 6}],
        "extension": [{"url": "https://example.org/rank", "valueCodeableConcept": {"text": "主管护师"}}],
    },
    "PractitionerRole": {
        "availableTime": [{"daysOfWeek": ["mon", "fri"], "availableStartTime": "08:00:00"}],
        "telecom": [{"system": "email", "value": "li@example.org", "rank": 1}],
        "notAvailable": [{"description": "春节", "during": {"start": "2026-02-16", "end": "2026-02-22"}}],
    },
    "ServiceRequest": {
        "priority": "urgent",
        "doNotPerform": False,
        "occurrenceTiming": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "wk", "dayOfWeek": ["tue"]}},
        "asNeededBoolean": True,
        "orderDetail": [{"text": "无菌"}],
        "reasonReference": [{"reference": "Condition/foot"}],
    },
    "Appointment": {
        "status": "cancelled",
        "cancelationReason": {"text": "住院"},
        "minutesDuration": 60,
        "priority": 0,
        "participant": [{"type": [one("v3-ParticipationType", "ATND")], "required": "optional", "status": "declined"}],
    },
    "Schedule": {
        "actor": [{"reference": "HealthcareService/dressing"}, {"reference": "Location/home", "display": "家"}],
        "comment": "周末休息",
        "active": False,
    },
    "Slot": {"status": "busy-tentative", "overbooked": False, "appointmentType": one("v2-0276", "FOLLOWUP")},
    "Encounter": {
        "statusHistory": [{"status": "planned", "period": {"start": "2026-03-01"}}],
        "participant": [{"individual": LI, "period": {"start": AT, "end": TILL}}],
        "diagnosis": [{"condition": {"reference": "Condition/foot"}, "rank": 1}],
        "length": {"value": 55, "unit": "min", "system": "http://unitsofmeasure.org", "code": "min"},
    },
    "Observation": {
        "effectiveTiming": {"event": ["2026-03-02"]},
        "interpretation": [one("v3-ObservationInterpretation", "H")],
        "referenceRange": [{"low": {"value": Decimal("3.9")}, "high": {"value": Decimal("6.1")}}],
        "component": [{"code": {"text": "餐后"}, "dataAbsentReason": one("data-absent-reason", "not-performed")}],
        "note": [{"text": "空腹", "authorString": "李护士"}],
    },
    "Condition": {
        "clinicalStatus": one("condition-clinical", "resolved"),
        "verificationStatus": one("condition-ver-status", "confirmed"),
        "onsetAge": {"value": 70, "system": "http://unitsofmeasure.org", "code": "a"},
        "abatementString": "去年",
        "stage": [{"summary": {"text": "二期"}}],
        "evidence": [{"detail": [{"reference": "Observation/sugar"}]}],
    },
    "CarePlan": {
        "contained": [
            {
                "resourceType": "Goal",
                "id": "g",
                "lifecycleStatus": "active",
                "description": {"text": "低于 140/90"},
                "subject": WANG,
            }
        ],
        "goal": [{"reference": "#g"}],
        "activity": [{"detail": {"kind": "Task", "status": "scheduled", "scheduledString": "每天早上"}}],
    },
    "Task": {
        "status": "completed",
        "businessStatus": {"text": "已做"},
        "authoredOn": "2026-03-01",
        "lastModified": "2026-03-02T08:00:00+08:00",
        "input": [{"type": {"text": "袖带"}, "valueString": "大号"}],
        "output": [{"type": {"text": "收缩压"}, "valueInteger": 132}],
        "restriction": {"repetitions": 1},
    },
    "Consent": {
        "dateTime": "2026-03-02",
        "verification": [{"verified": True, "verifiedWith": WANG}],
        "provision": {"type": "permit", "data": [{"meaning": "instance", "reference": {"reference": "Task/1"}}]},
    },
    "QuestionnaireResponse": {
        "status": "amended",
        "questionnaire": "https://example.org/Questionnaire/braden|2",
        "authored": AT,
        "item": [
            {"linkId": "1", "answer": [{"valueCoding": {"system": "urn:x", "code": "3"}, "item": [{"linkId": "1.1"}]}]},
            {"linkId": "2", "item": [{"linkId": "2.1", "answer": [{"valueDecimal": Decimal("36.50")}]}]},
        ],
    },
    "Provenance": {
        "occurredPeriod": {"start": AT},
        "activity": one("v3-DataOperation", "CREATE"),
        "agent": [{"type": one("provenance-participant-type", "author"), "who": LI, "onBehalfOf": WANG}],
        "entity": [{"role": "source", "what": {"identifier": {"value": "病历 7"}}}],
    },
}
WRONG: dict[str, tuple[tuple[dict[str, Any], str], tuple[dict[str, Any], str]]] = {
    "Patient": (
        ({"birthDate": "1949-02-29"}, "Patient.birthDate"),
        ({"contact": [{"relationship": [{"text": "女儿"}]}]}, "Patient.contact[0]"),
    ),
    "Practitioner": (
        ({"qualification": [{"issuer": {"display": "卫健委"}}]}, "Practitioner.qualification[0].code"),
        ({"identifier": [{"use": "first", "value": "1"}]}, "Practitioner.identifier[0].use"),
    ),
    "PractitionerRole": (
        ({"availableTime": [{"daysOfWeek": ["monday"]}]}, "PractitionerRole.availableTime[0].daysOfWeek[0]"),
        ({"organization": {"reference": "Location/1"}}, "PractitionerRole.organization"),
    ),
    "ServiceRequest": (
        ({"code": None, "orderDetail": [{"text": "x"}]}, "ServiceRequest"),
        ({"occurrenceTiming": {"repeat": {"frequency": 0}}}, "ServiceRequest.occurrenceTiming.repeat.frequency"),
    ),
    "Appointment": (
        ({"end": None}, "Appointment"),
        ({"participant": [{"actor": WANG, "status": "yes"}]}, "Appointment.participant[0].status"),
    ),
    "Schedule": (
        ({"actor": [{"reference": "Organization/1"}]}, "Schedule.actor[0]"),
        ({"planningHorizon": {"start": "2026-04-01", "end": "2026-03-01"}}, "Schedule.planningHorizon"),
    ),
    "Slot": (
        ({"start": "2026-03-02T09:00:00"}, "Slot.start"),
        ({"schedule": "Schedule/li"}, "Slot.schedule"),
    ),
    "Encounter": (
        ({"class": {"system": f"{HL7}v3-ActCode", "code": "HOMEVISIT"}}, "Encounter.class.code"),
        ({"period": [{"start": AT}]}, "Encounter.period"),
    ),
    "Observation": (
        ({"dataAbsentReason": {"text": "x"}}, "Observation"),
        ({"valueString": "6.1"}, "Observation.valueString"),
    ),
    "Condition": (
        ({"verificationStatus": one("condition-ver-status", "entered-in-error")}, "Condition"),
        ({"clinicalStatus": {"text": "active"}}, "Condition.clinicalStatus"),
    ),
    "CarePlan": (
        ({"goal": [{"reference": "#none"}]}, "CarePlan.goal[0].reference"),
        (
            {"activity": [{"reference": {"reference": "Task/1"}, "detail": {"status": "scheduled"}}]},
            "CarePlan.activity[0]",
        ),
    ),
    "Task": (
        ({"authoredOn": "2026-03-02", "lastModified": "2026-03-01"}, "Task"),
        ({"input": [{"type": {"text": "x"}, "value": "y"}]}, "Task.input[0].value"),
    ),
    "Consent": (
        ({"policyRule": None}, "Consent"),
        ({"provision": {"type": "allow"}}, "Consent.provision.type"),
    ),
    "QuestionnaireResponse": (
        (
            {"item": [{"linkId": "1", "answer": [{"valueCode": "x"}]}]},
            "QuestionnaireResponse.item[0].answer[0].valueCode",
        ),
        ({"item": [{"text": "?"}]}, "QuestionnaireResponse.item[0].linkId"),
    ),
    "Provenance": (
        ({"recorded": "2026-03-02"}, "Provenance.recorded"),
        ({"entity": [{"role": "copy", "what": WANG}]}, "Provenance.entity[0].role"),
    ),
}


def made(kind: str, changes: dict[str, Any]) -> dict[str, Any]:
    content = {"resourceType": kind} | BASE[kind] | changes
    return {name: value for name, value in content.items() if value is not None}


def cases() -> list[tuple[str, dict[str, Any], str]]:
    """Type, resource, and where it is wrong ("" where it is right)."""
    found = [(kind, made(kind, {}), "") for kind in BASE]
    found += [(kind, made(kind, changes), "") for kind, changes in RIGHT.items()]
    return found + [(kind, made(kind, changes), where) for kind, two in WRONG.items() for changes, where in two]
