from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Field, Query, Router, Schema
from ninja.pagination import LimitOffsetPagination, paginate

from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.cases import selectors, services
from shoufu.kernel.cases.models import Case, CaseEvent

router = Router(tags=["cases"])


class CaseOut(Schema):
    id: int
    number: str
    kind: str
    title: str
    title_en: str
    severity: str
    state: str
    place: int = Field(alias="place_id")
    device: int | None = Field(None, alias="device_id")
    assignee: int | None = Field(None, alias="assignee_id")
    role: str
    opened_at: datetime
    known_at: datetime
    due_at: datetime | None
    escalation: int
    occurrences: int
    outcome: str
    version: int


class EventOut(Schema):
    kind: str
    at: datetime
    known: datetime
    actor: str
    text: str
    data: dict[str, Any]


class Narrow(Schema):
    place: str = Field("", description="Path of a place; its whole subtree counts")
    state: list[str] = []
    severity: list[str] = []
    kind: list[str] = []
    rule: int | None = None
    mine: bool = False
    overdue: bool = False
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    sort: str = "newest"

    def chosen(self) -> selectors.CaseFilter:
        return selectors.CaseFilter(
            place=self.place,
            state=tuple(self.state),
            severity=tuple(self.severity),
            kind=tuple(self.kind),
            rule=self.rule,
            mine=self.mine,
            overdue=self.overdue,
            text=self.text,
            since=self.since,
            until=self.until,
        )


class Versioned(Schema):
    version: int | None = Field(None, description="The version the decision was made on; another one is refused (409)")


class ReportIn(Schema):
    place: int
    title: str = Field(max_length=160)
    severity: str = "medium"
    text: str = ""


class DispatchIn(Versioned):
    user: int | None = None
    role: str = ""
    text: str = Field("", max_length=500)


class OutcomeIn(Versioned):
    outcome: str = Field(max_length=200)


class ReasonIn(Versioned):
    reason: str = Field(max_length=200)


class MergeIn(Versioned):
    into: int


class NoteIn(Schema):
    text: str = Field(max_length=2000)


class AttachIn(Schema):
    media: UUID
    at: datetime


class FeedbackIn(Schema):
    verdict: str
    text: str = Field("", max_length=300)


@router.get("", response=list[CaseOut])
@paginate(LimitOffsetPagination)
def list_cases(request: PageRequest, narrow: Query[Narrow]) -> Any:
    return selectors.listing(request.actor, narrow.chosen(), narrow.sort)


@router.post("", response={201: CaseOut})
def report(request: PageRequest, body: ReportIn) -> tuple[int, Case]:
    draft = services.CaseReport(place_id=body.place, title=body.title, severity=body.severity, text=body.text)
    return 201, services.report(request.actor, draft)


@router.get("/{int:case_id}", response=CaseOut)
def get_case(request: PageRequest, case_id: int) -> Case:
    return selectors.get(request.actor, case_id)


@router.get("/{int:case_id}/timeline", response=list[EventOut])
def timeline(request: PageRequest, case_id: int, known: datetime | None = None) -> list[CaseEvent]:
    return selectors.timeline(request.actor, selectors.get(request.actor, case_id), known)


@router.post("/{int:case_id}/acknowledge", response=CaseOut)
def acknowledge(request: PageRequest, case_id: int, body: Versioned) -> Case:
    return services.acknowledge(request.actor, case_id, body.version)


@router.post("/{int:case_id}/dispatch", response=CaseOut)
def dispatch(request: PageRequest, case_id: int, body: DispatchIn) -> Case:
    return services.dispatch(request.actor, case_id, body.version, user_id=body.user, role=body.role, text=body.text)


@router.post("/{int:case_id}/resolve", response=CaseOut)
def resolve(request: PageRequest, case_id: int, body: OutcomeIn) -> Case:
    return services.resolve(request.actor, case_id, body.version, outcome=body.outcome)


@router.post("/{int:case_id}/close", response=CaseOut)
def close(request: PageRequest, case_id: int, body: Versioned) -> Case:
    return services.close(request.actor, case_id, body.version)


@router.post("/{int:case_id}/false-alarm", response=CaseOut)
def false_alarm(request: PageRequest, case_id: int, body: ReasonIn) -> Case:
    return services.false_alarm(request.actor, case_id, body.version, reason=body.reason)


@router.post("/{int:case_id}/merge", response=CaseOut)
def merge(request: PageRequest, case_id: int, body: MergeIn) -> Case:
    return services.merge(request.actor, case_id, body.version, into=body.into)


@router.post("/{int:case_id}/reopen", response=CaseOut)
def reopen(request: PageRequest, case_id: int, body: ReasonIn) -> Case:
    return services.reopen(request.actor, case_id, body.version, reason=body.reason)


@router.post("/{int:case_id}/notes", response={201: EventOut})
def note(request: PageRequest, case_id: int, body: NoteIn) -> tuple[int, CaseEvent]:
    return 201, services.note(request.actor, case_id, body.text)


@router.post("/{int:case_id}/evidence", response={204: None})
def attach(request: PageRequest, case_id: int, body: AttachIn) -> tuple[int, None]:
    services.attach(request.actor, case_id, body.media, body.at)
    return 204, None


@router.post("/{int:case_id}/feedback", response={204: None})
def feedback(request: PageRequest, case_id: int, body: FeedbackIn) -> tuple[int, None]:
    services.give_feedback(request.actor, case_id, body.verdict, body.text)
    return 204, None
