"""Endpoints of payments and bookings."""

from typing import Any

from tests.kernel.access.rights.shape import Row, Side, reason, version

TERMS = {"duration_minutes": 60}


def span(side: Side) -> Any:
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
}
