"""Endpoints of the community scene."""

from datetime import timedelta

from django.utils import timezone

from tests.kernel.access.rights.shape import Row

ROWS: dict[str, Row] = {
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
}
