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


REPEAT_MOST = timedelta(hours=1)
"""Nobody is told of the same overdue case more seldom than this."""


def case_kind(code: str) -> CaseKind:
    """The declared kind; a case of a scene that was removed since keeps working under its code."""
    return registry.case_kinds().get(code) or CaseKind(code, code, code)


def next_role(case: Case) -> str:
    """Whom the case goes to when its clock runs out; the last of the chain keeps it."""
    kind = case_kind(case.kind)
    chain = kind.escalate_to or (kind.role,)
    return chain[min(case.escalation, len(chain) - 1)]


def patience(case: Case) -> timedelta:
    """How long whoever has the case now may take, with its `escalation` counted already.

    The limit of the kind; doubled (up to an hour) each time that the end of the chain is told of it again.
    """
    kind = case_kind(case.kind)
    minutes = kind.acknowledge_minutes if case.state == State.NEW else kind.resolve_minutes
    limit = timedelta(minutes=minutes.get(case.severity, 60))
    again = case.escalation - max(len(kind.escalate_to), 1)
    if again <= 0 or limit >= REPEAT_MOST:
        return limit
    return min(limit * 2 ** min(again, 12), REPEAT_MOST)


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
