from collections.abc import Sequence
from typing import Any

from shoufu.kernel.base.nerve import publish_on_commit
from shoufu.kernel.cases.lifecycle import case_kind
from shoufu.kernel.cases.models import Case


def summary(case: Case) -> dict[str, Any]:
    """What the queue and the map show of a case before its page is read."""
    return {
        "id": case.pk,
        "number": case.number,
        "kind": case.kind,
        "title": case.title,
        "title_en": case.title_en,
        "severity": case.severity,
        "state": case.state,
        "place": case.place_id,
        "device": case.device_id,
        "opened_at": case.opened_at.isoformat(),
        "due_at": case.due_at.isoformat() if case.due_at else None,
        "assignee": case.assignee_id,
        "version": case.version,
    }


def publish(cases: Sequence[Case], event: str) -> None:
    """Tell the live screens after the commit; the path of the place decides who may hear it. A case of a kind with a
    right of its own is not told: the stream knows places, not kinds."""
    for case in cases:
        if case_kind(case.kind).permission:
            continue
        message = {"path": case.place.path, "event": event, "id": str(case.pk), "data": summary(case)}
        publish_on_commit("live.case", message)
