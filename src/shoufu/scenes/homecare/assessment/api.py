"""/api/homecare/assessment/…: questionnaires, assessments, decisions, and who may come."""

from datetime import date, datetime
from typing import Any

from ninja import Field, Query, Router, Schema, Status

from shoufu.kernel.base.lists.api import ListQuery, Page, answer
from shoufu.kernel.base.pages import PageRequest
from shoufu.scenes.homecare.assessment import instruments, selectors, services
from shoufu.scenes.homecare.assessment.models import Assessment
from shoufu.scenes.homecare.register import selectors as register

router = Router(tags=["homecare"])


class OptionOut(Schema):
    points: int
    text: str
    text_en: str


class ItemOut(Schema):
    code: str
    text: str
    text_en: str
    only: str
    options: list[OptionOut]


class InstrumentOut(Schema):
    code: str
    version: int
    name: str
    name_en: str
    citation: str
    items: list[ItemOut]


class AssessmentOut(Schema):
    id: int
    patient: int = Field(alias="patient_id")
    service: int = Field(alias="service_id")
    version: int = Field(alias="version.number")
    state: str
    decision: str
    opened_at: datetime
    ended_at: datetime | None
    last_day: date | None


class FindingOut(Schema):
    code: str
    score: float
    says: str


class FilledOut(Schema):
    id: int
    instrument: str
    version: int
    answers: dict[str, int]
    total: int
    most: int
    missing: list[str]
    band: str
    findings: list[FindingOut]


class ShownOut(Schema):
    assessment: AssessmentOut
    responses: list[FilledOut]
    reason: str
    elsewhere: str
    contraindications: list[str] = Field(description="The patient's flags that speak against the service")


class BeginIn(Schema):
    patient: int
    service: int


class AnswerIn(Schema):
    answers: dict[str, int] = Field(max_length=200)


class DecideIn(Schema):
    decision: str
    reason: str = Field("", max_length=1000)
    elsewhere: str = Field("", max_length=300)


class CancelIn(Schema):
    reason: str = Field(max_length=200)


class AssessmentQuery(ListQuery):
    state: str = ""
    decision: str = ""
    patient: int | None = None
    service: int | None = None


class ReasonOut(Schema):
    code: str
    text: str


class CandidateOut(Schema):
    practitioner: int
    name: str
    eligible: bool
    reasons: list[ReasonOut]


class WhoOut(Schema):
    version: int | None
    candidates: list[CandidateOut]
    second: list[CandidateOut]


class WhoQuery(Schema):
    at: datetime | None = Field(None, description="The moment of the visit; now where not given")


@router.get("/instruments", response=list[InstrumentOut])
def list_instruments(request: PageRequest) -> Any:
    """The newest version of every questionnaire."""
    register.require_any(request.actor, register.VIEW, register.OWN)
    return list(instruments.newest().values())


@router.get("/assessments", response=Page[AssessmentOut])
def list_assessments(request: PageRequest, query: Query[AssessmentQuery]) -> Any:
    """Assessments of the patients whom one cares for; no answers."""
    register.require_any(request.actor, register.PATIENTS, register.CARE)
    rows = selectors.assessments(request.actor)
    for name in ("state", "decision", "patient", "service"):
        if value := getattr(query, name):
            rows = rows.filter(**{name: value})
    return answer(rows, query, {"opened": "opened_at", "last_day": "last_day"}, AssessmentOut.from_orm, "assessments")


@router.post("/assessments", response={201: AssessmentOut})
def begin(request: PageRequest, body: BeginIn) -> Status[Assessment]:
    """Open the assessment of a patient for a service."""
    return Status(201, services.begin(request.actor, body.patient, body.service))


@router.get("/assessments/{int:assessment_id}", response=ShownOut)
def get_assessment(request: PageRequest, assessment_id: int) -> Any:
    """One with its answers and scores; the look is recorded, the patient can read it."""
    found = services.look(request.actor, assessment_id)
    return {
        "assessment": found.assessment,
        "responses": [_filled(one) for one in found.filled],
        "reason": found.reason,
        "elsewhere": found.elsewhere,
        "contraindications": list(found.against),
    }


def _filled(one: services.Filled) -> FilledOut:
    result, says = one.score, one.score.constitution
    return FilledOut(
        id=one.response.pk,
        instrument=one.scale.code,
        version=one.scale.version,
        answers=dict(one.answers),
        total=result.total,
        most=result.most,
        missing=list(result.missing),
        band=result.band.code if result.band else "",
        findings=[
            FindingOut(code=found.group.code, score=round(found.converted, 1), says=found.says)
            for found in (says.findings if says else ())
        ],
    )


@router.put("/responses/{int:response_id}", response={204: None})
def put_answers(request: PageRequest, response_id: int, body: AnswerIn) -> Status[None]:
    """Keep the answers to a questionnaire, whole or in part."""
    services.answer(request.actor, response_id, body.answers)
    return Status(204, None)


@router.post("/assessments/{int:assessment_id}/decide", response=AssessmentOut)
def decide(request: PageRequest, assessment_id: int, body: DecideIn) -> Assessment:
    """Fit, unfit (with the reason and where to go instead) or needs a visit."""
    return services.decide(request.actor, assessment_id, services.DecisionDraft(**body.model_dump()))


@router.post("/assessments/{int:assessment_id}/cancel", response=AssessmentOut)
def cancel(request: PageRequest, assessment_id: int, body: CancelIn) -> Assessment:
    """End an open assessment without a decision."""
    return services.cancel(request.actor, assessment_id, body.reason)


@router.get("/patients/{int:patient_id}/who/{int:service_id}", response=WhoOut)
def who_may(request: PageRequest, patient_id: int, service_id: int, query: Query[WhoQuery]) -> WhoOut:
    """Who may do a service for a patient, and why the others may not."""
    found = services.who_may(request.actor, patient_id, service_id, query.at)
    return WhoOut(
        version=found.version.number if found.version else None,
        candidates=[_candidate(one) for one in found.candidates],
        second=[_candidate(one) for one in found.second],
    )


def _candidate(one: services.Candidate) -> CandidateOut:
    return CandidateOut(
        practitioner=one.practitioner.pk,
        name=one.practitioner.person.name,
        eligible=not one.reasons,
        reasons=[
            ReasonOut(code=reason.code, text=text) for reason, text in zip(one.reasons, one.sentences, strict=True)
        ],
    )
