from datetime import datetime
from typing import Any

from ninja import Field, Query, Router, Schema, Status

from shoufu.kernel.access import policy
from shoufu.kernel.base.lists.api import ListQuery, Page, answer
from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.places.models import Place
from shoufu.scenes.community.vehicles import selectors, services
from shoufu.scenes.community.vehicles.models import ListEntry, Passage
from shoufu.scenes.community.vehicles.selectors import Occupancy
from shoufu.scenes.community.vehicles.services import EntryDraft

router = Router()


class PassageOut(Schema):
    id: int
    lane: int = Field(alias="lane_id")
    place: int = Field(alias="place_id")
    direction: str
    plate: str
    like: str = Field(description="The one known plate that it may be")
    klass: str
    state: str
    reason: str
    began_at: datetime
    last_at: datetime
    decided_by: str
    decided_at: datetime | None
    note: str


class EntryOut(Schema):
    id: int
    plate: str
    list: str = Field(description="white, visitor, watch or emergency")
    place: int = Field(alias="place_id")
    purpose: str
    author: str
    since: datetime
    until: datetime
    passes: int | None = Field(description="Ways in that it is good for; null for any number")
    used: int
    revoked_at: datetime | None


class EntryIn(Schema):
    plate: str = Field(max_length=20)
    place: int
    list: str
    purpose: str = Field(max_length=200)
    until: datetime
    since: datetime | None = None
    passes: int | None = None


class RevokeIn(Schema):
    ids: list[int] = Field(min_length=1, max_length=500)
    reason: str = Field(max_length=200)


class RevokedOut(Schema):
    revoked: int


class AnswerIn(Schema):
    let_in: bool
    like: bool = Field(False, description="It is the plate that it is like")
    reason: str = Field("", max_length=200)


class StayOut(Schema):
    id: int
    place: int = Field(alias="place_id")
    plate: str
    guest: bool
    household: int | None = Field(alias="household_id")
    since: datetime
    until: datetime | None
    overstayed_at: datetime | None


class ParkingOut(Schema):
    id: int
    place: int
    capacity: int
    inside: int
    free: int
    guests: int


class PlateQuery(ListQuery):
    place: int | None = None
    plate: str = ""


class PassageQuery(PlateQuery):
    state: str = ""
    klass: str = ""


class EntryQuery(PlateQuery):
    list: str = ""
    ended: bool = Field(False, description="Those that have ended too")


class StayQuery(PlateQuery):
    inside: bool = Field(True, description="Only vehicles that are inside now")


def _narrowed(rows: Any, query: PlateQuery) -> Any:
    """The rows at and below a place, and of a plate, where these were asked for."""
    if query.plate:
        rows = rows.filter(plate__icontains=query.plate.strip().upper())
    if query.place is None:
        return rows
    path = Place.objects.filter(pk=query.place).values_list("path", flat=True).first()
    return rows.filter(place__path__startswith=path) if path else rows.none()


@router.get("/passages", response=Page[PassageOut])
def list_passages(request: PageRequest, query: Query[PassageQuery]) -> Any:
    """Vehicles at the lanes of one's places, newest first."""
    policy.require_anywhere(request.actor, selectors.VIEW)
    rows = _narrowed(selectors.passages(request.actor), query)
    rows = rows.filter(state=query.state) if query.state else rows
    rows = rows.filter(klass=query.klass) if query.klass else rows
    return answer(rows, query, {"at": "began_at", "plate": "plate"}, PassageOut.from_orm, "passages")


@router.get("/passages/{int:passage_id}", response=PassageOut)
def get_passage(request: PageRequest, passage_id: int) -> Passage:
    """One passage."""
    return selectors.passage(request.actor, passage_id)


@router.post("/passages/{int:passage_id}/answer", response=PassageOut)
def answer_passage(request: PageRequest, passage_id: int, body: AnswerIn) -> Passage:
    """The guard's word on a vehicle that waits: it is the plate that it is like, let it in for a reason, or not."""
    return services.answer(request.actor, passage_id, let_in=body.let_in, like=body.like, reason=body.reason)


@router.get("/lists", response=Page[EntryOut])
def list_entries(request: PageRequest, query: Query[EntryQuery]) -> Any:
    """Plates on the white, visitor, watch and emergency lists of one's places."""
    policy.require_anywhere(request.actor, selectors.VIEW)
    rows = _narrowed(selectors.entries(request.actor, ended=query.ended), query)
    rows = rows.filter(list=query.list) if query.list else rows
    return answer(rows, query, {"plate": "plate", "until": "until", "since": "since"}, EntryOut.from_orm, "lists")


@router.post("/lists", response={201: EntryOut})
def add_entry(request: PageRequest, body: EntryIn) -> Status[ListEntry]:
    """Put a plate on a list: what for and until when. Guards add visitors, the manager the others."""
    return Status(201, services.add_entry(request.actor, EntryDraft(**body.model_dump())))


@router.post("/lists/revoke", response=RevokedOut)
def revoke_entries(request: PageRequest, body: RevokeIn) -> RevokedOut:
    """Take plates off their lists at this moment."""
    return RevokedOut(revoked=services.revoke_entries(request.actor, body.ids, body.reason))


@router.get("/stays", response=Page[StayOut])
def list_stays(request: PageRequest, query: Query[StayQuery]) -> Any:
    """Vehicles inside one's compounds, those that came first at the top."""
    policy.require_anywhere(request.actor, selectors.VIEW)
    rows = _narrowed(selectors.stays(request.actor, inside=query.inside), query)
    return answer(rows, query, {"since": "since", "plate": "plate"}, StayOut.from_orm, "stays")


@router.get("/parking", response=list[ParkingOut])
def list_parking(request: PageRequest) -> list[ParkingOut]:
    """How full the parkings of one's places are."""
    policy.require_anywhere(request.actor, selectors.VIEW)
    return [_parking(row) for row in selectors.occupancy(request.actor)]


def _parking(row: Occupancy) -> ParkingOut:
    place = row.parking.place_id
    return ParkingOut(
        id=row.parking.pk, place=place, capacity=row.parking.capacity, inside=row.inside, free=row.free,
        guests=row.guests,
    )  # fmt: skip
