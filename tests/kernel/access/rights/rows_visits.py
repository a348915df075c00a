"""Endpoints of home care that stand on visits: booking, encounters."""

from typing import Any
from uuid import uuid4

from django.utils import timezone

from tests.kernel.access.rights.rows_homecare import SEEN
from tests.kernel.access.rights.shape import Row, Side, reason


def phone(side: Side) -> Any:
    return {"device": side["phone"]}


def lines(side: Side) -> Any:
    """One line of a visit, the next that the nurse's phone has for it."""
    now = timezone.now().isoformat()
    line = {"id": str(uuid4()), "visit": side["visit_id"], "sequence": side["next_line"], "kind": "vitals", "at": now,
            "content": {"values": {"pulse": 70}}}  # fmt: skip
    return {"device": side["phone"], "sent_at": now, "lines": [line]}


def press(side: Side) -> Any:
    return {"id": str(uuid4()), "pressed_at": timezone.now().isoformat(), "visit": side["visit_id"]}


def times(side: Side) -> Any:
    """The two days in which somebody can come, for the service that can be booked."""
    return {"since": side["times_since"], "until": side["times_until"]}


def asked(side: Side) -> Any:
    return {
        "patient": side["patient_id"],
        "service": side["bookable_id"],
        "prescription": side["prescription_id"],
    }


def prescribed(side: Side) -> Any:
    text = dict.fromkeys(("drug", "dose", "prescriber", "hospital"), "x")
    today = timezone.localdate().isoformat()
    return asked(side) | text | {"issued_on": today, "last_day": today}


ROWS: dict[str, Row] = {
    "GET /api/homecare/encounters/bundle": Row("homecare.care", query=phone, lists=True, by_practice=True),
    "POST /api/homecare/encounters/sync": Row("nurse", lines, batch=True),
    "GET /api/homecare/encounters/sync/open": Row("homecare.care", query=phone, lists=True),
    "GET /api/homecare/encounters/media/{uuid:photo_id}": Row("nurse"),
    "PUT /api/homecare/encounters/media/{uuid:photo_id}/{int:offset}": Row("nurse", lambda _s: b"x"),
    # Whoever gives care calls for help, and it comes to where they are sent; naming another's visit changes nothing.
    "POST /api/homecare/encounters/sos": Row("homecare.care", press, lists=True, by_practice=True),
    "POST /api/homecare/encounters/sos/{uuid:sos_id}/position": Row(
        "nurse", lambda _s: {"longitude": 123.4, "latitude": 41.8, "at": timezone.now().isoformat()}
    ),
    "POST /api/homecare/encounters/phone": Row("nurse", lambda _s: {"device": str(uuid4())}, lists=True),
    # The phone's own: no session and no API token opens them.
    "GET /api/homecare/encounters/phone/standing": Row("phone"),
    "POST /api/homecare/encounters/phone/sync": Row("phone", lines),
    "GET /api/homecare/encounters/phone/media/{uuid:photo_id}": Row("phone"),
    "PUT /api/homecare/encounters/phone/media/{uuid:photo_id}/{int:offset}": Row("phone", lambda _s: b"x"),
    "POST /api/homecare/encounters/phone/sos": Row("phone", press),
    "POST /api/homecare/encounters/phone/sos/{uuid:sos_id}/position": Row(
        "phone", lambda _s: {"longitude": 123.4, "latitude": 41.8, "at": timezone.now().isoformat()}
    ),
    "GET /api/homecare/encounters/encounters": Row(SEEN, lists=True),
    "GET /api/homecare/encounters/encounters/{int:encounter_id}": Row(SEEN, query=reason),
    "GET /api/homecare/encounters/encounters/{int:encounter_id}/photos/{uuid:photo_id}": Row(SEEN),
    "POST /api/homecare/encounters/encounters/{int:encounter_id}/addenda": Row(
        "homecare.care", lambda _s: {"text": "test"}, by_practice=True
    ),
    "GET /api/homecare/encounters/operations": Row(SEEN, lists=True),
    "POST /api/homecare/encounters/operations/{uuid:operation_id}/settle": Row(
        "homecare.patients nurse", lambda _s: {"note": "test"}
    ),
    "GET /api/homecare/visits/slots": Row("homecare.patients", query=lambda s: asked(s) | times(s), mine=True),
    "GET /api/homecare/visits/visits": Row(SEEN, lists=True, mine=True),
    "POST /api/homecare/visits/visits": Row(
        "homecare.patients",
        lambda s: asked(s) | {"start": s["free_time"], "consent": s["consent_id"]},
        mine=True,
    ),
    "GET /api/homecare/visits/visits/{int:visit_id}": Row(SEEN, mine=True),
    "GET /api/homecare/visits/visits/{int:visit_id}/cost": Row("homecare.patients", mine=True),
    "GET /api/homecare/visits/visits/{int:visit_id}/objections": Row(SEEN),
    "POST /api/homecare/visits/visits/{int:visit_id}/cancel": Row("homecare.patients", reason, mine=True),
    "GET /api/homecare/visits/visits/{int:visit_id}/slots": Row("homecare.patients", query=times, mine=True),
    "POST /api/homecare/visits/visits/{int:visit_id}/move": Row(
        "homecare.patients", lambda s: {"start": s["free_time"]}, mine=True
    ),
    "POST /api/homecare/visits/visits/{int:visit_id}/pay": Row(
        "homecare.patients", lambda _s: {"provider": "at_visit"}, mine=True, loose=True
    ),
    "POST /api/homecare/visits/visits/{int:visit_id}/cash": Row(
        "homecare.patients nurse", lambda _s: {"reference": "x"}
    ),
    "GET /api/homecare/visits/visits/{int:visit_id}/receipt": Row("homecare.patients", mine=True, loose=True),
    "GET /api/homecare/visits/prescriptions": Row(SEEN, lists=True, mine=True),
    "POST /api/homecare/visits/prescriptions": Row(SEEN, prescribed, mine=True),
    "GET /api/homecare/visits/prescriptions/{int:prescription_id}/written": Row(SEEN, mine=True),
    "POST /api/homecare/visits/prescriptions/{int:prescription_id}/check": Row(SEEN),
    "POST /api/homecare/visits/prescriptions/{int:prescription_id}/revoke": Row(SEEN, reason),
    "PUT /api/homecare/visits/institutions/{int:institution_id}/rules": Row("homecare.manage", lambda _s: {}),
    "POST /api/homecare/visits/services/{int:service_id}/open": Row("homecare.manage"),
    "POST /api/homecare/visits/services/{int:service_id}/close": Row("homecare.manage"),
}
