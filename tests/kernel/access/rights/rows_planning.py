"""Endpoints of home care: the plan of a day."""

from typing import Any

from tests.kernel.access.rights.shape import Body, Row, Side

DAY = "/api/homecare/planning/institutions/{institution_id}/days/{day}"
VISIT = "/api/homecare/planning/visits/{visit_id}"
WHO = "/api/homecare/planning/practitioners/{practitioner_id}"
PROPOSAL = "/api/homecare/planning/proposals/{proposal_id}"
POLICY = "/api/homecare/planning/institutions/{institution_id}/policy"


def nothing(_side: Side) -> Any:
    return {}


def planner(body: Body | None = None, *, loose: bool = False) -> Row:
    """Whoever plans days there, and nobody else."""
    return Row("homecare.dispatch", body, loose=loose)


ROWS: dict[str, Row] = {
    f"GET {DAY}": planner(),
    f"GET {DAY}/number": planner(),
    f"POST {DAY}/plan": planner(lambda _s: {"seconds": 0.1}),
    f"POST {DAY}/mend": planner(),
    f"POST {DAY}/undo": planner(lambda _s: {"number": 1}, loose=True),
    f"GET {POLICY}": planner(),
    f"PUT {POLICY}": planner(
        lambda _s: {
            "window_minutes": 30,
            "break_earliest": 690,
            "break_latest": 780,
            "break_minutes": 30,
            "grace_minutes": 5,
        }
    ),
    f"GET {VISIT}/places": planner(),
    f"GET {VISIT}/who": planner(),
    f"POST {VISIT}/check": planner(nothing),
    f"POST {VISIT}/assign": planner(nothing),
    f"POST {VISIT}/insert": planner(nothing, loose=True),
    f"POST {VISIT}/unassign": planner(nothing),
    f"POST {VISIT}/pin": planner(nothing),
    f"POST {VISIT}/cancelled": planner(loose=True),
    f"POST {WHO}/late": planner(lambda s: {"until": s["free_time"]}),
    f"POST {WHO}/ill": planner(lambda s: {"day": s["day"]}),
    f"GET {PROPOSAL}": planner(),
    f"POST {PROPOSAL}/take": planner(),
    f"POST {PROPOSAL}/drop": planner(),
    # One's own stops: of who goes to nobody there are none.
    "GET /api/homecare/planning/route": Row("", query=lambda s: {"day": s["day"]}, lists=True),
}
