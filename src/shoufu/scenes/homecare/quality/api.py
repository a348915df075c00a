"""/api/homecare/quality/…: ratings, complaints, adverse events, refusals, entries, figures, rules, traces."""

from datetime import date, datetime
from typing import Any, Literal

from ninja import Field, Query, Router, Schema, Status

from shoufu.kernel.base.lists.api import ListQuery, Page, answer
from shoufu.kernel.base.pages import PageRequest
from shoufu.scenes.homecare.quality import compliance, counting, reports, selectors, services, trace
from shoufu.scenes.homecare.quality.models import Bar, Complaint, Incident, Rating, Refusal, Sanction
from shoufu.scenes.homecare.register import selectors as register

router = Router(tags=["homecare"])


class RatingIn(Schema):
    stars: int = Field(description="1 (bad) to 5 (good)")
    tags: list[str] = Field([], max_length=9)
    words: str = Field("", max_length=2000)


class RatingOut(Schema):
    id: int
    visit: int = Field(alias="visit_id")
    stars: int
    tags: list[str]
    made_at: datetime


class ComplaintIn(Schema):
    patient: int
    kind: str
    what: str = Field(max_length=2000)
    wish: str = Field("", max_length=2000)
    visit: int | None = None


class ComplaintOut(Schema):
    id: int
    number: str
    patient: int = Field(alias="patient_id")
    visit: int | None = Field(alias="visit_id")
    kind: str
    state: str
    made_at: datetime
    answer_by: datetime
    escalated_at: datetime | None


class WordsIn(Schema):
    words: str = Field("", max_length=2000)


class ReasonIn(Schema):
    reason: str = Field(max_length=200, description="Why you look; the person can read it")


class StepOut(Schema):
    at: datetime
    kind: str
    words: str


class ShownComplaintOut(Schema):
    complaint: ComplaintOut
    what: str
    wish: str
    steps: list[StepOut]


class IncidentIn(Schema):
    kind: str
    grade: int = Field(description="1 (sentinel event) to 4 (near miss)")
    happened_at: datetime
    what: str = Field(max_length=2000)
    immediate: str = Field("", max_length=2000)
    visit: int | None = None
    practitioner: int | None = None


class IncidentOut(Schema):
    id: int
    number: str
    kind: str
    grade: int
    state: str
    happened_at: datetime
    visit: int | None = Field(alias="visit_id")
    institution: int = Field(alias="institution_id")


class CloseIn(Schema):
    cause: str = Field(max_length=2000)
    measures: str = Field(max_length=2000)


class RefusalIn(Schema):
    patient: int
    code: str
    words: str = Field("", max_length=2000)
    visit: int | None = None
    only_visit: bool = False


class RefusalOut(Schema):
    id: int
    number: str
    patient: int = Field(alias="patient_id")
    practitioner: int = Field(alias="practitioner_id")
    side: str
    code: str
    made_at: datetime
    ended_at: datetime | None


class BarIn(Schema):
    patient: int
    code: str
    reason: str = Field(max_length=2000)
    days: int
    incidents: list[int] = Field([], max_length=100)
    refusals: list[int] = Field([], max_length=100)


class BarOut(Schema):
    id: int
    number: str
    patient: int = Field(alias="patient_id")
    code: str
    state: str
    last_day: date | None
    review_on: date | None


class DecideIn(Schema):
    enter: bool
    words: str = Field("", max_length=2000)


class JudgeIn(Schema):
    granted: bool
    words: str = Field(max_length=2000)


class SanctionIn(Schema):
    practitioner: int
    reason: str = Field(max_length=2000)
    last_day: date


class SanctionOut(Schema):
    id: int
    number: str
    practitioner: int = Field(alias="practitioner_id")
    state: str
    last_day: date


class FiguresQuery(Schema):
    since: str = Field("", description="First month, such as 2026-01; the last twelve where not given")
    last: str = Field("", description="Last month")
    institution: str = ""
    service: str = ""
    published: bool = Field(False, description="As it may be published: small cells are kept back")


class CheckOut(Schema):
    rule: str
    checked: int
    broken: int
    visits: list[int]


class TraceOut(Schema):
    trace: dict[str, Any]
    sha256: str = Field(description="Over the canonical JSON of `trace`: sorted keys, no blanks, UTF-8")


@router.get("/figures", response=list[dict[str, Any]])
def figures(request: PageRequest, query: Query[FiguresQuery]) -> Any:
    """Figures by month, service, institution and practitioner, each with numerator and denominator."""
    register.require_any(request.actor, selectors.FIGURES)
    asked = reports.chosen(request.actor, query.since, query.last, query.institution, query.service)
    people = request.actor.may_anywhere(selectors.QUALITY)
    return list(reports.lines(reports.report(request.actor, asked, public=query.published, people=people)))


@router.get("/rules", response=list[CheckOut])
def rules(request: PageRequest, query: Query[FiguresQuery]) -> Any:
    """Whether every visit kept the rules, with the ids of the first ones that did not."""
    register.require_any(request.actor, selectors.FIGURES)
    asked = reports.chosen(request.actor, query.since, query.last, query.institution, query.service)
    found = compliance.checks(counting.span(request.actor, asked))
    return [
        CheckOut(rule=one.code, checked=one.checked, broken=one.broken, visits=[row.pk for row in one.visits])
        for one in found
    ]


@router.get("/ratings", response=Page[RatingOut])
def list_ratings(request: PageRequest, query: Query[ListQuery]) -> Any:
    """Ratings of the institution's visits, without the words."""
    register.require_any(request.actor, selectors.QUALITY)
    rows = selectors.ratings(request.actor)
    return answer(rows, query, {"made": "made_at", "stars": "stars"}, RatingOut.from_orm, "ratings")


@router.put("/visits/{int:visit_id}/rating", response=RatingOut)
def put_rating(request: PageRequest, visit_id: int, body: RatingIn) -> Rating:
    """Rate a visit of one's own, or change the rating."""
    return services.rate(request.actor, visit_id, services.RatingDraft(**body.model_dump()))


@router.get("/complaints", response=Page[ComplaintOut])
def list_complaints(request: PageRequest, query: Query[ListQuery], mine: bool = False) -> Any:
    """Complaints to the institution, escalated ones for the regulator, or with `mine` one's own; without the words."""
    register.require_any(request.actor, *((register.OWN,) if mine else (selectors.QUALITY, selectors.REGULATE)))
    rows = selectors.own_complaints(request.actor) if mine else selectors.complaints(request.actor)
    return answer(rows, query, {"made": "made_at", "answer_by": "answer_by"}, ComplaintOut.from_orm, "complaints")


@router.post("/complaints", response={201: ComplaintOut})
def complain(request: PageRequest, body: ComplaintIn) -> Status[Complaint]:
    """Complain about one's own care, or that of somebody for whom one may act."""
    draft = services.ComplaintDraft(body.kind, body.what, body.wish, body.visit)
    return Status(201, services.complain(request.actor, body.patient, draft))


@router.get("/complaints/{int:complaint_id}", response=ShownComplaintOut)
def get_complaint(request: PageRequest, complaint_id: int, mine: bool = False) -> Any:
    """A complaint with everything said so far; a look of staff is recorded."""
    found = services.read_complaint(request.actor, complaint_id, mine=mine)
    return {"complaint": found.complaint, "what": found.what, "wish": found.wish, "steps": found.trail}


@router.post("/complaints/{int:complaint_id}/{step}", response=ComplaintOut)
def complaint_step(
    request: PageRequest,
    complaint_id: int,
    step: Literal["acknowledge", "answer", "rule", "add", "regulator", "accept", "withdraw"],
    body: WordsIn,
) -> Complaint:
    """What the institution, the regulator or the patient does about it."""
    actor, words = request.actor, body.words
    if step == "acknowledge":
        return services.acknowledge(actor, complaint_id, words)
    if step == "answer":
        return services.answer(actor, complaint_id, words)
    if step == "rule":
        return services.rule(actor, complaint_id, words)
    if step == "add":
        return services.add_words(actor, complaint_id, words)
    if step == "regulator":
        return services.ask_regulator(actor, complaint_id, words)
    return services.accept(actor, complaint_id) if step == "accept" else services.withdraw(actor, complaint_id)


@router.get("/incidents", response=Page[IncidentOut])
def list_incidents(request: PageRequest, query: Query[ListQuery]) -> Any:
    """Adverse events, without the words."""
    register.require_any(request.actor, selectors.FIGURES)
    rows = selectors.incidents(request.actor)
    return answer(rows, query, {"happened": "happened_at", "grade": "grade"}, IncidentOut.from_orm, "incidents")


@router.post("/incidents", response={201: IncidentOut})
def report_incident(request: PageRequest, body: IncidentIn) -> Status[Incident]:
    """Report an adverse event."""
    return Status(201, services.report(request.actor, services.IncidentDraft(**body.model_dump())))


@router.post("/incidents/{int:incident_id}/follow", response=IncidentOut)
def follow_incident(request: PageRequest, incident_id: int, body: WordsIn) -> Incident:
    """Write down what was found or done since."""
    return services.follow(request.actor, incident_id, body.words)


@router.post("/incidents/{int:incident_id}/close", response=IncidentOut)
def close_incident(request: PageRequest, incident_id: int, body: CloseIn) -> Incident:
    """Close it with cause and measures; not by who reported it."""
    return services.close(request.actor, incident_id, body.cause, body.measures)


@router.get("/refusals", response=Page[RefusalOut])
def list_refusals(request: PageRequest, query: Query[ListQuery]) -> Any:
    """Who is not sent to whom."""
    register.require_any(request.actor, selectors.QUALITY, selectors.CARE)
    rows = selectors.refusals(request.actor)
    return answer(rows, query, {"made": "made_at"}, RefusalOut.from_orm, "refusals")


@router.post("/refusals", response={201: RefusalOut})
def refuse(request: PageRequest, body: RefusalIn) -> Status[Refusal]:
    """A practitioner refuses a patient, or one visit."""
    draft = services.RefusalDraft(body.code, body.words, body.visit, body.only_visit)
    return Status(201, services.refuse_patient(request.actor, body.patient, draft))


@router.delete("/refusals/{int:refusal_id}", response={204: None})
def take_back(request: PageRequest, refusal_id: int, mine: bool = False) -> Status[None]:
    """Whoever refused is willing again."""
    services.take_back(request.actor, refusal_id, mine=mine)
    return Status(204, None)


@router.get("/entries", response=Page[BarOut])
def list_entries(request: PageRequest, query: Query[ListQuery]) -> Any:
    """The list of clients who misbehaved, without the reasons."""
    register.require_any(request.actor, selectors.QUALITY, selectors.REGULATE)
    rows = selectors.bars(request.actor)
    return answer(rows, query, {"proposed": "proposed_at", "last_day": "last_day"}, BarOut.from_orm, "entries")


@router.post("/entries", response={201: BarOut})
def propose(request: PageRequest, body: BarIn) -> Status[Bar]:
    """Propose an entry; somebody else decides."""
    draft = services.BarDraft(body.code, body.reason, body.days, body.incidents, body.refusals)
    return Status(201, services.propose(request.actor, body.patient, draft))


@router.post("/entries/{int:bar_id}/decide", response=BarOut)
def decide(request: PageRequest, bar_id: int, body: DecideIn) -> Bar:
    """Decide on a proposed entry."""
    return services.decide(request.actor, bar_id, body.enter, body.words)


@router.post("/entries/{int:bar_id}/{step}", response=BarOut)
def entry_step(
    request: PageRequest, bar_id: int, step: Literal["lift", "pause", "resume", "appeal"], body: WordsIn
) -> Bar:
    """Lift an entry, pause it while an appeal is looked into, or appeal as whom it concerns."""
    if step == "lift":
        return services.lift(request.actor, bar_id, body.words)
    if step == "appeal":
        services.appeal_bar(request.actor, bar_id, body.words)
        return selectors.bar(request.actor, bar_id, mine=True)
    return services.pause(request.actor, bar_id, step == "pause")


@router.post("/appeals/{int:appeal_id}/judge", response={204: None})
def judge(request: PageRequest, appeal_id: int, body: JudgeIn) -> Status[None]:
    """Answer an appeal, as somebody who had no part in what it is about."""
    services.judge(request.actor, appeal_id, body.granted, body.words)
    return Status(204, None)


@router.post("/sanctions", response={201: SanctionOut})
def make_sanction(request: PageRequest, body: SanctionIn) -> Status[Sanction]:
    """Send a practitioner to nobody for a time."""
    return Status(201, services.sanction(request.actor, body.practitioner, body.reason, body.last_day))


@router.post("/trace/{int:visit_id}", response=TraceOut)
def export_trace(request: PageRequest, visit_id: int, body: ReasonIn) -> Any:
    """Everything about one visit, after a reason that the patient and those who came can read."""
    found = trace.export(request.actor, visit_id, body.reason)
    return {"trace": found.document(), "sha256": found.digest}
