"""/api/homecare/encounters/…: what the nurse's phone speaks, and encounters for other programs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from ninja import Field, Query, Router, Schema, Status

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, Problem
from shoufu.kernel.base.lists.api import ListQuery, Page, answer
from shoufu.kernel.base.pages import PageRequest
from shoufu.scenes.homecare.encounters import selectors, services
from shoufu.scenes.homecare.encounters.models import Operation, Phone, Sos
from shoufu.scenes.homecare.register import selectors as register

router = Router(tags=["homecare"])
SCHEME = "phone"


def by_phone(request: HttpRequest) -> Phone | None:
    """`Authorization: Phone <device>.<token>`: the phone itself, whoever is signed in or not."""
    scheme, _space, text = request.headers.get("Authorization", "").partition(" ")
    phone = services.proved(text.strip()) if scheme.lower() == SCHEME else None
    if phone is not None:
        translation.activate(phone.user.language)
    return phone


by_phone.openapi_security_schema = {"type": "http", "scheme": SCHEME}  # type: ignore[attr-defined]


class LineIn(Schema):
    """One line of a visit; `content` by its `kind` (encounters/documents.py)."""

    id: UUID = Field(description="The phone's own, UUIDv7: the same one is carried out once")
    visit: int
    sequence: int = Field(ge=1, le=1_000_000, description="Counts the lines of this visit on this phone, from 1")
    kind: str = Field(max_length=16)
    at: datetime = Field(description="When it was written, by the phone's clock")
    content: dict[str, Any]
    base: int | None = Field(None, ge=0, description="The number of the entry that it was written upon; 0: none")


class SyncIn(Schema):
    device: UUID
    user: str = Field("", max_length=20, description="Whose phone it is; 409 where somebody else is signed in")
    sent_at: datetime = Field(description="Now, by the phone's clock: what is wrong with it is put right")
    lines: list[LineIn] = Field(max_length=200)


class AnswerOut(Schema):
    id: UUID
    result: str = Field(description="applied, already, held, conflict, refused; later: not carried out, send it again")
    problem: dict[str, Any] = Field(description="Why not, as RFC 9457")
    number: int = Field(description="The number of the entry that was made")


class SyncOut(Schema):
    answers: list[AnswerOut]
    server_time: datetime


class BundleOut(Schema):
    tag: str
    server_time: datetime
    user: str
    language: str
    content: dict[str, Any]


class BundleQuery(Schema):
    device: UUID
    known: str = Field("", max_length=64, description="The tag of what the phone has; 204 where that is all there is")


class ProgressOut(Schema):
    received: int
    size: int
    kept: bool


class PositionIn(Schema):
    longitude: float
    latitude: float
    accuracy: float = Field(0, ge=0, le=1_000_000)
    at: datetime


class SosIn(Schema):
    id: UUID
    pressed_at: datetime
    visit: int | None = None
    position: PositionIn | None = None


class SosOut(Schema):
    id: UUID
    case: str = Field(description="The number of the case at the alarm desk")
    case_id: int
    known_at: datetime

    @staticmethod
    def resolve_case(row: Sos) -> str:
        return row.case.number if row.case else ""


class EncounterOut(Schema):
    id: int
    visit: int = Field(alias="visit_id")
    patient: int = Field(alias="patient_id")
    practitioner: int = Field(alias="practitioner_id")
    state: str
    opened_at: datetime
    in_at: datetime | None
    in_known: datetime | None
    in_distance: float | None
    out_at: datetime | None
    out_known: datetime | None
    out_distance: float | None
    contested: bool


class EntryOut(Schema):
    kind: str
    number: int
    at: datetime
    known_at: datetime
    author: int
    content: dict[str, Any]


class PhotoOut(Schema):
    id: UUID
    at: datetime
    content_type: str
    size: int
    here: bool
    detail: dict[str, Any]


class ShownOut(Schema):
    encounter: EncounterOut
    entries: list[EntryOut]
    photos: list[PhotoOut]


class EncounterQuery(ListQuery):
    state: str = ""
    patient: int | None = None
    practitioner: int | None = None
    visit: int | None = None


class LookQuery(Schema):
    reason: str = Field(max_length=200, description="Why one looks; the patient reads it")


class OperationOut(Schema):
    id: UUID
    visit: int = Field(alias="visit_id")
    practitioner: int = Field(alias="practitioner_id")
    kind: str
    at: datetime
    known_at: datetime
    result: str
    problem: dict[str, Any]
    settled_at: datetime | None
    settled_note: str


class OperationQuery(ListQuery):
    open: bool = True


class SettleIn(Schema):
    note: str = Field(max_length=300)
    take: bool = Field(False, description="It counts: as the newest entry of its kind, or as done at the door")
    also: bool = Field(False, description="The same for the other lines of this record that are kept and in doubt")


class PhoneIn(Schema):
    device: UUID


class TokenOut(Schema):
    token: str = Field(description="Shown once: `Authorization: Phone <device>.<token>`")


class StandingOut(Schema):
    standing: services.Standing = Field(description="open: sign in; revoked: patients' data must leave the phone")


class AddendumIn(Schema):
    text: str = Field(max_length=4000)
    of: str = Field("", max_length=32)


@router.get("/bundle", response={200: BundleOut, 204: None})
def get_bundle(request: PageRequest, query: Query[BundleQuery]) -> Status[Any]:
    """One's own visits of today and tomorrow with what it takes to do them offline; each patient's is a recorded look.
    403 with `reason` "revoked": the phone must forget them."""
    get_token(request)
    found = services.bundle(request.actor, query.device, query.known)
    if found is None:
        return Status(204, None)
    return Status(
        200,
        {
            "tag": found.tag,
            "server_time": timezone.now(),
            "user": request.actor.id,
            "language": request.actor.language,
            "content": found.content,
        },
    )


@router.post("/sync", response=SyncOut)
def sync(request: PageRequest, body: SyncIn) -> Any:
    """Carry out lines; each is answered by itself. The same batch can be sent any number of times."""
    if body.user and body.user != request.actor.id:
        raise Conflict(_("This phone belongs to somebody else; sign in as who set it up."))
    lines = [services.Draft(**line.model_dump()) for line in body.lines]
    done = services.sync(request.actor, body.device, body.sent_at, lines)
    return {"answers": done, "server_time": timezone.now()}


@router.get("/sync/open", response=list[OperationOut])
def sync_open(request: PageRequest, device: UUID) -> Any:
    """One's own lines from this phone of the last two weeks that wait, are in conflict or refused, and what was decided
    about them. One that waited and is not among them any more was kept."""
    return services.answers(request.actor, device)


@router.get("/media/{uuid:photo_id}", response=ProgressOut)
def media_progress(request: PageRequest, photo_id: UUID) -> Any:
    """How far a picture has come: from there one goes on."""
    return _progress(services.progress(request.actor, photo_id))


@router.put("/media/{uuid:photo_id}/{int:offset}", response=ProgressOut)
def media_piece(request: PageRequest, photo_id: UUID, offset: int) -> Any:
    """The next bytes of a picture, as the raw body. 409 where they do not follow (`received`), 413 beyond the limit."""
    return _progress(_piece(request, request.actor, photo_id, offset))


def _piece(request: HttpRequest, actor: Actor, photo_id: UUID, offset: int) -> services.Progress:
    length = request.headers.get("Content-Length", "")
    if not length.isdigit():
        raise Problem("Length required", "Content-Length", 411, "length")
    if int(length) > services.MOST:
        raise services.too_large(int(length))
    return services.piece(actor, photo_id, offset, request.body)


def _progress(found: services.Progress) -> dict[str, Any]:
    return {"received": found.received, "size": found.photo.size, "kept": found.kept}


@router.post("/sos", response=SosOut)
def call_for_help(request: PageRequest, body: SosIn) -> Sos:
    """A call for help: a critical case at once. The same id again raises no other."""
    return services.call(request.actor, _press(body))


def _press(body: SosIn) -> services.Press:
    position = services.Position(**body.position.model_dump()) if body.position else None
    return services.Press(body.id, body.pressed_at, body.visit, position)


@router.post("/sos/{uuid:sos_id}/position", response=SosOut)
def sos_position(request: PageRequest, sos_id: UUID, body: PositionIn) -> Sos:
    """Where one is now, while somebody is under way."""
    return services.moved(request.actor, sos_id, services.Position(**body.model_dump()))


@router.post("/phone", response=TokenOut)
def enrol_phone(request: PageRequest, body: PhoneIn) -> dict[str, str]:
    """A token by which one's own phone proves itself when nobody is signed in; the one before is worth nothing then."""
    return {"token": services.enrol(request.actor, body.device)}


@router.get("/phone/standing", auth=by_phone, response=StandingOut)
def phone_standing(request: Any) -> dict[str, str]:
    """Whether the phone's owner still gives care. A phone asks it where nobody is signed in, also locked."""
    return {"standing": services.standing(request.auth)}


@router.post("/phone/sync", auth=by_phone, response=SyncOut)
def phone_sync(request: Any, body: SyncIn) -> Any:
    """What was not sent when the owner's account was closed: each line comes in as one in conflict. 401 while they give
    care: they sign in."""
    actor = _stopped(request.auth)
    lines = [services.Draft(**line.model_dump()) for line in body.lines]
    done = services.sync(actor, request.auth.pk, body.sent_at, lines)
    return {"answers": done, "server_time": timezone.now()}


@router.get("/phone/media/{uuid:photo_id}", auth=by_phone, response=ProgressOut)
def phone_media(request: Any, photo_id: UUID) -> Any:
    """How far a picture of such a line has come."""
    return _progress(services.progress(_stopped(request.auth), photo_id))


@router.put("/phone/media/{uuid:photo_id}/{int:offset}", auth=by_phone, response=ProgressOut)
def phone_media_piece(request: Any, photo_id: UUID, offset: int) -> Any:
    """The next bytes of it."""
    return _progress(_piece(request, _stopped(request.auth), photo_id, offset))


def _stopped(phone: Phone) -> Actor:
    if services.standing(phone) == "open":
        raise Problem(_("Sign in first"), status=401, kind="unauthenticated")
    return services.owner(phone)


@router.post("/phone/sos", auth=by_phone, response=SosOut)
def phone_sos(request: Any, body: SosIn) -> Sos:
    """A call for help where nobody is signed in any more."""
    return services.call(services.owner(request.auth), _press(body))


@router.post("/phone/sos/{uuid:sos_id}/position", auth=by_phone, response=SosOut)
def phone_sos_position(request: Any, sos_id: UUID, body: PositionIn) -> Sos:
    """Where one is now, where nobody is signed in any more."""
    return services.moved(services.owner(request.auth), sos_id, services.Position(**body.model_dump()))


@router.get("/encounters", response=Page[EncounterOut])
def list_encounters(request: PageRequest, query: Query[EncounterQuery]) -> Any:
    """Encounters that one may see; nothing of what was written."""
    register.require_any(request.actor, register.PATIENTS, register.CARE)
    rows = selectors.encounters(request.actor)
    for name in ("state", "patient", "practitioner", "visit"):
        if value := getattr(query, name):
            rows = rows.filter(**{name: value})
    return answer(rows, query, {"in_at": "in_at", "opened": "opened_at"}, EncounterOut.from_orm, "encounters")


@router.get("/encounters/{int:encounter_id}", response=ShownOut)
def get_encounter(request: PageRequest, encounter_id: int, query: Query[LookQuery]) -> Any:
    """One with everything that was written; the look is recorded with its reason."""
    found = services.look(request.actor, encounter_id, query.reason)
    return {
        "encounter": found.encounter,
        "entries": [
            EntryOut(kind=one.entry.kind, number=one.entry.number, at=one.entry.at, known_at=one.entry.known_at,
                     author=one.entry.author_id, content=dict(one.content))
            for one in found.written
        ],
        "photos": [
            PhotoOut(id=one.photo.pk, at=one.photo.at, content_type=one.photo.content_type, size=one.photo.size,
                     here=one.here, detail=dict(one.detail))
            for one in found.photos
        ],
    }  # fmt: skip


@router.get("/encounters/{int:encounter_id}/photos/{uuid:photo_id}", response={200: bytes})
def get_photo(request: PageRequest, encounter_id: int, photo_id: UUID) -> HttpResponse:
    """A picture of an encounter; the look is recorded."""
    photo, content = services.picture(request.actor, encounter_id, photo_id)
    return HttpResponse(content, content_type=photo.content_type, headers={"Cache-Control": "no-store"})


@router.post("/encounters/{int:encounter_id}/addenda", response={201: None})
def add_addendum(request: PageRequest, encounter_id: int, body: AddendumIn) -> Status[None]:
    """Put something right, or add it: what was written stays as it is."""
    services.add(request.actor, encounter_id, body.text, body.of)
    return Status(201, None)


@router.get("/operations", response=Page[OperationOut])
def list_operations(request: PageRequest, query: Query[OperationQuery]) -> Any:
    """Lines in conflict, refused or waiting."""
    register.require_any(request.actor, register.PATIENTS, register.CARE)
    rows = selectors.conflicts(request.actor)
    rows = rows.filter(settled_at__isnull=True) if query.open else rows
    return answer(rows, query, {"known": "known_at", "at": "at"}, OperationOut.from_orm, "operations")


@router.post("/operations/{uuid:operation_id}/settle", response=OperationOut)
def settle(request: PageRequest, operation_id: UUID, body: SettleIn) -> Operation:
    """Say what was decided about a line in conflict."""
    return services.settle(request.actor, operation_id, body.note, take=body.take, also=body.also)
