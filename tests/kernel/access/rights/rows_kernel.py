"""Endpoints of the kernel, but for money and bookings."""

from datetime import timedelta

from django.utils import timezone

from tests.kernel.access.rights.shape import Row, reason, version

PROPOSAL = {"pointer": "/cooldown"}
RULE = {"kinds": ["door.state"], "pattern": {"type": "match"}}
ONESELF = "own.view nurse care_physician"
"""Whoever is known as a person has what is said of that person; the others have nothing."""

ROWS: dict[str, Row] = {
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
    "GET /api/privacy/looks": Row(ONESELF, own=True, loose=True),
    "POST /api/privacy/looks/object": Row(ONESELF, lambda s: {"entry": 1}, own=True, loose=True),
    "GET /api/privacy/consents": Row(ONESELF, own=True, loose=True),
    "POST /api/privacy/consents": Row(ONESELF, lambda s: {"purpose": "welfare"}, own=True, loose=True),
    "POST /api/privacy/consents/withdraw": Row(ONESELF, lambda s: {"purpose": "face"}, own=True, loose=True),
    "GET /api/privacy/delegations": Row("", own=True),
    "POST /api/privacy/delegations": Row(
        ONESELF, lambda s: {"delegate": s["person_id"], "scopes": ["data.view"]}, own=True, loose=True
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
