"""Role × endpoint × foreign place: every endpoint of the URL map has a row, and every role of home is refused abroad.

A new API operation fails `test_every_endpoint_has_a_row` until it is declared in ROWS; a page whose address has an
argument that SIDE does not know fails until it is declared there. Everybody here has a role in the compound "home";
everything in the compound "foreign" has FOREIGN in its name.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from shoufu.kernel.access import services as access
from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.access.services import RoleDraft, UserDraft
from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base import registry
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.booking import services as booking
from shoufu.kernel.booking.models import WaitingEntry
from shoufu.kernel.cases.models import Case
from shoufu.kernel.devices import services as devices
from shoufu.kernel.doors import services as doors
from shoufu.kernel.evidence.models import Export
from shoufu.kernel.imports import services as imports
from shoufu.kernel.media.models import MediaObject, Segment
from shoufu.kernel.parties import services as parties
from shoufu.kernel.parties.models import Departure
from shoufu.kernel.payments import services as payments
from shoufu.kernel.payments.models import Difference
from shoufu.kernel.places import services as places
from shoufu.kernel.places.services import PlaceDraft
from shoufu.kernel.privacy.models import Delegation
from shoufu.kernel.referrals import services as referrals
from shoufu.kernel.rules.models import Rehearsal, Rule, RuleVersion
from shoufu.scenes.community.patrols import services as patrols
from shoufu.scenes.community.patrols.models import Round
from shoufu.scenes.community.resident.models import Contact
from shoufu.scenes.community.vehicles import services as vehicles
from shoufu.scenes.community.vehicles.models import Passage
from shoufu.scenes.community.vehicles.services import EntryDraft, LaneDraft, ParkingDraft
from shoufu.scenes.community.visitors.models import Invitation
from shoufu.scenes.community.welfare.models import Check, Sensor, Watch
from shoufu.scenes.homecare.assessment import services as assessments
from shoufu.scenes.homecare.register import services as homecare

pytestmark = pytest.mark.django_db
FOREIGN = "FOREIGN-SECRET"
REFUSED = {400, 401, 403, 404, 405, 409, 422}
Body = Callable[["Side"], Any]


@dataclass
class Side:
    """One compound with one thing of each kind; `ids` by the names that addresses use for them."""

    tag: str
    ids: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.ids[name]


@dataclass(frozen=True)
class Row:
    """Which right an operation needs ("" = being signed in), a good body, and whether it is a list, one's own affair,
    or (`loose`) may also refuse because of the state the thing is in."""

    right: str
    body: Body | None = None
    query: Body | None = None
    lists: bool = False
    own: bool = False
    loose: bool = False


PROPOSAL = {"pointer": "/cooldown"}


def reason(_side: Side) -> Any:
    return {"reason": "test"}


def version(_side: Side) -> Any:
    return {"version": 1}


RULE = {"kinds": ["door.state"], "pattern": {"type": "match"}}

TERMS = {"duration_minutes": 60}

CARE = {
    "name": "新",
    "name_en": "New",
    "duration_minutes": 30,
    "price": 100,
    "consent": "x",
    "consent_en": "x",
    "instruments": ["morse"],
}


def span(side: "Side") -> Any:
    return {"offering": side["offering_id"], "since": side["slot"], "until": side["slot_end"]}


ROWS: dict[str, Row] = {
    "GET /api/payments/orders": Row("payments.view", lists=True),
    "GET /api/payments/mine": Row("", lists=True),
    "POST /api/payments/orders": Row(
        "payments.order",
        lambda s: {
            "place": s["place_id"],
            "institution": s["organisation_id"],
            "title": "test",
            "lines": [{"title": "test", "unit_minor": 100}],
        },
    ),
    "GET /api/payments/orders/{int:order_id}": Row("payments.view"),
    "GET /api/payments/orders/{int:order_id}/ledger": Row("payments.view"),
    "POST /api/payments/orders/{int:order_id}/issue": Row("payments.order", loose=True),
    "POST /api/payments/orders/{int:order_id}/pay": Row(
        "payments.order", lambda _s: {"provider": "wechat"}, loose=True
    ),
    "POST /api/payments/orders/{int:order_id}/confirm": Row(
        "payments.confirm", lambda _s: {"amount_minor": 100, "reference": "x"}, loose=True
    ),
    "POST /api/payments/orders/{int:order_id}/cancel": Row("payments.order", reason, loose=True),
    "POST /api/payments/orders/{int:order_id}/performer": Row(
        "payments.order", lambda s: {"person": s["person_id"]}, loose=True
    ),
    "POST /api/payments/orders/{int:order_id}/refunds": Row(
        "payments.refund", lambda _s: {"amount_minor": 1, "reason": "x"}, loose=True
    ),
    "POST /api/payments/orders/{int:order_id}/insurance": Row(
        "payments.confirm", lambda _s: {"amount_minor": 1, "reference": "x"}, loose=True
    ),
    "POST /api/payments/orders/{int:order_id}/insurance-return": Row(
        "payments.confirm", lambda _s: {"amount_minor": 1, "reference": "x"}, loose=True
    ),
    "POST /api/payments/refunds/{int:refund_id}/confirm": Row("payments.confirm", lambda _s: {"reference": "x"}),
    "GET /api/payments/differences": Row("payments.view", lists=True),
    "POST /api/payments/differences/{int:difference_id}/resolve": Row(
        "payments.reconcile", lambda _s: {"resolution": "explained", "reason": "x"}
    ),
    "GET /api/payments/settlements": Row("payments.settle", lists=True),
    "POST /api/payments/settlements": Row(
        "payments.settle",
        lambda s: {"institution": s["organisation_id"], "since": "2026-01-01", "until": "2026-01-02"},
        loose=True,
    ),
    "POST /api/payments/settlements/{int:settlement_id}/confirm": Row("payments.settle"),
    "POST /api/payments/settlements/{int:settlement_id}/drop": Row("payments.settle"),
    "POST /api/payments/settlements/{int:settlement_id}/pay": Row(
        "payments.settle", lambda _s: {"reference": "x"}, loose=True
    ),
    "POST /api/payments/shares": Row(
        "payments.settle",
        lambda s: {
            "institution": s["organisation_id"],
            "since": "2026-01-01",
            "shares": [{"payee": "institution", "points": 10_000}],
        },
    ),
    "GET /api/booking/offerings": Row("booking.book", lists=True),
    "POST /api/booking/offerings": Row(
        "booking.manage",
        lambda s: {
            "code": "new",
            "place": s["place_id"],
            "name": "新",
            "terms": TERMS,
            "requirements": [{"resources": [s["resource_id"]]}],
        },
    ),
    "GET /api/booking/offerings/{int:offering_id}": Row("booking.book"),
    "PUT /api/booking/offerings/{int:offering_id}/terms": Row("booking.manage", lambda _s: TERMS),
    "PUT /api/booking/offerings/{int:offering_id}/requirements": Row(
        "booking.manage", lambda s: [{"resources": [s["resource_id"]]}]
    ),
    "POST /api/booking/offerings/{int:offering_id}/close": Row("booking.manage", lambda _s: {}),
    "GET /api/booking/offerings/{int:offering_id}/slots": Row(
        "booking.book", query=lambda s: {"since": s["slot"], "until": s["slot_end"]}
    ),
    "GET /api/booking/resources": Row("booking.view", lists=True),
    "POST /api/booking/resources": Row(
        "booking.manage", lambda s: [{"code": "new", "kind": "room", "name": "新", "place": s["place_id"]}]
    ),
    "GET /api/booking/resources/{int:resource_id}": Row("booking.view"),
    "POST /api/booking/resources/{int:resource_id}/rules": Row(
        "booking.manage", lambda _s: {"recurrence": "FREQ=DAILY", "opens": "08:00", "closes": "09:00"}
    ),
    "DELETE /api/booking/resources/rules/{int:availability_rule_id}": Row("booking.manage"),
    "POST /api/booking/resources/{int:resource_id}/overrides": Row(
        "booking.manage", lambda s: {"starts_at": s["slot"], "ends_at": s["slot_end"]}
    ),
    "DELETE /api/booking/resources/overrides/{int:override_id}": Row("booking.manage"),
    "POST /api/booking/resources/{int:resource_id}/retire": Row("booking.manage", loose=True),
    "GET /api/booking/bookings": Row("booking.view", lists=True),
    "POST /api/booking/bookings": Row("booking.book", lambda s: {"offering": s["offering_id"], "start": s["slot"]}),
    "GET /api/booking/bookings/{int:booking_id}": Row("booking.view"),
    "GET /api/booking/bookings/{int:booking_id}/history": Row("booking.view"),
    "GET /api/booking/bookings/{int:booking_id}/charge": Row("booking.view"),
    "POST /api/booking/bookings/{int:booking_id}/confirm": Row("booking.handle", version),
    "POST /api/booking/bookings/{int:booking_id}/cancel": Row("booking.handle", version),
    "POST /api/booking/bookings/{int:booking_id}/reschedule": Row(
        "booking.handle", lambda s: {"start": s["slot"]}, loose=True
    ),
    "POST /api/booking/bookings/{int:booking_id}/complete": Row("booking.handle", version, loose=True),
    "POST /api/booking/bookings/{int:booking_id}/no-show": Row("booking.handle", version, loose=True),
    "GET /api/booking/waiting": Row("booking.view", lists=True),
    "POST /api/booking/waiting": Row("booking.book", span, loose=True),
    "POST /api/booking/waiting/{int:waiting_entry_id}/withdraw": Row("booking.handle"),
    "GET /api/referrals": Row("referrals.view", lists=True),
    "POST /api/referrals": Row(
        "referrals.send",
        lambda s: {"case": s["case_id"], "destination": s["destination_id"], "reason": "test"},
        loose=True,
    ),
    "GET /api/referrals/destinations": Row("referrals.view", lists=True),
    "GET /api/referrals/inbox": Row("referrals.receive", lists=True),
    "GET /api/referrals/{int:referral_id}": Row("referrals.view"),
    "POST /api/referrals/{int:referral_id}/withdraw": Row("referrals.send", reason),
    "POST /api/referrals/{int:referral_id}/receive": Row("referrals.receive", version, loose=True),
    "POST /api/referrals/{int:referral_id}/accept": Row("referrals.receive", version, loose=True),
    "POST /api/referrals/{int:referral_id}/refuse": Row("referrals.receive", lambda s: {"text": "test"}, loose=True),
    "POST /api/referrals/{int:referral_id}/outcome": Row(
        "referrals.receive", lambda s: {"outcome": "handled", "text": "test"}, loose=True
    ),
    "GET /api/imports": Row("parties.manage", lists=True),
    "GET /api/imports/kinds": Row("parties.manage", own=True),
    "POST /api/imports": Row("parties.manage", loose=True),
    "GET /api/imports/{int:import_id}": Row("parties.manage"),
    "GET /api/imports/{int:import_id}/preview": Row("parties.manage"),
    "PUT /api/imports/{int:import_id}/columns": Row("parties.manage", lambda _s: {"mapping": {"name": 0}}),
    "POST /api/imports/{int:import_id}/apply": Row("parties.manage", loose=True),
    "POST /api/imports/{int:import_id}/drop": Row("parties.manage"),
    "POST /api/imports/{int:import_id}/undo": Row("parties.manage", reason, loose=True),
    "GET /api/community/vehicles/passages": Row("vehicles.view", lists=True),
    "GET /api/community/vehicles/passages/{int:passage_id}": Row("vehicles.view"),
    "POST /api/community/vehicles/passages/{int:passage_id}/answer": Row(
        "vehicles.guard", lambda _s: {"let_in": False}, loose=True
    ),
    "GET /api/community/vehicles/lists": Row("vehicles.view", lists=True),
    "POST /api/community/vehicles/lists": Row(
        "vehicles.guard",
        lambda s: {
            "plate": "辽B54321",
            "place": s["place_id"],
            "list": "visitor",
            "purpose": "test",
            "until": (timezone.now() + timedelta(1)).isoformat(),
        },
    ),
    "POST /api/community/vehicles/lists/revoke": Row(
        "vehicles.guard", lambda s: {"ids": [s["list_entry_id"]], "reason": "test"}
    ),
    "GET /api/community/vehicles/stays": Row("vehicles.view", lists=True),
    "GET /api/community/vehicles/parking": Row("vehicles.view", lists=True),
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
    "GET /api/homecare/register/patients": Row("homecare.patients", lists=True),
    "POST /api/homecare/register/patients": Row(
        "homecare.patients",
        lambda s: {"institution": s["institution_id"], "name": s["nurse_name"], "phone": "13700000009"},
    ),
    "GET /api/homecare/register/patients/{int:patient_id}": Row("homecare.patients"),
    "POST /api/homecare/register/patients/{int:patient_id}/look": Row("homecare.patients", reason),
    "PATCH /api/homecare/register/patients/{int:patient_id}": Row("homecare.patients", lambda _s: {"access": "x"}),
    "PUT /api/homecare/register/patients/{int:patient_id}/nurses": Row(
        "homecare.patients", lambda s: {"practitioners": [s["practitioner_id"]]}
    ),
    "POST /api/homecare/register/patients/{int:patient_id}/end": Row("homecare.patients", reason),
    "GET /api/homecare/assessment/instruments": Row("homecare.view", lists=True, own=True),
    "GET /api/homecare/assessment/assessments": Row("homecare.patients", lists=True),
    "POST /api/homecare/assessment/assessments": Row(
        "homecare.patients", lambda s: {"patient": s["patient_id"], "service": s["service_id"]}, loose=True
    ),
    "GET /api/homecare/assessment/assessments/{int:assessment_id}": Row("homecare.patients"),
    "PUT /api/homecare/assessment/responses/{int:response_id}": Row(
        "homecare.patients", lambda _s: {"answers": {"gait": 10}}
    ),
    "POST /api/homecare/assessment/assessments/{int:assessment_id}/decide": Row(
        "homecare.assess", lambda _s: {"decision": "visit", "reason": "test"}, loose=True
    ),
    "POST /api/homecare/assessment/assessments/{int:assessment_id}/cancel": Row("homecare.patients", reason),
    "GET /api/homecare/assessment/patients/{int:patient_id}/who/{int:service_id}": Row("homecare.patients"),
    "GET /api/evidence": Row("evidence.export", lists=True),
    "GET /api/evidence/key": Row("", own=True),
    "POST /api/evidence": Row(
        "evidence.export", lambda s: {"case": s["case_id"], "recipient": "test", "reason": "test"}, loose=True
    ),
    "GET /api/evidence/{int:export_id}": Row("evidence.export"),
    "GET /api/places": Row("places.view", lists=True),
    "POST /api/places": Row(
        "places.manage", lambda s: [{"kind": "area", "code": "new", "name": "新", "parent": f"{s.tag}-compound"}]
    ),
    "GET /api/places/tree": Row("places.view", query=lambda s: {"root": s["place_id"]}),
    "GET /api/places/geojson": Row("places.view", query=lambda s: {"root": s["place_id"]}),
    "GET /api/places/search": Row("places.view", query=lambda s: {"text": s.tag}, lists=True),
    "GET /api/places/{int:place_id}": Row("places.view"),
    "GET /api/places/{int:place_id}/ancestors": Row("places.view"),
    "POST /api/places/{int:place_id}/rename": Row("places.manage", lambda s: {"name": "新名"}),
    "POST /api/places/{int:place_id}/shape": Row("places.manage", lambda s: {"longitude": 123.4, "latitude": 41.8}),
    "POST /api/places/{int:place_id}/move": Row("places.manage", lambda s: {"parent": s["area_id"]}, loose=True),
    "POST /api/places/{int:place_id}/close": Row("places.manage", reason, loose=True),
    "POST /api/places/{int:place_id}/reopen": Row("places.manage"),
    "GET /api/devices": Row("devices.view", lists=True),
    "POST /api/devices": Row(
        "devices.manage", lambda s: [{"code": "new", "kind": "sensor", "name": "新", "place": s["place_id"]}]
    ),
    "GET /api/devices/health": Row("devices.view", query=lambda s: {"path": s["path"]}, lists=True),
    "GET /api/devices/states": Row("devices.view", query=lambda s: {"path": s["path"]}, lists=True),
    "GET /api/devices/{int:device_id}": Row("devices.view"),
    "POST /api/devices/{int:device_id}/change": Row("devices.manage", lambda s: {"version": 1, "name": "新"}),
    "PUT /api/devices/{int:device_id}/config": Row("devices.manage", lambda s: {"version": 1, "config": {}}),
    "POST /api/devices/{int:device_id}/rotate-secret": Row("devices.manage"),
    "POST /api/devices/{int:device_id}/retire": Row("devices.manage", reason),
    "GET /api/devices/{int:device_id}/shadow": Row("devices.view"),
    "PATCH /api/devices/{int:device_id}/shadow": Row("devices.command", lambda s: {"patch": {"mode": "night"}}),
    "GET /api/devices/{int:device_id}/commands": Row("devices.view"),
    "POST /api/devices/{int:device_id}/commands": Row("devices.command", lambda s: {"name": "open", "reason": "x"}),
    "GET /api/observations": Row("observations.view", query=lambda s: {"path": s["path"]}, lists=True),
    "GET /api/observations/kinds": Row("", own=True),
    "GET /api/observations/hourly": Row(
        "observations.view",
        query=lambda s: {"path": s["path"], "since": "2026-11-01T00:00:00Z", "until": "2026-12-01T00:00:00Z"},
        lists=True,
    ),
    "GET /api/parties/people": Row("parties.view", lists=True),
    "POST /api/parties/people": Row("parties.manage", lambda s: [{"name": "新人", "place": s["place_id"]}]),
    "POST /api/parties/people/search": Row("parties.view", lambda s: {"text": s.tag}, lists=True),
    "GET /api/parties/people/{int:person_id}": Row("parties.view"),
    "POST /api/parties/people/{int:person_id}/look": Row("parties.view", reason),
    "POST /api/parties/people/{int:person_id}/correct": Row("parties.manage", lambda s: {"name": "新"}),
    "POST /api/parties/people/{int:person_id}/erase": Row("parties.manage", reason),
    "GET /api/parties/people/{int:person_id}/consents": Row("parties.view"),
    "POST /api/parties/people/{int:person_id}/consents": Row(
        "parties.manage", lambda s: {"purpose": "face", "how": "signed"}
    ),
    "POST /api/parties/people/{int:person_id}/consents/withdraw": Row(
        "parties.manage", lambda s: {"purpose": "welfare"}
    ),
    "GET /api/parties/me/looks": Row("own.view", own=True),
    "GET /api/parties/households": Row("parties.view", lists=True),
    "POST /api/parties/households": Row("parties.manage", lambda s: [{"place": s["place_id"], "number": "999"}]),
    "POST /api/parties/residencies": Row(
        "parties.manage", lambda s: [{"person": s["person_id"], "household": s["other_household_id"]}]
    ),
    "POST /api/parties/residencies/{int:residency_id}/end": Row("parties.manage", lambda s: {}),
    "GET /api/parties/organisations": Row("parties.view", lists=True),
    "POST /api/parties/organisations": Row(
        "parties.manage", lambda s: [{"code": "new", "kind": "company", "name": "新", "place": s["place_id"]}]
    ),
    "POST /api/parties/memberships": Row(
        "parties.manage",
        lambda s: [{"person": s["person_id"], "organisation": s["organisation_id"], "title": "x"}],
    ),
    "POST /api/parties/memberships/{int:membership_id}/end": Row("parties.manage", lambda s: {}),
    "GET /api/parties/vehicles": Row("parties.view", lists=True),
    "POST /api/parties/vehicles": Row("parties.manage", lambda s: [{"plate": "辽B12345", "place": s["place_id"]}]),
    "POST /api/parties/vehicles/{int:vehicle_id}/remove": Row("parties.manage", reason),
    "GET /api/access/me": Row("", own=True),
    "PATCH /api/access/me": Row("", lambda s: {"theme": "dark"}, own=True),
    "GET /api/access/roles": Row("", own=True),
    "GET /api/access/users": Row("access.view", lists=True),
    "POST /api/access/users": Row("access.manage", lambda s: {"username": "new"}, own=True),
    "GET /api/access/users/{int:user_id}": Row("access.view"),
    "POST /api/access/users/{int:user_id}/deactivate": Row("access.manage", reason),
    "GET /api/access/assignments": Row("access.view", lists=True),
    "POST /api/access/assignments": Row(
        "access.manage", lambda s: [{"user_id": s["user_id"], "role": "auditor", "place_id": s["place_id"]}]
    ),
    "POST /api/access/assignments/{int:assignment_id}/end": Row("access.manage", reason),
    "GET /api/access/tokens": Row("", own=True),
    "POST /api/access/tokens": Row("", lambda s: {"name": "test"}, own=True),
    "POST /api/access/tokens/{int:token_id}/revoke": Row("", own=True, loose=True),
    "GET /api/audit/entries": Row("audit.view", lists=True),
    "GET /api/audit/entries/{int:entry_id}": Row("audit.view"),
    "GET /api/audit/chain": Row("audit.view", own=True),
    "GET /api/privacy/looks": Row("own.view", own=True, loose=True),
    "POST /api/privacy/looks/object": Row("own.view", lambda s: {"entry": 1}, own=True, loose=True),
    "GET /api/privacy/consents": Row("own.view", own=True, loose=True),
    "POST /api/privacy/consents": Row("own.view", lambda s: {"purpose": "welfare"}, own=True, loose=True),
    "POST /api/privacy/consents/withdraw": Row("own.view", lambda s: {"purpose": "face"}, own=True, loose=True),
    "GET /api/privacy/delegations": Row("", own=True),
    "POST /api/privacy/delegations": Row(
        "own.view", lambda s: {"delegate": s["person_id"], "scopes": ["data.view"]}, own=True, loose=True
    ),
    "POST /api/privacy/delegations/{int:delegation_id}/end": Row("privacy.manage"),
    "GET /api/privacy/requests": Row("privacy.manage", lists=True),
    "GET /api/privacy/register": Row("privacy.manage", own=True),
    "GET /api/media": Row(
        "media.view",
        query=lambda s: {"device": s["device_id"], "since": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z"},
        lists=True,
    ),
    "GET /api/media/{uuid:media_id}": Row("media.view"),
    "GET /api/cases": Row("cases.view", lists=True),
    "POST /api/cases": Row("cases.handle", lambda s: {"place": s["place_id"], "title": "新"}),
    "GET /api/cases/{int:case_id}": Row("cases.view"),
    "GET /api/cases/{int:case_id}/timeline": Row("cases.view"),
    "POST /api/cases/{int:case_id}/acknowledge": Row("cases.handle", version),
    "POST /api/cases/{int:case_id}/dispatch": Row("cases.handle", lambda s: {"role": "guard"}, loose=True),
    "POST /api/cases/{int:case_id}/resolve": Row("cases.handle", lambda s: {"outcome": "x"}, loose=True),
    "POST /api/cases/{int:case_id}/close": Row("cases.handle", version, loose=True),
    "POST /api/cases/{int:case_id}/false-alarm": Row("cases.handle", reason, loose=True),
    "POST /api/cases/{int:case_id}/merge": Row("cases.handle", lambda s: {"into": s["other_case_id"]}, loose=True),
    "POST /api/cases/{int:case_id}/reopen": Row("cases.handle", reason, loose=True),
    "POST /api/cases/{int:case_id}/notes": Row("cases.handle", lambda s: {"text": "x"}, loose=True),
    "POST /api/cases/{int:case_id}/evidence": Row(
        "cases.handle", lambda s: {"media": str(s["media_id"]), "at": "2026-11-23T00:00:00Z"}, loose=True
    ),
    "POST /api/cases/{int:case_id}/feedback": Row("cases.handle", lambda s: {"verdict": "useful"}, loose=True),
    "GET /api/notices": Row("notices.view", lists=True),
    "GET /api/notices/deliveries": Row("notices.manage", lists=True),
    "POST /api/notices/read": Row("", lambda s: {"ids": []}, own=True),
    "GET /api/notices/endpoints": Row("", own=True),
    "POST /api/notices/endpoints": Row(
        "", lambda s: {"channel": "email", "address": {"email": "a@example.com"}}, own=True, loose=True
    ),
    "DELETE /api/notices/endpoints/{int:endpoint_id}": Row("", own=True, loose=True),
    "GET /api/notices/web-push-key": Row("", own=True),
    "GET /api/doors/points": Row("doors.view", lists=True),
    "POST /api/doors/points": Row(
        "doors.manage",
        lambda s: [
            {
                "code": "new",
                "name": "新",
                "place": s["place_id"],
                "kind": "gate",
                "controller": s["controller_id"],
                "output": 2,
            }
        ],
    ),
    "GET /api/doors/points/{int:point_id}": Row("doors.view"),
    "POST /api/doors/points/{int:point_id}/open": Row("doors.command", reason),
    "POST /api/doors/points/{int:point_id}/mode": Row(
        "doors.command", lambda s: {"mode": "unlocked", "reason": "x"}, loose=True
    ),
    "POST /api/doors/requests/{int:request_id}/confirm": Row("doors.command", loose=True),
    "GET /api/doors/rule-sets": Row("doors.view", query=lambda s: {"path": s["path"]}, lists=True),
    "GET /api/doors/credentials": Row("doors.view", lists=True),
    "POST /api/doors/credentials": Row(
        "doors.manage",
        lambda s: [{"place": s["place_id"], "technology": "card", "value": "0A0B", "person": s["person_id"]}],
    ),
    "POST /api/doors/credentials/state": Row(
        "doors.manage", lambda s: {"ids": [s["credential_id"]], "state": "lost", "reason": "x"}
    ),
    "GET /api/doors/people/{int:person_id}": Row("doors.view"),
    "POST /api/doors/people/{int:person_id}/phones": Row("doors.manage", lambda s: {}),
    "GET /api/doors/passes": Row("doors.view", lists=True),
    "POST /api/doors/passes": Row(
        "doors.admit",
        lambda s: {
            "place": s["place_id"],
            "holder": "张",
            "since": timezone.now().isoformat(),
            "until": (timezone.now() + timedelta(hours=1)).isoformat(),
        },
    ),
    "POST /api/doors/passes/{int:pass_id}/revoke": Row("doors.admit", reason),
    "GET /api/doors/lock-downs": Row("doors.view", query=lambda s: {"path": s["path"]}, lists=True),
    "POST /api/doors/lock-downs": Row("doors.command", lambda s: {"place": s["place_id"], "reason": "x"}, loose=True),
    "POST /api/doors/lock-downs/{int:lock_down_id}/release": Row("doors.command", reason),
    "GET /api/rules": Row("rules.view", lists=True),
    "POST /api/rules": Row("rules.manage", lambda s: [{"place": s["place_id"], "name": "新", "spec": RULE}]),
    "POST /api/rules/check": Row("places.view", lambda s: {"place": s["place_id"], "spec": RULE}),
    "GET /api/rules/rehearsals/{int:rehearsal_id}": Row("rules.view"),
    "POST /api/rules/versions/{int:version_id}/rehearsals": Row(
        "rules.manage", lambda s: {"since": "2026-11-01T00:00:00Z", "until": "2026-11-02T00:00:00Z"}
    ),
    "POST /api/rules/versions/{int:version_id}/activate": Row("rules.manage"),
    "GET /api/rules/{int:rule_id}": Row("rules.view"),
    "POST /api/rules/{int:rule_id}/drafts": Row("rules.manage", lambda s: {"spec": RULE}),
    "POST /api/rules/{int:rule_id}/retire": Row("rules.manage", loose=True),
    "GET /api/rules/{int:rule_id}/firings": Row("rules.view"),
    "GET /api/rules/proposals": Row("rules.view", lists=True),
    "POST /api/rules/{int:rule_id}/proposals/try": Row("rules.manage", lambda s: PROPOSAL, loose=True),
    "POST /api/rules/{int:rule_id}/proposals/decline": Row(
        "rules.manage", lambda s: PROPOSAL | {"reason": "x"}, loose=True
    ),
    "POST /api/rules/{int:rule_id}/proposals/recount": Row("rules.manage"),
}


def routers(held: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every router with its whole prefix, those inside others too.

    Once its addresses are built, Ninja lists the inner ones beside the outer ones too, without the first slash.
    """
    for prefix, router, *_options in held:
        whole = f"{before}/{prefix.strip('/')}"
        yield whole, router
        yield from routers(router._routers, whole)


def operations() -> list[str]:
    """Every API operation of the URL map, as "METHOD /path/with/{arguments}"."""
    from shoufu.web.api import api

    found = {
        f"{method} /api{prefix}{path}".replace("uuidstr:", "uuid:")
        for prefix, router in routers(api._routers)
        for path, view in router.path_operations.items()
        for operation in view.operations
        for method in operation.methods
    }
    return sorted(found)


def _cases(tag: str, place: Any) -> list[int]:
    now = timezone.now()
    made = [
        Case.objects.create(
            number=f"{tag}-{n}",
            kind="case.manual",
            title=f"{tag} case",
            severity="low",
            severity_rank=3,
            place=place,
            opened_at=now,
            known_at=now,
            last_at=now,
        )
        for n in (1, 2)
    ]
    return [case.pk for case in made]


def side(tag: str, name: str, district: str) -> Side:
    compound, area = places.create_many(
        SYSTEM,
        [
            PlaceDraft("compound", f"{name}-compound", f"{tag} compound", district),
            PlaceDraft("area", f"{name}-area", f"{tag} area", f"{name}-compound"),
        ],
    )
    device = devices.register(SYSTEM, devices.DeviceDraft(f"{tag}-cam", "camera", f"{tag} camera", compound.pk)).device
    person = parties.create_person(SYSTEM, parties.PersonDraft(f"{tag} person", compound.pk))
    drafts = [parties.HouseholdDraft(area.pk, number, f"{tag}-{number}") for number in ("1", "2")]
    home, other = parties.create_households(SYSTEM, drafts)
    since = timezone.localdate() - timedelta(days=9)
    (residency,) = parties.move_in(SYSTEM, [parties.ResidencyDraft(person.pk, home.pk, since=since)])
    office = parties.OrganisationDraft(f"{tag}-office", "company", f"{tag} office", compound.pk)
    (organisation,) = parties.create_organisations(SYSTEM, [office])
    job = parties.MembershipDraft(person.pk, organisation.pk, f"{tag} job", since)
    (membership,) = parties.add_members(SYSTEM, [job])
    plate = "辽A11111" if name == "home" else "辽A99999"
    vehicle = parties.register_vehicle(SYSTEM, parties.VehicleDraft(plate, compound.pk, since=since))
    parties.give_consent(SYSTEM, person.pk, "welfare", "form")
    user = access.create_user(SYSTEM, UserDraft(f"{tag}-user", f"{tag} user"))
    assignment = access.give_role(SYSTEM, RoleDraft(user.pk, "guard", compound.pk))
    token = access.create_token(_actor(user), f"{tag} token")
    case, second = _cases(tag, compound)
    rule = Rule.objects.create(code=f"{tag}-rule", name=f"{tag} rule", place=compound)
    draft = RuleVersion.objects.create(rule=rule, number=1, spec=RULE, state="draft", author="test")
    now = timezone.now()
    rehearsal = Rehearsal.objects.create(
        **{
            f.name: value
            for f, value in ((f, _sample(f, draft, user, now)) for f in Rehearsal._meta.concrete_fields)
            if value is not None
        }
    )
    media = MediaObject.objects.create(
        id=uuid7(), kind="snapshot", content_type="image/png", size=1, sha256=b"x" * 32, key=f"{tag}/x.png",
        device=device, place=compound, t=now, keep_until=now + timedelta(days=1),
    )  # fmt: skip
    destination = referrals.create_destination(
        SYSTEM,
        referrals.DestinationDraft(
            f"{tag}-desk", organisation.pk, compound.pk, f"{tag} desk", "console", "officers", policy={}
        ),
    ).row
    policy = referrals.create_policy(
        SYSTEM, referrals.PolicyDraft(destination.pk, compound.pk, f"{tag} policy", active=False)
    )
    referral = referrals.refer(SYSTEM, referrals.Draft(second, destination.pk, f"{tag} reason"))
    export = Export.objects.create(
        number=f"E-{tag}-1", case_id=case, place=compound, recipient=f"{tag} recipient", reason="test",
        asked_by="test", asked_at=now, expires_at=now + timedelta(days=1),
    )  # fmt: skip
    carer = parties.create_person(SYSTEM, parties.PersonDraft(f"{tag} carer", compound.pk))
    granted = Delegation.objects.create(person=person, delegate=carer, scopes=["data.view"], since=now)
    entry = AuditEntry.objects.filter(place=compound.pk).order_by("id").first()
    assert entry is not None
    ids = {
        "place_id": compound.pk, "area_id": area.pk, "path": compound.path, "device_id": device.pk,
        "person_id": person.pk, "household_id": home.pk, "other_household_id": other.pk,
        "residency_id": residency.pk,
        "organisation_id": organisation.pk, "membership_id": membership.pk,
        "vehicle_id": vehicle.pk, "user_id": user.pk,
        "assignment_id": assignment.pk, "token_id": token.row.pk, "case_id": case, "other_case_id": second,
        "destination_id": destination.pk, "policy_id": policy.pk, "referral_id": referral.pk, "export_id": export.pk,
        "rule_id": rule.pk, "version_id": draft.pk, "rehearsal_id": rehearsal.pk, "media_id": media.pk,
        **_doors(tag, name, compound, person.pk),
        **_register(tag, compound, person.pk, home.pk, device.pk),
        **_payments(tag, compound, organisation.pk, person.pk),
        **_community(tag, compound, person.pk, home.pk, device.pk),
        **_bookings(tag, compound, user),
        **_homecare(tag, compound),
        "delegation_id": granted.pk,
        "entry_id": entry.pk, "endpoint_id": 0, "provider": "wechat",
        "name": "acknowledge", "code": "en", "token": "x", "kind": "repair",
    }  # fmt: skip
    return Side(name, ids)


def _register(tag: str, compound: Any, person: int, home: int, camera: int) -> dict[str, Any]:
    """An import that waits, the receipt of a leaving, a vehicle at a lane, and the compound's parking."""
    now = timezone.now()
    draft, _preview = imports.upload(SYSTEM, "staff", compound.pk, f"{tag}.csv", f"姓名,单位\n{tag},x\n".encode())
    left = Departure.objects.create(
        person_id=person, household_id=home, place=compound, cause="moved_out", at=now, author=f"{tag} author"
    )
    lane = vehicles.set_lane(SYSTEM, LaneDraft(compound.pk, camera, f"{tag} lane"))
    passage = Passage.objects.create(
        lane=lane, place=compound, direction="in", plate=tag[:12], klass="unknown", state="waiting",
        reason="unknown", began_at=now, last_at=now,
    )  # fmt: skip
    parking = vehicles.set_parking(SYSTEM, ParkingDraft(compound.pk, 9))
    listed = vehicles.add_entry(
        SYSTEM, EntryDraft("辽C12345", compound.pk, "visitor", f"{tag} visit", timezone.now() + timedelta(1))
    )
    return {
        "import_id": draft.pk, "departure_id": left.pk, "passage_id": passage.pk, "parking_id": parking.pk,
        "kind_code": "people", "list_entry_id": listed.pk,
    }  # fmt: skip


def _payments(tag: str, compound: Any, institution: int, person: int) -> dict[str, Any]:
    """An order that was paid in cash and is partly to be paid back, a difference, and a settlement."""
    line = payments.LineDraft(f"{tag} service", 100)
    order = payments.create_order(
        SYSTEM, payments.OrderDraft(compound.pk, institution, f"{tag} order", [line], payer_id=person)
    )
    payments.confirm_offline(SYSTEM, order.pk, 100, f"{tag} slip")
    tomorrow = timezone.localdate() + timedelta(days=1)
    settlement = payments.draft_settlement(SYSTEM, institution, tomorrow - timedelta(days=2), tomorrow)
    refund = payments.request_refund(SYSTEM, payments.RefundDraft(order.pk, 1, f"{tag} refund"))
    difference = Difference.objects.create(
        provider="wechat", kind="amount", day=tomorrow, place=compound, order=order, trade=f"{tag}-trade",
        found_at=timezone.now(),
    )  # fmt: skip
    return {
        "order_id": order.pk, "refund_id": refund.pk, "difference_id": difference.pk,
        "settlement_id": settlement.pk, "step": "refund",
    }  # fmt: skip


def _community(tag: str, compound: Any, person: int, home: int, camera: int) -> dict[str, Any]:
    """A hole in a recording, a patrol with a round, a visitor, and whom a resident wants called."""
    now = timezone.now()
    hole = Segment.objects.create(device_id=camera, place=compound, t=now, gap="camera", keep_until=now)
    route = patrols.save_route(SYSTEM, patrols.RouteDraft(compound.pk, f"{tag} route", ["22:00"], [f"{tag} spot"]))
    visit = Invitation.objects.create(
        household_id=home, place=compound, host_id=person, visitor=f"{tag} visitor", since=now, until=now + timedelta(1)
    )
    contact = Contact.objects.create(person_id=person, name=b"x", phone=b"x")
    watch = Watch.objects.create(person_id=person, household_id=home, place=compound, how=f"{tag} desk")
    sensor = Sensor.objects.create(household_id=home, device_id=camera)
    check = Check.objects.create(
        person_id=person, watch=watch, household_id=home, place=compound, reason="silent", due_at=now, asked_at=now,
        step="door",
    )  # fmt: skip
    return {
        "watch_id": watch.pk, "sensor_id": sensor.pk, "check_id": check.pk,
        "segment_id": hole.pk, "route_id": route.pk, "round_id": Round.objects.create(route=route, due_at=now).pk,
        "check_point_id": route.points.get().pk, "visit_id": visit.pk, "contact_id": contact.pk,
    }  # fmt: skip


def _bookings(tag: str, compound: Any, user: User) -> dict[str, Any]:
    """A room that can be booked, a hold of it, an absence, and somebody who waits; a slot of the day after tomorrow."""
    rule = booking.RuleDraft("FREQ=DAILY", time(0), time(0))
    (room,) = booking.create_resources(
        SYSTEM, [booking.ResourceDraft(f"{tag}-room", "room", f"{tag} room", compound.pk, rules=[rule])]
    )
    offering = booking.create_offering(
        SYSTEM,
        booking.OfferingDraft(
            f"{tag}-room", compound.pk, f"{tag} meeting", booking.TermsDraft(60), [booking.RequirementDraft([room.pk])]
        ),
    )
    start = timezone.make_aware(datetime.combine(timezone.localdate() + timedelta(2), time(10)))
    held = booking.hold(SYSTEM, booking.HoldDraft(offering.pk, start))
    away = booking.add_override(SYSTEM, room.pk, booking.OverrideDraft(start + timedelta(5), start + timedelta(6))).row
    waits = WaitingEntry.objects.create(
        offering=offering, user=user, since=start, until=start + timedelta(hours=1), made_at=timezone.now()
    )
    slot = start + timedelta(hours=2)
    return {
        "resource_id": room.pk, "offering_id": offering.pk, "booking_id": held.pk, "override_id": away.pk,
        "waiting_entry_id": waits.pk, "availability_rule_id": room.rules.get().pk,
        "slot": slot.isoformat(), "slot_end": (slot + timedelta(hours=1)).isoformat(),
    }  # fmt: skip


def _homecare(tag: str, compound: Any) -> dict[str, Any]:
    """An institution with a service, a nurse and a patient who is being assessed; a medical office that is none yet."""
    offices = [parties.OrganisationDraft(f"{tag}-care-{n}", "medical", f"{tag} clinic", compound.pk) for n in (1, 2)]
    clinic, other = parties.create_organisations(SYSTEM, offices)
    last, begun = timezone.localdate() + timedelta(days=99), timezone.localdate() - timedelta(days=4000)
    office = homecare.add_institution(SYSTEM, homecare.InstitutionDraft(clinic.pk, compound.pk, f"{tag} L", last))
    version = homecare.VersionDraft(f"{tag} care", f"{tag} care", 30, 1, f"{tag}", f"{tag}", instruments=["morse"])
    service = homecare.add_service(SYSTEM, office.pk, f"{tag}-care", version)
    numbers = [f"1370000000{n}" for n in (7, 8, 9)]
    people = parties.create_people(
        SYSTEM, [parties.PersonDraft(f"{tag} n{n}", compound.pk, number) for n, number in enumerate(numbers)]
    )
    nurse = homecare.add_practitioner(
        SYSTEM,
        office.pk,
        homecare.PractitionerDraft(people[0].name, numbers[0], "nurse", 3, f"{tag} licence", last, begun),
    )
    patient = homecare.add_patient(SYSTEM, office.pk, homecare.PatientDraft(people[1].name, numbers[1], f"{tag} way"))
    assessment = assessments.begin(SYSTEM, patient.pk, service.pk)
    return {
        "clinic_id": other.pk, "institution_id": office.pk, "service_id": service.pk, "practitioner_id": nurse.pk,
        "nurse_name": people[2].name, "patient_id": patient.pk, "assessment_id": assessment.pk,
        "response_id": assessment.responses.get().pk,
        "kind": "Patient", "logical": f"patient-{patient.pk}", "number": "1", "rest": "x/y/z",
        "bulk_id": uuid7(),
    }  # fmt: skip


def _doors(tag: str, name: str, compound: Any, person: int) -> dict[str, int]:
    """A gate with its controller, a level, a schedule, a person's card, a pass, a lock-down and a remote opening."""
    place = places.create(SYSTEM, PlaceDraft("gate", f"{name}-gate", f"{tag} gate", f"{name}-compound"))
    draft = devices.DeviceDraft(f"{tag}-dc", "door_controller", f"{tag} controller", compound.pk)
    controller = devices.register(SYSTEM, draft).device
    readers = (doors.ReaderDraft("card"), doors.ReaderDraft("qr"))
    point = doors.create_point(
        SYSTEM, doors.PointDraft(f"{tag}-door", f"{tag} door", place.pk, "gate", controller.pk, readers=readers)
    )
    spans = [{"days": ["mon"], "from": "08:00", "to": "09:00"}]
    (schedule,) = doors.create_schedules(
        SYSTEM, [doors.ScheduleDraft(f"{tag}-hours", f"{tag} hours", compound.pk, spans)]
    )
    (level,) = doors.create_levels(
        SYSTEM, [doors.LevelDraft(f"{tag}-level", f"{tag} level", compound.pk, [doors.DoorDraft(point.pk)])]
    )
    doors.assign(SYSTEM, [doors.AssignmentDraft(level.pk, person=person)])
    number = "0A1A" if name == "home" else "0A1F"
    card = doors.issue(SYSTEM, doors.CredentialDraft(compound.pk, "card", number, person, label=f"{tag} card"))
    now = timezone.now()
    visit = doors.issue_pass(SYSTEM, doors.PassDraft(compound.pk, f"{tag} guest", now, now + timedelta(hours=2)))
    opened = doors.ask_open(SYSTEM, point.pk, f"{tag} reason")
    down = doors.lock_down(SYSTEM, place.pk, f"{tag} reason")
    return {
        "controller_id": controller.pk, "point_id": point.pk, "schedule_id": schedule.pk, "level_id": level.pk,
        "credential_id": card.credential.pk, "pass_id": visit.visit.pk, "request_id": opened.pk,
        "lock_down_id": down.pk,
    }  # fmt: skip


def _sample(model_field: Any, draft: RuleVersion, user: User, now: Any) -> Any:
    """A value for a required field of a rehearsal."""
    if model_field.primary_key or model_field.has_default() or model_field.null or model_field.blank:
        return None
    if model_field.is_relation:
        return draft if model_field.related_model is RuleVersion else user
    return now if model_field.get_internal_type() == "DateTimeField" else 0


def _actor(user: User) -> Any:
    from shoufu.kernel.access.selectors import actor_for_user

    return actor_for_user(user)


@dataclass
class District:
    home: Side
    foreign: Side

    def client(self, role: str) -> Client:
        """Somebody who has the role at home, signed in."""
        user = User.objects.create(username=f"role-{role}", display_name=role)
        since = timezone.now() - timedelta(days=1)
        RoleAssignment.objects.create(user=user, role=role, place_id=self.home["place_id"], since=since)
        client = Client()
        client.force_login(user)
        return client


@pytest.fixture
def district() -> District:
    places.create(SYSTEM, PlaceDraft("district", "rights", "权区"))
    return District(side("home-thing", "home", "rights"), side(FOREIGN, "foreign", "rights"))


def send(client: Client, key: str, row: Row, where: Side) -> Any:
    """The row's request about one side; whatever it changed is undone."""
    method, _space, template = key.partition(" ")
    path = template
    for part in [piece[1:-1] for piece in template.split("/") if piece.startswith("{")]:
        path = path.replace(f"{{{part}}}", str(where[part.partition(":")[2]]))
    body = row.body(where) if row.body else None
    with transaction.atomic():
        written = AuditEntry.objects.count()
        response = client.generic(
            method,
            path,
            b"" if body is None else json.dumps(body).encode(),
            content_type="application/json",
            query_params=row.query(where) if row.query else None,
        )
        response.acts = AuditEntry.objects.count() - written  # type: ignore[attr-defined]
        transaction.set_rollback(True)
    return response


def content(response: Any) -> str:
    raw = b"".join(response.streaming_content) if response.streaming else response.content
    return str(raw, errors="replace")


def test_every_endpoint_has_a_row() -> None:
    declared, there = set(ROWS), set(operations())
    assert not there - declared, f"declare in ROWS: {sorted(there - declared)}"
    assert not declared - there, f"no such endpoint: {sorted(declared - there)}"


def faults(key: str, row: Row, code: str, client: Client, district: District) -> Iterator[str]:
    """What is wrong with one role at one endpoint, at home and abroad."""
    holds = not row.right or row.right in registry.roles()[code].permissions
    at_home = send(client, key, row, district.home)
    shown, status = content(at_home), at_home.status_code
    if status >= 500 or FOREIGN in shown:
        yield f"at home {status}: {shown[:200]}"
    if holds and not (status < 300 or (row.loose and status in (404, 409, 422))):
        yield f"at home {status} in spite of the right: {shown[:200]}"
    if not holds and status not in REFUSED and not (row.lists and status == 200 and "home-thing" not in shown):
        yield f"at home {status} without the right"
    if row.own:
        return
    abroad = send(client, key, row, district.foreign)
    if FOREIGN in content(abroad):
        yield f"reads abroad: {content(abroad)[:200]}"
    if abroad.status_code not in REFUSED and not (row.lists and abroad.status_code == 200):
        yield f"abroad {abroad.status_code}: {content(abroad)[:200]}"
    if abroad.acts and not row.lists:
        yield "leaves an act abroad"


@pytest.mark.parametrize("role", sorted(registry.roles()))
def test_the_role_is_served_at_home_and_refused_abroad(role: str, district: District) -> None:
    client = district.client(role)
    problems = [f"{key}: {fault}" for key, row in ROWS.items() for fault in faults(key, row, role, client, district)]
    assert not problems, "\n".join(problems)


def test_nobody_unknown_gets_in(district: District) -> None:
    for key, row in ROWS.items():
        response = send(Client(), key, row, district.home)
        assert (key, response.status_code, response["Content-Type"]) == (key, 401, "application/problem+json")


def pages(resolver: URLResolver | None = None, before: str = "") -> Iterator[str]:
    """Every page of the URL map (API and allauth's own pages aside)."""
    for pattern in (resolver or get_resolver()).url_patterns:
        address = before + str(pattern.pattern)
        if address.startswith(("api/", "accounts/")):
            continue
        if isinstance(pattern, URLResolver):
            yield from pages(pattern, address)
        elif isinstance(pattern, URLPattern):
            yield address


def address(template: str, where: Side) -> str:
    found = "/" + template
    for part in [piece.partition(">")[0] for piece in template.split("<")[1:]]:
        name = part.partition(":")[2] or part
        assert name in where.ids, f"declare {name!r} of {template} in `side`"
        found = found.replace(f"<{part}>", str(where[name]))
    return found


def visit(client: Client, method: str, template: str, where: Side) -> str:
    """Open or post to a page about a side; what is wrong with the answer, or nothing. What it changed is undone."""
    acts = AuditEntry.objects.filter(place=where["place_id"])
    with transaction.atomic():
        written = acts.count()
        form = "application/x-www-form-urlencoded"
        response = client.generic(method, address(template, where), b"reason=x&version=1", form)
        done = acts.count() - written
        transaction.set_rollback(True)
    concrete = "<int:" in template or "<uuid:" in template
    opened = concrete and response.status_code not in REFUSED | {302}
    if FOREIGN in content(response) or done or opened or response.status_code >= 500:
        return f"{method} /{template}: {response.status_code}"
    return ""


@pytest.mark.parametrize("role", sorted(registry.roles()))
def test_no_page_shows_or_does_anything_abroad(role: str, district: District) -> None:
    client = district.client(role)
    answers = [visit(client, method, page, district.foreign) for page in pages() for method in ("GET", "POST")]
    assert not [answer for answer in answers if answer]
