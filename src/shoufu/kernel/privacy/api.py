from datetime import datetime
from typing import Any

from ninja import Field, Query, Router, Schema

from shoufu.kernel.access import policy
from shoufu.kernel.base.lists.api import ListQuery, Page, answer
from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.privacy import register, selectors, services
from shoufu.kernel.privacy.models import DataRequest
from shoufu.kernel.privacy.selectors import Allowed
from shoufu.kernel.privacy.services import GrantDraft

router = Router()


class LookOut(Schema):
    id: int
    at: datetime
    who: str
    office: str
    what: str
    kind: str
    reason: str
    mine: bool
    late: bool
    objected: bool


class ObjectionIn(Schema):
    entry: int
    text: str = ""
    person: int | None = None


class PurposeOut(Schema):
    code: str
    name: str
    name_zh: str
    given: bool
    since: datetime | None
    ended: datetime | None


class ConsentIn(Schema):
    purpose: str
    person: int | None = None


class DelegationIn(Schema):
    delegate: int
    scopes: list[str]
    until: datetime | None = None


class DelegationOut(Schema):
    id: int
    person: int
    delegate: int
    scopes: list[str]
    basis: str
    since: datetime
    until: datetime | None


class RequestOut(Schema):
    id: int
    kind: str
    state: str
    person: int = Field(alias="person_id")
    place: int = Field(alias="place_id")
    asked_at: datetime
    due_at: datetime
    answered_at: datetime | None


class EntryOut(Schema):
    what: str
    purpose: str
    days: int | None
    erasure: str
    fields: str


def _purpose(row: Allowed) -> PurposeOut:
    since = row.consent.given_at if row.consent else None
    known = row.purpose
    return PurposeOut(
        code=known.code, name=known.name, name_zh=known.name_zh, given=row.given, since=since, ended=row.ended
    )


def _delegation(row: Any) -> DelegationOut:
    return DelegationOut(
        id=row.pk, person=row.person_id, delegate=row.delegate_id, scopes=row.scopes, basis=row.basis,
        since=row.since, until=row.until,
    )  # fmt: skip


@router.get("/looks", response=list[LookOut])
def looks(request: PageRequest, person: int | None = None) -> Any:
    """Who looked at or changed one's data (or that of a person who granted it): role and office, and the reason."""
    return selectors.looks(request.actor, person)


@router.post("/looks/object", response=RequestOut)
def object_to(request: PageRequest, body: ObjectionIn) -> DataRequest:
    """Object to one look; who manages privacy there has to answer."""
    return services.object_to(request.actor, body.entry, body.text, body.person)


@router.get("/consents", response=list[PurposeOut])
def consents(request: PageRequest, person: int | None = None) -> Any:
    """Every purpose, and whether it is allowed."""
    return [_purpose(row) for row in selectors.consents(request.actor, person)]


@router.post("/consents", response=list[PurposeOut])
def give(request: PageRequest, body: ConsentIn) -> Any:
    """Allow a purpose."""
    services.give_consent(request.actor, body.purpose, body.person)
    return [_purpose(row) for row in selectors.consents(request.actor, body.person)]


@router.post("/consents/withdraw", response=list[PurposeOut])
def withdraw(request: PageRequest, body: ConsentIn) -> Any:
    """Stop allowing a purpose; it counts at once."""
    services.withdraw_consent(request.actor, body.purpose, body.person)
    return [_purpose(row) for row in selectors.consents(request.actor, body.person)]


@router.get("/delegations", response=list[DelegationOut])
def delegations(request: PageRequest) -> Any:
    """Who may act for oneself, and for whom one may act."""
    return [_delegation(row) for row in selectors.delegations(request.actor)]


@router.post("/delegations", response=DelegationOut)
def grant(request: PageRequest, body: DelegationIn) -> DelegationOut:
    """Let a person act for oneself within scopes."""
    return _delegation(services.grant(request.actor, GrantDraft(body.delegate, body.scopes, body.until)))


@router.post("/delegations/{int:delegation_id}/end", response=DelegationOut)
def end(request: PageRequest, delegation_id: int) -> DelegationOut:
    """End a grant at once."""
    return _delegation(services.withdraw(request.actor, delegation_id))


@router.get("/requests", response=Page[RequestOut])
def requests(request: PageRequest, query: Query[ListQuery]) -> Any:
    """What people of one's places ask about their data, the most urgent first."""
    policy.require_anywhere(request.actor, selectors.MANAGE)
    return answer(
        selectors.requests(request.actor),
        query,
        {"due": "due_at", "asked": "asked_at"},
        RequestOut.from_orm,
        "requests",
    )


@router.get("/register", response=list[EntryOut])
def processing(request: PageRequest) -> Any:
    """The register of processing: what is kept about people, for what, how long, and what erasure does."""
    policy.require_anywhere(request.actor, selectors.MANAGE)
    return register.entries()
