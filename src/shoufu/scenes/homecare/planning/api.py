"""/api/homecare/planning/…: the day's board, visits given and taken, proposals, one's own route."""

from datetime import date, datetime
from typing import Any

from ninja import Field, Router, Schema

from shoufu.kernel.base.pages import PageRequest
from shoufu.scenes.homecare.planning import board, hearing, selectors, services
from shoufu.scenes.homecare.planning.models import DayPlan, Policy, Proposal
from shoufu.scenes.homecare.planning.services import PolicyDraft, Wish
from shoufu.scenes.homecare.planning.services.stops import as_dict

router = Router(tags=["homecare"])


class NumberOut(Schema):
    number: int


class WishIn(Schema):
    crew: list[int | None] = Field([], max_length=2, description="Who does each task; null: whoever is best")
    start: datetime | None = Field(None, description="When the first begins; null: as it suits")


class AssignIn(WishIn):
    number: int | None = Field(None, description="The plan that was looked at; a newer one refuses")
    pin: bool = True


class NumberIn(Schema):
    number: int | None = None


class PinIn(NumberIn):
    pinned: bool = True


class SecondsIn(Schema):
    seconds: float = Field(10.0, gt=0, le=120)


class UndoIn(Schema):
    number: int


class LateIn(Schema):
    until: datetime


class DayIn(Schema):
    day: date


class WhyOut(Schema):
    code: str
    text: str
    practitioner: int | None
    name: str


class PushedOut(Schema):
    visit: int
    name: str


class FitOut(Schema):
    crew: list[int]
    names: list[str]
    start: datetime
    starts: list[datetime]
    clock: str
    more_travel: float
    late: int
    pushed: list[PushedOut]


class AnswerOut(Schema):
    possible: bool
    fit: FitOut | None
    reasons: list[WhyOut]
    near: list[FitOut]


class WhoOut(Schema):
    practitioner: int
    possible: bool
    clock: str
    text: str


class ProposalOut(Schema):
    id: int
    institution: int = Field(alias="institution_id")
    day: date
    number: int
    kind: str
    state: str
    progress: int
    seconds: float
    shown: dict[str, Any]


class PolicyOut(Schema):
    window_minutes: int
    break_earliest: int
    break_latest: int
    break_minutes: int
    grace_minutes: int


class StopOut(Schema):
    visit: int
    number: str
    task: int
    starts_at: datetime
    ends_at: datetime
    leave_at: datetime
    travel_minutes: float
    promised_from: datetime
    promised_until: datetime
    latitude: float | None
    longitude: float | None


@router.get("/institutions/{institution_id}/days/{day}", summary="The day's board")
def shown(request: PageRequest, institution_id: int, day: date) -> dict[str, Any]:
    return board.as_dict(board.board(request.actor, institution_id, day))


@router.get("/institutions/{institution_id}/days/{day}/number", response=NumberOut, summary="The newest plan's number")
def number(request: PageRequest, institution_id: int, day: date) -> dict[str, int]:
    return {"number": board.number(request.actor, institution_id, day)}


@router.post("/institutions/{institution_id}/days/{day}/plan", response=ProposalOut, summary="Plan the day anew")
def plan(request: PageRequest, institution_id: int, day: date, sent: SecondsIn) -> Proposal:
    return services.plan_day(request.actor, institution_id, day, sent.seconds)


@router.post("/institutions/{institution_id}/days/{day}/mend", response=ProposalOut, summary="Fit in what is open")
def mend(request: PageRequest, institution_id: int, day: date) -> Proposal:
    return services.mend(request.actor, institution_id, day)


@router.post("/institutions/{institution_id}/days/{day}/undo", response=NumberOut, summary="Undo one's last change")
def undo(request: PageRequest, institution_id: int, day: date, sent: UndoIn) -> DayPlan:
    return services.undo(request.actor, institution_id, day, sent.number)


@router.get("/institutions/{institution_id}/policy", response=PolicyOut, summary="How an institution plans")
def policy(request: PageRequest, institution_id: int) -> Policy:
    return selectors.policy(selectors.office(request.actor, institution_id))


@router.put("/institutions/{institution_id}/policy", response=PolicyOut, summary="Change how an institution plans")
def set_policy(request: PageRequest, institution_id: int, sent: PolicyOut) -> Policy:
    return services.set_policy(request.actor, institution_id, PolicyDraft(**sent.dict()))


@router.get("/visits/{visit_id}/places", response=list[FitOut], summary="Where a visit fits, the cheapest first")
def places(request: PageRequest, visit_id: int) -> list[Any]:
    day, fits = services.places(request.actor, visit_id)
    return [as_dict(day, fit) for fit in fits]


@router.get("/visits/{visit_id}/who", response=list[WhoOut], summary="Who on duty can come, and why not")
def who(request: PageRequest, visit_id: int, task: int = 0) -> list[Any]:
    return hearing.who(request.actor, visit_id, task)


@router.post("/visits/{visit_id}/check", response=AnswerOut, summary="Whether it can be; nothing is written")
def check(request: PageRequest, visit_id: int, sent: WishIn) -> dict[str, Any]:
    return hearing.checked(request.actor, visit_id, Wish(sent.crew, sent.start))


@router.post("/visits/{visit_id}/assign", response=NumberOut, summary="Give a visit to somebody")
def assign(request: PageRequest, visit_id: int, sent: AssignIn) -> DayPlan:
    return services.assign(request.actor, visit_id, Wish(sent.crew, sent.start), sent.number, pin=sent.pin)


@router.post("/visits/{visit_id}/insert", response=NumberOut, summary="Put an open visit to its cheapest place")
def insert(request: PageRequest, visit_id: int, sent: NumberIn) -> DayPlan:
    return services.insert_request(request.actor, visit_id, sent.number)


@router.post("/visits/{visit_id}/unassign", response=NumberOut, summary="Take a visit out of the plan")
def unassign(request: PageRequest, visit_id: int, sent: NumberIn) -> DayPlan:
    return services.unassign(request.actor, visit_id, sent.number)


@router.post("/visits/{visit_id}/pin", response=NumberOut, summary="Keep a visit with its people, or not")
def pin(request: PageRequest, visit_id: int, sent: PinIn) -> DayPlan:
    return services.pin(request.actor, visit_id, sent.number, pinned=sent.pinned)


@router.post("/visits/{visit_id}/cancelled", response=ProposalOut, summary="Fill the time of a lost visit")
def cancelled(request: PageRequest, visit_id: int) -> Proposal:
    return services.visit_cancelled(request.actor, visit_id)


@router.post("/practitioners/{practitioner_id}/late", response=ProposalOut, summary="What if somebody is late")
def late(request: PageRequest, practitioner_id: int, sent: LateIn) -> Proposal:
    return services.nurse_late(request.actor, practitioner_id, sent.until)


@router.post("/practitioners/{practitioner_id}/ill", response=ProposalOut, summary="What if somebody is ill")
def ill(request: PageRequest, practitioner_id: int, sent: DayIn) -> Proposal:
    return services.nurse_ill(request.actor, practitioner_id, sent.day)


@router.get("/proposals/{proposal_id}", response=ProposalOut, summary="A proposal, and how far it is")
def proposal(request: PageRequest, proposal_id: int) -> Proposal:
    return selectors.proposal(request.actor, proposal_id)


@router.post("/proposals/{proposal_id}/take", response=NumberOut, summary="Let a proposal be the plan")
def take(request: PageRequest, proposal_id: int) -> DayPlan:
    return services.take(request.actor, proposal_id)


@router.post("/proposals/{proposal_id}/drop", summary="A proposal is not wanted")
def drop(request: PageRequest, proposal_id: int) -> dict[str, bool]:
    services.drop(request.actor, proposal_id)
    return {"dropped": True}


@router.get("/route", response=list[StopOut], summary="One's own stops of a day, in order")
def route(request: PageRequest, day: date | None = None) -> list[dict[str, Any]]:
    return [
        {
            "visit": stop.visit.pk,
            "number": stop.visit.number,
            "task": stop.task,
            "starts_at": stop.starts_at,
            "ends_at": stop.ends_at,
            "leave_at": stop.leave_at,
            "travel_minutes": round(stop.travel_minutes, 1),
            "promised_from": stop.promised[0],
            "promised_until": stop.promised[1],
            "latitude": stop.latitude,
            "longitude": stop.longitude,
        }
        for stop in selectors.own_route(request.actor, day)
    ]
