"""/api/homecare/careplans/…: guidelines, plans, readings, findings, follow-ups, handovers, home devices."""

from typing import Any
from uuid import UUID

from ninja import Query, Router, Status

from shoufu.kernel.base.lists.api import Page, answer
from shoufu.kernel.base.pages import PageRequest
from shoufu.scenes.homecare.careplans import guidelines, selectors
from shoufu.scenes.homecare.careplans.models import CarePlan, Finding, Handover, HomeDevice
from shoufu.scenes.homecare.careplans.services import devices, findings, follow_ups, handovers, looks, plans, readings
from shoufu.scenes.homecare.careplans.shapes import (
    AddedOut,
    AnswerIn,
    BindingOut,
    ChangeIn,
    DeviceIn,
    FindingOut,
    FollowUpIn,
    FollowUpOut,
    GoalOut,
    GuidelineOut,
    HandoverIn,
    HandoverOut,
    LetterOut,
    NewPlanIn,
    PlanIn,
    PlanOut,
    PlanQuery,
    ReadingIn,
    ReadingOut,
    ReadingQuery,
    ReasonIn,
    ShownOut,
    TaskOut,
    ToldOut,
    VersionIn,
)
from shoufu.scenes.homecare.register import selectors as register

router = Router(tags=["homecare"])


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
