"""/api/homecare/careplans/…: guidelines, plans, readings, findings, follow-ups, handovers, home devices."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from ninja import Field, Query, Router, Schema, Status

from shoufu.kernel.base.lists.api import ListQuery, Page, answer
from shoufu.kernel.base.pages import PageRequest
from shoufu.scenes.homecare.careplans import guidelines, selectors
from shoufu.scenes.homecare.careplans.models import CarePlan, Finding, Handover, HomeDevice
from shoufu.scenes.homecare.careplans.services import devices, findings, follow_ups, handovers, looks, plans, readings
from shoufu.scenes.homecare.register import selectors as register

router = Router(tags=["homecare"])


class TargetOut(Schema):
    quantity: str
    context: str
    low: float | None
    high: float | None
    strict: bool
    clause: str


class RuleOut(Schema):
    code: str
    severity: str
    text: str
    text_en: str
    advice: str
    advice_en: str
    clause: str
    days: int


class GuidelineOut(Schema):
    code: str
    version: int
    condition: str
    icd10: str
    name: str
    name_en: str
    year: int
    citation: str
    rules: list[RuleOut]


class PlanOut(Schema):
    id: int
    patient: int = Field(alias="patient_id")
    condition: str
    icd10: str
    guideline: str
    guideline_version: int
    state: str
    control: str
    since: date
    next_day: date | None
    last_reading_at: datetime | None
    missed: int
    version: int
    ended_at: datetime | None


class GoalIn(Schema):
    quantity: str
    low: Decimal | None = None
    high: Decimal | None = None
    strict: bool = False
    context: str = ""
    clause: str = Field("", max_length=300)


class TaskIn(Schema):
    code: str = Field(max_length=32)
    text: str = Field(max_length=120)
    text_en: str = Field("", max_length=120)
    kind: str = ""
    frequency: int = 1
    period: int = 1
    unit: str = "d"
    performer: str = "patient"


class PlanIn(Schema):
    condition: str
    guideline: str
    goals: list[GoalIn] | None = Field(None, description="The guideline's own for the patient's age where not given")
    tasks: list[TaskIn] | None = None
    note: str = Field("", max_length=2000)
    follow_up_days: int | None = None


class NewPlanIn(PlanIn):
    patient: int


class ChangeIn(PlanIn):
    version: int = Field(description="The version that was read; 409 where somebody changed the plan since")


class ReasonIn(Schema):
    reason: str = Field(max_length=500)


class GoalOut(TargetOut):
    state: str
    mean: float | None


class TaskOut(Schema):
    id: int
    code: str
    text: str
    kind: str
    frequency: int
    period: int
    unit: str
    performer: str
    done: int
    missed: int


class FindingOut(Schema):
    id: int
    plan: int
    rule: str
    severity: str
    state: str
    found_at: datetime
    last_at: datetime
    occurrences: int


class ToldOut(FindingOut):
    quantity: str
    value: float
    bound: float
    side: str
    clause: str
    answer: str


class ReadingOut(Schema):
    id: UUID
    kind: str
    context: str
    at: datetime
    values: dict[str, float]
    source: str


class ShownOut(Schema):
    plan: PlanOut
    note: str
    goals: list[GoalOut]
    tasks: list[TaskOut]
    findings: list[ToldOut]
    readings: list[ReadingOut]


class ReadingIn(Schema):
    id: UUID = Field(description="Made where it was measured; the same one sent twice is kept once")
    kind: str
    values: dict[str, float] = Field(max_length=10)
    at: datetime | None = None
    context: str = ""


class AddedOut(Schema):
    id: UUID
    fresh: bool
    findings: list[FindingOut]


class FollowUpIn(Schema):
    way: str
    adherence: str
    found: str = Field(max_length=2000)
    measures: str = Field("", max_length=2000)
    next_day: date | None = None


class FollowUpOut(Schema):
    id: int
    next_day: date
    needs_doctor: bool


class HandoverIn(Schema):
    reason: str = Field(max_length=2000)
    to: int | None = None
    urgent: bool = False


class HandoverOut(Schema):
    id: int
    plan: int = Field(alias="plan_id")
    state: str
    urgent: bool
    sent_at: datetime
    accepted_at: datetime | None
    ended_at: datetime | None
    version: int


class LetterOut(Schema):
    handover: HandoverOut
    document: dict[str, Any]
    answer: str


class AnswerIn(Schema):
    answer: str = Field(max_length=2000)
    version: int | None = None
    refuse: bool = False


class VersionIn(Schema):
    version: int | None = None


class DeviceIn(Schema):
    device: str = Field(max_length=64, description="The device's code")


class BindingOut(Schema):
    id: int
    device: str = Field(alias="device.code")
    patient: int = Field(alias="patient_id")
    since: datetime
    until: datetime | None


class PlanQuery(ListQuery):
    patient: int | None = None
    condition: str = ""
    state: str = ""
    control: str = ""


class ReadingQuery(Schema):
    kind: str = ""
    days: int = Field(90, ge=1, le=366)


@router.get("/guidelines", response=list[GuidelineOut])
def list_guidelines(request: PageRequest) -> Any:
    """The newest version of every guideline, with its rules and where they come from."""
    register.require_any(request.actor, selectors.VIEW, register.OWN)
    return list(guidelines.newest().values())


@router.get("/plans", response=Page[PlanOut])
def list_plans(request: PageRequest, query: Query[PlanQuery]) -> Any:
    """Plans of the patients whom one cares for; no values."""
    register.require_any(request.actor, selectors.VIEW)
    rows = selectors.plans(request.actor)
    for name in ("patient", "condition", "state", "control"):
        if value := getattr(query, name):
            rows = rows.filter(**{name: value})
    return answer(rows, query, {"next_day": "next_day", "made": "made_at"}, PlanOut.from_orm, "careplans")


@router.post("/plans", response={201: PlanOut})
def make_plan(request: PageRequest, body: NewPlanIn) -> Status[CarePlan]:
    """Make a care plan for a patient."""
    return Status(201, plans.make(request.actor, body.patient, _draft(body)))


def _draft(body: PlanIn) -> plans.PlanDraft:
    return plans.PlanDraft(
        body.condition,
        body.guideline,
        [plans.GoalDraft(**one.model_dump()) for one in body.goals] if body.goals is not None else None,
        [plans.TaskDraft(**one.model_dump()) for one in body.tasks] if body.tasks is not None else None,
        body.note,
        body.follow_up_days,
    )


@router.get("/plans/{int:plan_id}", response=ShownOut)
def get_plan(request: PageRequest, plan_id: int, mine: bool = False) -> ShownOut:
    """A plan with goals, tasks, findings and the readings of 90 days; the look is recorded (not with `mine`)."""
    found = looks.look(request.actor, plan_id, mine=mine)
    return ShownOut(
        plan=_plan(found.plan),
        note=found.note,
        goals=[
            GoalOut(
                quantity=one.goal.quantity,
                context=one.goal.context,
                low=float(one.goal.low) if one.goal.low is not None else None,
                high=float(one.goal.high) if one.goal.high is not None else None,
                strict=one.goal.strict,
                clause=one.goal.clause,
                state=one.control.state,
                mean=one.control.mean,
            )
            for one in found.goals
        ],
        tasks=[_task(one) for one in found.tasks],
        findings=[
            ToldOut(
                **_finding(one.row),
                quantity=one.quantity,
                value=one.value,
                bound=one.bound,
                side=one.side,
                clause=one.rule.clause if one.rule else "",
                answer=one.answer,
            )
            for one in found.findings
        ],
        readings=[_reading(one) for one in found.readings],
    )


def _plan(row: CarePlan) -> Any:
    names = [one.alias or name for name, one in PlanOut.model_fields.items()]
    return {name: getattr(row, name) for name in names}


def _task(one: selectors.TaskShown) -> TaskOut:
    names = ("code", "text", "kind", "frequency", "period", "unit", "performer")
    standing = one.standing
    return TaskOut(
        id=one.task.pk,
        done=standing.done if standing else 0,
        missed=standing.missed if standing else 0,
        **{name: getattr(one.task, name) for name in names},
    )


def _finding(row: Finding) -> dict[str, Any]:
    names = ("rule", "severity", "state", "found_at", "last_at", "occurrences")
    return {"id": row.pk, "plan": row.plan_id, **{name: getattr(row, name) for name in names}}


def _reading(one: selectors.Clear) -> ReadingOut:
    row = one.row
    return ReadingOut(
        id=row.pk, kind=row.kind, context=row.context, at=row.at, values=dict(one.values), source=row.source
    )


@router.put("/plans/{int:plan_id}", response=PlanOut)
def change_plan(request: PageRequest, plan_id: int, body: ChangeIn) -> CarePlan:
    """Change a plan that was read as `version`."""
    return plans.change(request.actor, plan_id, body.version, _draft(body))


@router.post("/plans/{int:plan_id}/end", response=PlanOut)
def end_plan(request: PageRequest, plan_id: int, body: ReasonIn) -> CarePlan:
    """End a plan, with its open findings and handover."""
    return plans.end(request.actor, plan_id, body.reason)


@router.post("/plans/{int:plan_id}/follow-ups", response={201: FollowUpOut})
def add_follow_up(request: PageRequest, plan_id: int, body: FollowUpIn) -> Status[FollowUpOut]:
    """Note a follow-up; the next day is the guideline's where none is given."""
    made = follow_ups.add(request.actor, plan_id, follow_ups.FollowUpDraft(**body.model_dump()))
    return Status(201, FollowUpOut(id=made.row.pk, next_day=made.row.next_day, needs_doctor=made.needs_doctor))


@router.post("/plans/{int:plan_id}/handovers", response={201: HandoverOut})
def send_handover(request: PageRequest, plan_id: int, body: HandoverIn) -> Status[Handover]:
    """Hand the patient over to a doctor of the institution."""
    return Status(201, handovers.send(request.actor, plan_id, handovers.HandoverDraft(**body.model_dump())))


@router.get("/patients/{int:patient_id}/readings", response=list[ReadingOut])
def list_readings(request: PageRequest, patient_id: int, query: Query[ReadingQuery], mine: bool = False) -> Any:
    """A patient's readings in clear; one recorded look (none with `mine`)."""
    found = looks.readings(request.actor, patient_id, mine=mine, kind=query.kind, days=query.days)
    return [_reading(one) for one in found]


@router.post("/patients/{int:patient_id}/readings", response=AddedOut)
def add_reading(request: PageRequest, patient_id: int, body: ReadingIn, mine: bool = False) -> AddedOut:
    """Note a reading; what it gives reason for comes back at once."""
    made = readings.add(request.actor, patient_id, readings.ReadingDraft(**body.model_dump()), mine=mine)
    return AddedOut(id=made.row.pk, fresh=made.fresh, findings=[FindingOut(**_finding(one)) for one in made.findings])


@router.post("/readings/{uuid:reading_id}/void", response={204: None})
def void_reading(request: PageRequest, reading_id: UUID, body: ReasonIn, mine: bool = False) -> Status[None]:
    """Mark a reading as wrong; it counts no more."""
    readings.void(request.actor, reading_id, body.reason, mine=mine)
    return Status(204, None)


@router.get("/findings", response=list[FindingOut])
def list_findings(request: PageRequest) -> Any:
    """What waits for somebody, the most urgent first; without values."""
    register.require_any(request.actor, selectors.VIEW)
    return [FindingOut(**_finding(one)) for one in selectors.findings(request.actor)[:500]]


@router.post("/findings/{int:finding_id}/take", response=FindingOut)
def take_finding(request: PageRequest, finding_id: int) -> FindingOut:
    """Say that one deals with it."""
    return FindingOut(**_finding(findings.take_up(request.actor, finding_id)))


@router.post("/findings/{int:finding_id}/close", response=FindingOut)
def close_finding(request: PageRequest, finding_id: int, body: ReasonIn) -> FindingOut:
    """Say what was done (`reason`); its case is closed."""
    return FindingOut(**_finding(findings.close(request.actor, finding_id, body.reason)))


@router.get("/handovers/{int:handover_id}", response=LetterOut)
def get_handover(request: PageRequest, handover_id: int) -> LetterOut:
    """A letter in clear; the look is recorded."""
    found = handovers.look(request.actor, handover_id)
    return LetterOut(handover=_handover(found.row), document=dict(found.document), answer=found.answer)


def _handover(row: Handover) -> Any:
    names = [one.alias or name for name, one in HandoverOut.model_fields.items()]
    return {name: getattr(row, name) for name in names}


@router.post("/handovers/{int:handover_id}/accept", response=HandoverOut)
def accept_handover(request: PageRequest, handover_id: int, body: VersionIn) -> Handover:
    """Take the patient over, as a doctor of the institution."""
    return handovers.accept(request.actor, handover_id, body.version)


@router.post("/handovers/{int:handover_id}/answer", response=HandoverOut)
def answer_handover(request: PageRequest, handover_id: int, body: AnswerIn) -> Handover:
    """Answer, or send back with the reason (`refuse`)."""
    return handovers.answer(request.actor, handover_id, body.answer, body.version, refuse=body.refuse)


@router.post("/handovers/{int:handover_id}/withdraw", response=HandoverOut)
def withdraw_handover(request: PageRequest, handover_id: int, body: VersionIn) -> Handover:
    """Take a letter back before a doctor accepted it."""
    return handovers.withdraw(request.actor, handover_id, body.version)


@router.post("/patients/{int:patient_id}/devices", response={201: BindingOut})
def bind_device(request: PageRequest, patient_id: int, body: DeviceIn) -> Status[HomeDevice]:
    """Say that a sensor measures a patient from now on."""
    return Status(201, devices.bind(request.actor, patient_id, body.device))


@router.post("/devices/{int:binding_id}/release", response=BindingOut)
def release_device(request: PageRequest, binding_id: int) -> HomeDevice:
    """The device measures the patient no longer."""
    return devices.release(request.actor, binding_id)
