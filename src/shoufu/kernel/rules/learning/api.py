"""The HTTP interface of proposals, a part of that of rules."""

from datetime import datetime
from typing import Any

from ninja import Field, Query, Router, Schema

from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.places import selectors as places
from shoufu.kernel.rules.learning import selectors, services
from shoufu.kernel.rules.learning.report import listed
from shoufu.kernel.rules.models import Rehearsal


class ChoiceOut(Schema):
    value: float
    text: str
    avoided: list[int] = Field(description="Cases closed as false alarms that it would not have raised")
    lost: list[int] = Field(description="Real cases that it would not have raised")
    open: list[int] = Field(description="Cases that nobody has judged")


class OfferOut(Schema):
    pointer: str = Field(description="Which number of the rule")
    name: str
    current: float
    best: ChoiceOut | None
    choices: list[ChoiceOut] = Field(description="The trade-off, the mildest first")
    true: int
    false_alarms: int
    open: int
    unknown: int = Field(description="Cases of which the log no longer tells")
    risk: float = Field(description="Share of real cases that may be lost later, at most (95 %)")
    words: str
    state: str = Field(description="proposed, tried, declined or nothing")


class StudiedOut(Schema):
    rule: int
    code: str
    name: str
    version: int
    since: datetime
    made_at: datetime
    true: int
    false_alarms: int
    open: int
    offers: list[OfferOut]


class ProposalQuery(Schema):
    root: int | None = Field(None, description="Only rules of this place and of what is below it")
    rule: int | None = None


class TryIn(Schema):
    pointer: str = Field(max_length=80)
    value: float | None = Field(None, description="Another value than the best one")


class DeclineIn(Schema):
    pointer: str = Field(max_length=80)
    reason: str = Field(max_length=300)


class TrialOut(Schema):
    rehearsal: int = Field(alias="id")
    version: int = Field(alias="version_id")


class DecisionOut(Schema):
    id: int
    pointer: str
    value: float
    reason: str


def list_proposals(request: PageRequest, query: Query[ProposalQuery]) -> list[dict[str, Any]]:
    """What outcomes say about the rules that one may see, those with most false alarms to spare first."""
    path = places.get(request.actor, query.root).path if query.root is not None else ""
    return listed(selectors.proposals(request.actor, path, query.rule))


def try_proposal(request: PageRequest, rule_id: int, body: TryIn) -> tuple[int, Rehearsal]:
    """Make a draft with the proposed number and queue its rehearsal; `activate` switches it on."""
    return 201, services.try_proposal(request.actor, rule_id, body.pointer, body.value)


def decline_proposal(request: PageRequest, rule_id: int, body: DeclineIn) -> tuple[int, Any]:
    """Not now: keeps the proposal away until there are newer outcomes."""
    return 201, services.decline(request.actor, rule_id, body.pointer, body.reason)


def recount(request: PageRequest, rule_id: int) -> tuple[int, None]:
    """Have the outcomes of a rule's cases counted again, soon."""
    services.recount_one(request.actor, rule_id)
    return 202, None


def add_to(router: Router) -> None:
    """Add the operations on proposals to the router of rules."""
    router.get("/proposals", response=list[StudiedOut])(list_proposals)
    router.post("/{int:rule_id}/proposals/try", response={201: TrialOut})(try_proposal)
    router.post("/{int:rule_id}/proposals/decline", response={201: DecisionOut})(decline_proposal)
    router.post("/{int:rule_id}/proposals/recount", response={202: None})(recount)
