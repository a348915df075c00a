from shoufu.scenes.homecare.planning.services.proposals import (
    compute,
    drop,
    mend,
    nurse_ill,
    nurse_late,
    plan_day,
    take,
    visit_cancelled,
)
from shoufu.scenes.homecare.planning.services.retention import forget
from shoufu.scenes.homecare.planning.services.settings import PolicyDraft, set_policy
from shoufu.scenes.homecare.planning.services.stops import (
    Wish,
    assign,
    check,
    insert_request,
    pin,
    places,
    unassign,
    undo,
)
from shoufu.scenes.homecare.planning.services.watching import watch

__all__ = [
    "PolicyDraft",
    "Wish",
    "assign",
    "check",
    "compute",
    "drop",
    "forget",
    "insert_request",
    "mend",
    "nurse_ill",
    "nurse_late",
    "pin",
    "places",
    "plan_day",
    "set_policy",
    "take",
    "unassign",
    "undo",
    "visit_cancelled",
    "watch",
]
