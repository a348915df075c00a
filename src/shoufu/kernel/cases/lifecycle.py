from dataclasses import dataclass
from datetime import datetime, timedelta

from shoufu.kernel.base import registry
from shoufu.kernel.base.scene import CaseKind
from shoufu.kernel.cases.models import Case, CaseEvent, Severity

State = Case.State
RANK: dict[str, int] = {Severity.CRITICAL: 0, Severity.HIGH: 1, Severity.MEDIUM: 2, Severity.LOW: 3}


@dataclass(frozen=True)
class Step:
    """A move of the life cycle: from which states, to which, and the timeline's word for it."""

    allowed: frozenset[str]
    target: str
    event: str
    stamp: str = ""


STEPS = {
    "acknowledge": Step(frozenset({State.NEW}), State.ACKNOWLEDGED, CaseEvent.Kind.ACKNOWLEDGED, "acknowledged_at"),
    "dispatch": Step(
        frozenset({State.NEW, State.ACKNOWLEDGED, State.DISPATCHED}),
        State.DISPATCHED,
        CaseEvent.Kind.DISPATCHED,
        "dispatched_at",
    ),
    "resolve": Step(
        frozenset({State.ACKNOWLEDGED, State.DISPATCHED}), State.RESOLVED, CaseEvent.Kind.RESOLVED, "resolved_at"
    ),
    "close": Step(frozenset({State.RESOLVED}), State.CLOSED, CaseEvent.Kind.CLOSED, "closed_at"),
    "false_alarm": Step(frozenset(Case.OPEN), State.FALSE_ALARM, CaseEvent.Kind.FALSE_ALARM, "closed_at"),
    "merge": Step(frozenset(Case.OPEN), State.MERGED, CaseEvent.Kind.MERGED, "closed_at"),
    "reopen": Step(
        frozenset({State.RESOLVED, State.CLOSED, State.FALSE_ALARM}),
        State.ACKNOWLEDGED,
        CaseEvent.Kind.REOPENED,
        "acknowledged_at",
    ),
}


def case_kind(code: str) -> CaseKind:
    """The declared kind; a case of a scene that was removed since keeps working under its code."""
    return registry.case_kinds().get(code) or CaseKind(code, code, code)


def limits(kind: CaseKind, severity: str, known: datetime) -> tuple[datetime, datetime]:
    """When the case must be acknowledged and resolved by; the clocks run from when it was known."""
    return (
        known + timedelta(minutes=kind.acknowledge_minutes.get(severity, 60)),
        known + timedelta(minutes=kind.resolve_minutes.get(severity, 1440)),
    )


def due(case: Case) -> datetime | None:
    """The clock that runs now: to acknowledge while new, to resolve while worked on, none afterwards."""
    if case.state == State.NEW:
        return case.acknowledge_by
    if case.state in (State.ACKNOWLEDGED, State.DISPATCHED):
        return case.resolve_by
    return None
