"""Endpoints of home care: quality. A step of a row's address stands after it: it is tried by itself."""

from typing import Any

from django.utils import timezone

from tests.kernel.access.rights.shape import Row, Side

COMPLAINTS = "POST /api/homecare/quality/complaints/{int:complaint_id}/{step}"
ENTRIES = "POST /api/homecare/quality/entries/{int:bar_id}/{step}"
JUDGES = "homecare.decide homecare.regulate"


def words(_side: Side) -> Any:
    return {"words": "test"}


def happened(side: Side) -> Any:
    at = timezone.now().isoformat()
    return {"kind": "fall", "grade": 4, "happened_at": at, "what": "x", "visit": side["done_id"]}


ROWS: dict[str, Row] = {
    "GET /api/homecare/quality/figures": Row("homecare.figures", lists=True),
    "GET /api/homecare/quality/rules": Row("homecare.figures", lists=True),
    "GET /api/homecare/quality/ratings": Row("homecare.quality", lists=True),
    "PUT /api/homecare/quality/visits/{int:visit_id}/rating": Row("resident", lambda _s: {"stars": 4}),
    "GET /api/homecare/quality/complaints": Row("homecare.quality homecare.regulate", lists=True, mine=True),
    "POST /api/homecare/quality/complaints": Row(
        "resident", lambda s: {"patient": s["patient_id"], "kind": "care", "what": "x"}
    ),
    "GET /api/homecare/quality/complaints/{int:complaint_id}": Row("homecare.quality homecare.regulate", mine=True),
    f"{COMPLAINTS} acknowledge": Row("homecare.quality", words),
    f"{COMPLAINTS} answer": Row("homecare.quality", words),
    f"{COMPLAINTS} rule": Row("homecare.regulate", words),
    f"{COMPLAINTS} add": Row("resident", words),
    f"{COMPLAINTS} regulator": Row("resident", words, loose=True),
    f"{COMPLAINTS} accept": Row("resident", words, loose=True),
    f"{COMPLAINTS} withdraw": Row("resident", words),
    "GET /api/homecare/quality/incidents": Row("homecare.figures", lists=True),
    "POST /api/homecare/quality/incidents": Row("homecare.quality nurse", happened, loose=True),
    "POST /api/homecare/quality/incidents/{int:incident_id}/follow": Row("homecare.quality", words),
    "POST /api/homecare/quality/incidents/{int:incident_id}/close": Row(
        "homecare.quality", lambda _s: {"cause": "x", "measures": "x"}
    ),
    "GET /api/homecare/quality/refusals": Row("homecare.quality homecare.care", lists=True),
    "POST /api/homecare/quality/refusals": Row(
        "homecare.care", lambda s: {"patient": s["patient_id"], "code": "unsafe"}, loose=True, by_practice=True
    ),
    "DELETE /api/homecare/quality/refusals/{int:refusal_id}": Row("care_physician", mine=True, loose=True),
    "GET /api/homecare/quality/entries": Row("homecare.quality homecare.regulate", lists=True),
    "POST /api/homecare/quality/entries": Row(
        "homecare.quality",
        lambda s: {
            "patient": s["patient_id"],
            "code": "unsafe",
            "reason": "x",
            "days": 30,
            "refusals": [s["refusal_id"]],
        },
        loose=True,
    ),
    "POST /api/homecare/quality/entries/{int:bar_id}/decide": Row(
        "homecare.decide", lambda _s: {"enter": True}, loose=True
    ),
    f"{ENTRIES} lift": Row("homecare.decide", words),
    f"{ENTRIES} pause": Row(JUDGES, words, loose=True),
    f"{ENTRIES} resume": Row(JUDGES, words),
    f"{ENTRIES} appeal": Row("resident", words, loose=True),
    "POST /api/homecare/quality/appeals/{int:appeal_id}/judge": Row(
        JUDGES, lambda _s: {"granted": False, "words": "x"}
    ),
    "POST /api/homecare/quality/sanctions": Row(
        "homecare.quality",
        lambda s: {
            "practitioner": s["practitioner_id"],
            "reason": "x",
            "last_day": timezone.localdate().isoformat(),
        },
    ),
    "POST /api/homecare/quality/trace/{int:visit_id}": Row(
        "homecare.quality homecare.regulate", lambda _s: {"reason": "test"}
    ),
}
