"""Endpoints of home care: register, assessment, care plans."""

import io
from uuid import uuid4

from PIL import Image

from tests.kernel.access.rights.shape import Row, Side, reason

SEEN = "homecare.patients homecare.care"
"""Whoever cares for a patient sees them: the coordinator by the right, a nurse by the practice."""

CARE = {
    "name": "新",
    "name_en": "New",
    "duration_minutes": 30,
    "price": 100,
    "consent": "x",
    "consent_en": "x",
    "instruments": ["morse"],
}
PLAN = {"condition": "hypertension", "guideline": "hypertension-primary-2019"}


def reading(_side: Side) -> object:
    return {"id": str(uuid4()), "kind": "blood_pressure", "values": {"systolic": 130, "diastolic": 80}}


def face(_side: Side) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (240, 240)).save(out, "PNG")
    return out.getvalue()


ROWS: dict[str, Row] = {
    "GET /api/homecare/register/institutions": Row("homecare.view", lists=True),
    "POST /api/homecare/register/institutions": Row(
        "homecare.manage",
        lambda s: {
            "organisation": s["clinic_id"],
            "place": s["place_id"],
            "licence_number": "new",
            "licence_last_day": "2099-01-01",
        },
    ),
    "GET /api/homecare/register/services": Row("homecare.view", lists=True),
    "POST /api/homecare/register/services": Row(
        "homecare.manage", lambda s: {"institution": s["institution_id"], "code": "new", "version": CARE}
    ),
    "GET /api/homecare/register/services/{int:service_id}/versions": Row("homecare.view"),
    "POST /api/homecare/register/services/{int:service_id}/versions": Row(
        "homecare.manage", lambda _s: CARE | {"since": "2099-01-01"}
    ),
    "POST /api/homecare/register/services/{int:service_id}/close": Row("homecare.manage", reason),
    "GET /api/homecare/register/practitioners": Row("homecare.view", lists=True),
    "POST /api/homecare/register/practitioners": Row(
        "homecare.manage",
        lambda s: {
            "institution": s["institution_id"],
            "name": s["nurse_name"],
            "phone": "13700000009",
            "profession": "nurse",
            "rank": 2,
            "licence_number": "new",
            "licence_last_day": "2099-01-01",
            "clinical_since": "2010-01-01",
        },
    ),
    "GET /api/homecare/register/practitioners/{int:practitioner_id}": Row("homecare.view"),
    "PATCH /api/homecare/register/practitioners/{int:practitioner_id}": Row(
        "homecare.manage", lambda _s: {"radius": 3000}
    ),
    "POST /api/homecare/register/practitioners/{int:practitioner_id}/verify": Row(
        "homecare.manage", lambda _s: {"source": "test"}
    ),
    "POST /api/homecare/register/practitioners/{int:practitioner_id}/suspend": Row("homecare.manage", reason),
    "POST /api/homecare/register/practitioners/{int:practitioner_id}/resume": Row(
        "homecare.manage", reason, loose=True
    ),
    "POST /api/homecare/register/practitioners/{int:practitioner_id}/shifts": Row(
        "homecare.manage", lambda _s: {"recurrence": "FREQ=DAILY", "opens": "08:00", "closes": "09:00"}
    ),
    # Staff, and those who get care from the institution.
    "GET /api/homecare/register/practitioners/{int:practitioner_id}/portrait": Row("homecare.view resident"),
    "PUT /api/homecare/register/practitioners/{int:practitioner_id}/portrait": Row("homecare.manage nurse", face),
    "DELETE /api/homecare/register/practitioners/{int:practitioner_id}/portrait": Row("homecare.manage nurse"),
    "GET /api/homecare/register/patients": Row(SEEN, lists=True),
    "POST /api/homecare/register/patients": Row(
        "homecare.patients",
        lambda s: {"institution": s["institution_id"], "name": s["nurse_name"], "phone": "13700000009"},
    ),
    "GET /api/homecare/register/patients/{int:patient_id}": Row(SEEN),
    "POST /api/homecare/register/patients/{int:patient_id}/look": Row(SEEN, reason),
    "PATCH /api/homecare/register/patients/{int:patient_id}": Row(SEEN, lambda _s: {"access": "x"}),
    "PUT /api/homecare/register/patients/{int:patient_id}/nurses": Row(
        "homecare.patients", lambda s: {"practitioners": [s["practitioner_id"]]}
    ),
    "POST /api/homecare/register/patients/{int:patient_id}/end": Row("homecare.patients", reason),
    "GET /api/homecare/assessment/instruments": Row("homecare.view own.care", lists=True, own=True),
    "GET /api/homecare/assessment/assessments": Row(SEEN, lists=True),
    "POST /api/homecare/assessment/assessments": Row(
        SEEN, lambda s: {"patient": s["patient_id"], "service": s["service_id"]}, loose=True
    ),
    "GET /api/homecare/assessment/assessments/{int:assessment_id}": Row(SEEN),
    "PUT /api/homecare/assessment/responses/{int:response_id}": Row(SEEN, lambda _s: {"answers": {"gait": 10}}),
    "POST /api/homecare/assessment/assessments/{int:assessment_id}/decide": Row(
        "homecare.assess", lambda _s: {"decision": "visit", "reason": "test"}, loose=True
    ),
    "POST /api/homecare/assessment/assessments/{int:assessment_id}/cancel": Row(SEEN, reason),
    "GET /api/homecare/assessment/patients/{int:patient_id}/who/{int:service_id}": Row(SEEN),
    "GET /api/homecare/careplans/guidelines": Row("homecare.chronic own.care", lists=True, own=True),
    "GET /api/homecare/careplans/plans": Row("homecare.chronic", lists=True),
    "POST /api/homecare/careplans/plans": Row(
        "homecare.plan",
        lambda s: {"patient": s["patient_id"], "condition": "diabetes", "guideline": "diabetes-primary-2022"},
        by_practice=True,
    ),
    "GET /api/homecare/careplans/plans/{int:plan_id}": Row("homecare.chronic", mine=True),
    "PUT /api/homecare/careplans/plans/{int:plan_id}": Row(
        "homecare.plan", lambda _s: PLAN | {"version": 1}, by_practice=True
    ),
    "POST /api/homecare/careplans/plans/{int:plan_id}/end": Row("homecare.plan", reason, by_practice=True),
    "POST /api/homecare/careplans/plans/{int:plan_id}/follow-ups": Row(
        "homecare.plan", lambda _s: {"way": "home", "adherence": "regular", "found": "x"}, by_practice=True
    ),
    "POST /api/homecare/careplans/plans/{int:plan_id}/handovers": Row("homecare.plan", reason, loose=True),
    "GET /api/homecare/careplans/patients/{int:patient_id}/readings": Row("homecare.chronic", mine=True),
    "POST /api/homecare/careplans/patients/{int:patient_id}/readings": Row(
        "homecare.plan", reading, mine=True, by_practice=True
    ),
    "POST /api/homecare/careplans/readings/{uuid:reading_id}/void": Row(
        "homecare.plan", reason, mine=True, by_practice=True
    ),
    "GET /api/homecare/careplans/findings": Row("homecare.chronic", lists=True),
    "POST /api/homecare/careplans/findings/{int:finding_id}/take": Row("homecare.chronic"),
    "POST /api/homecare/careplans/findings/{int:finding_id}/close": Row("homecare.chronic", reason),
    "GET /api/homecare/careplans/handovers/{int:handover_id}": Row("homecare.chronic"),
    "POST /api/homecare/careplans/handovers/{int:handover_id}/accept": Row(
        "homecare.doctor", lambda _s: {}, by_practice=True
    ),
    "POST /api/homecare/careplans/handovers/{int:handover_id}/answer": Row(
        "homecare.doctor", lambda _s: {"answer": "x", "refuse": True}, by_practice=True
    ),
    "POST /api/homecare/careplans/handovers/{int:handover_id}/withdraw": Row(
        "homecare.plan", lambda _s: {}, by_practice=True
    ),
    "POST /api/homecare/careplans/patients/{int:patient_id}/devices": Row(
        "homecare.plan", lambda s: {"device": s["sensor_code"]}, by_practice=True
    ),
    "POST /api/homecare/careplans/devices/{int:binding_id}/release": Row("homecare.plan", by_practice=True),
}
