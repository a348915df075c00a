from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from ninja import Field, Query, Router, Schema, Status

from shoufu.kernel.base.lists.api import ListQuery, Page, answer
from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.referrals import selectors, services
from shoufu.kernel.referrals.models import Referral
from shoufu.kernel.referrals.services.sending import Draft

router = Router()
SORTS = {"number": "number", "sent": "sent_at", "state": "state"}


class ReferralOut(Schema):
    id: int
    number: str
    case: str
    title: str
    severity: str
    place: int
    destination: str
    state: str
    exercise: bool
    duress: bool
    reason: str
    sent_at: datetime
    delivered_at: datetime | None
    received_at: datetime | None
    accepted_at: datetime | None
    ended_at: datetime | None
    handled_by: str
    their_reference: str
    outcome: str
    outcome_text: str
    version: int


class ReferIn(Schema):
    case: int
    destination: int
    reason: str = Field(max_length=200)
    contact: str = Field("", max_length=200)
    exercise: bool = False


class ReasonIn(Schema):
    reason: str = Field(max_length=200)


class Versioned(Schema):
    version: int | None = Field(None, description="The version the decision was made on; another one is refused (409)")


class ReceiveIn(Versioned):
    reference: str = Field("", max_length=64, description="The receivers' own number")


class AcceptIn(ReceiveIn):
    text: str = Field("", max_length=300)


class RefuseIn(Versioned):
    text: str = Field(max_length=300)


class OutcomeIn(Versioned):
    outcome: str = Field(description="handled, false_alarm, no_action or passed_on")
    text: str = Field(max_length=300)


class DestinationOut(Schema):
    id: int
    code: str
    name: str
    name_en: str
    place: int = Field(alias="place_id")
    channel: str
    active: bool
    heard_at: datetime | None
    tested_at: datetime | None
    failing_since: datetime | None


def _out(row: Referral) -> ReferralOut:
    names = [
        name for name in ReferralOut.model_fields if name not in ("case", "title", "severity", "place", "destination")
    ]
    return ReferralOut(
        case=row.case.number,
        title=row.case.title,
        severity=row.case.severity,
        place=row.case.place_id,
        destination=row.destination.code,
        **{name: getattr(row, name) for name in names},
    )


def _listed(rows: QuerySet[Referral], query: ListQuery, name: str) -> dict[str, Any] | StreamingHttpResponse:
    """A page of referrals; their fields are gathered by `_out`, which a schema cannot do from the row alone."""
    found = answer(rows, query, SORTS, _out, name)
    if isinstance(found, dict):
        found["items"] = [_out(row) for row in found["items"]]
    return found


@router.get("", response=Page[ReferralOut])
def list_referrals(request: PageRequest, query: Query[ListQuery]) -> Any:
    """Referrals of cases in one's places."""
    return _listed(selectors.visible(request.actor), query, "referrals")


@router.post("", response={201: ReferralOut})
def refer(request: PageRequest, body: ReferIn) -> Status[ReferralOut]:
    """Send a case to another organisation."""
    draft = Draft(body.case, body.destination, body.reason, body.contact, exercise=body.exercise)
    return Status(201, _out(services.refer(request.actor, draft)))


@router.get("/destinations", response=Page[DestinationOut])
def list_destinations(request: PageRequest, query: Query[ListQuery]) -> Any:
    """Who takes cases over, and how their lines are."""
    rows = selectors.destinations(request.actor)
    return answer(rows, query, {"name": "name", "code": "code"}, DestinationOut.from_orm, "destinations")


@router.get("/inbox", response=Page[ReferralOut])
def inbox(request: PageRequest, query: Query[ListQuery]) -> Any:
    """Cases that were sent to one's organisation: for the alarm centre's own programs, with an officer's API token."""
    return _listed(selectors.inbox(request.actor), query, "inbox")


@router.get("/{int:referral_id}", response=ReferralOut)
def get_referral(request: PageRequest, referral_id: int) -> ReferralOut:
    """One referral, on the senders' side."""
    return _out(selectors.get(request.actor, referral_id))


@router.post("/{int:referral_id}/withdraw", response=ReferralOut)
def withdraw(request: PageRequest, referral_id: int, body: ReasonIn) -> ReferralOut:
    """Take a referral back."""
    return _out(services.withdraw(request.actor, referral_id, body.reason))


@router.post("/{int:referral_id}/receive", response=ReferralOut)
def receive(request: PageRequest, referral_id: int, body: ReceiveIn) -> ReferralOut:
    """As an officer of the receivers: it has arrived."""
    return _out(services.receive(request.actor, referral_id, body.version, reference=body.reference))


@router.post("/{int:referral_id}/accept", response=ReferralOut)
def accept(request: PageRequest, referral_id: int, body: AcceptIn) -> ReferralOut:
    """As an officer of the receivers: take the case over."""
    row = services.accept(request.actor, referral_id, body.version, reference=body.reference, text=body.text)
    return _out(row)


@router.post("/{int:referral_id}/refuse", response=ReferralOut)
def refuse(request: PageRequest, referral_id: int, body: RefuseIn) -> ReferralOut:
    """As an officer of the receivers: send the case back."""
    return _out(services.refuse(request.actor, referral_id, body.version, text=body.text))


@router.post("/{int:referral_id}/outcome", response=ReferralOut)
def outcome(request: PageRequest, referral_id: int, body: OutcomeIn) -> ReferralOut:
    """As an officer of the receivers: what came of it."""
    return _out(services.end(request.actor, referral_id, body.version, outcome=body.outcome, text=body.text))
