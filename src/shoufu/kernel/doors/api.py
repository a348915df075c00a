import base64
from datetime import datetime
from typing import Any

from ninja import Field, Query, Router, Schema, Status

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.base.lists.api import ListQuery, Page, answer
from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.doors import selectors, services
from shoufu.kernel.doors.models import AccessPoint, LockDown, OpenRequest
from shoufu.kernel.doors.services.credential_states import STEPS, change_state

router = Router()


class PointIn(Schema):
    code: str = Field(max_length=64)
    name: str = Field(max_length=80)
    place: int
    kind: str
    controller: int
    output: int = 1
    name_en: str = Field("", max_length=80)
    readers: list[tuple[str, str]] = Field([("card", "in")], description="(technology, side) of each reader")
    release_seconds: int = 5
    extended_seconds: int = 15
    held_seconds: int = 60
    warn_seconds: int = 15
    interlock: str = Field("", max_length=32)
    area_in: str = Field("", max_length=32)
    area_out: str = Field("", max_length=32)
    passback: str = "off"
    dwelling: bool = False
    intercom: str = Field("", max_length=160)


class StateOut(Schema):
    command: str
    bolt: str
    contact: str
    mode: str
    alarm: str
    alarm_at: datetime | None


class PointOut(Schema):
    id: int
    code: str
    name: str
    name_en: str
    kind: str
    place: int = Field(alias="place_id")
    controller: int = Field(alias="controller_id")
    output: int
    mode: str
    dwelling: bool
    state: StateOut | None = None


class ReasonIn(Schema):
    reason: str = Field(max_length=200)


class OpenIn(Schema):
    reason: str = Field(max_length=200)
    case: int | None = None
    extended: bool = False


class ModeIn(Schema):
    mode: str
    reason: str = Field(max_length=200)


class OpenOut(Schema):
    id: int
    point: int = Field(alias="point_id")
    state: str
    reason: str
    asked_by: str
    asked_at: datetime
    decided_by: str


class RuleSetOut(Schema):
    controller: int
    code: str
    trusted: bool
    held: int
    needed: int
    behind_since: datetime | None
    last_sync: datetime | None
    clock: str


class CredentialIn(Schema):
    place: int
    technology: str
    value: str = Field("", max_length=64)
    person: int | None = None
    holder: str = Field("", max_length=80)
    label: str = Field("", max_length=80)
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    lease_days: int = 14
    levels: list[int] = []
    extended: bool = False
    duress: bool = False


class CredentialOut(Schema):
    id: int
    technology: str
    person: int | None = Field(alias="person_id")
    holder: str
    label: str
    place: int = Field(alias="place_id")
    valid_from: datetime
    valid_until: datetime | None
    lease_days: int
    state: str
    state_since: datetime
    clonable: bool


class IssuedOut(Schema):
    credential: CredentialOut
    value: str


class StateIn(Schema):
    ids: list[int] = Field(min_length=1, max_length=5000)
    state: str = Field(description="suspended, active, lost or revoked")
    reason: str = Field(max_length=200)


class DoorOut(Schema):
    point: int
    name: str
    level: str
    schedule: str
    until: datetime | None


class PassIn(Schema):
    place: int
    holder: str = Field(max_length=80)
    since: datetime
    until: datetime
    purpose: str = "visitor"
    host: int | None = None
    maximum: int | None = None
    points: list[int] = []
    windows: list[dict[str, Any]] = []
    rotating: bool = False


class PassOut(Schema):
    id: int = Field(alias="pk")
    holder: str = Field(alias="credential.holder")
    purpose: str
    since: datetime = Field(alias="credential.valid_from")
    until: datetime | None = Field(alias="credential.valid_until")
    uses: int
    maximum: int | None
    state: str = Field(alias="credential.state")


class IssuedPassOut(Schema):
    visit: PassOut
    payload: str
    code: dict[str, Any]


class PhoneIn(Schema):
    phone: str = Field("", max_length=80)
    place: int | None = None


class PhoneOut(Schema):
    """Import `key` as a non-extractable HMAC-SHA256 key; it is shown this once."""

    credential: int
    identifier: str
    group: int
    key: str
    step_seconds: int


class LockDownIn(Schema):
    place: int
    reason: str = Field(max_length=200)


class LockDownOut(Schema):
    id: int
    place: int = Field(alias="place_id")
    reason: str
    started_by: str
    started_at: datetime
    released_at: datetime | None


class PathQuery(ListQuery):
    path: str = Field("/", description="Path of a place; its whole subtree counts")


@router.get("/points", response=Page[PointOut])
def list_points(request: PageRequest, query: Query[PathQuery]) -> Any:
    """Doors of one's places with their four facts."""
    rows = selectors.points(request.actor, query.path)
    return answer(rows, query, {"code": "code", "place": "place__path"}, PointOut.from_orm, "doors")


@router.post("/points", response={201: list[PointOut]})
def create_points(request: PageRequest, body: list[PointIn]) -> Status[list[AccessPoint]]:
    """Set up doors, all or none."""
    drafts = [
        services.PointDraft(
            **item.model_dump(exclude={"readers"}), readers=tuple(services.ReaderDraft(*one) for one in item.readers)
        )
        for item in body
    ]
    return Status(201, services.create_points(request.actor, drafts))


@router.get("/points/{int:point_id}", response=PointOut)
def get_point(request: PageRequest, point_id: int) -> AccessPoint:
    """One door with its four facts."""
    return selectors.point(request.actor, point_id)


@router.post("/points/{int:point_id}/open", response={201: OpenOut})
def open_point(request: PageRequest, point_id: int, body: OpenIn) -> Status[OpenRequest]:
    """Open a door from afar; a dwelling's waits for a second person."""
    asked = services.ask_open(request.actor, point_id, body.reason, body.case, extended=body.extended)
    return Status(201, asked)


@router.post("/points/{int:point_id}/mode", response=PointOut)
def set_mode(request: PageRequest, point_id: int, body: ModeIn) -> AccessPoint:
    """Bring a door into another mode."""
    return services.set_mode(request.actor, point_id, body.mode, body.reason)


@router.post("/requests/{int:request_id}/confirm", response=OpenOut)
def confirm_open(request: PageRequest, request_id: int) -> OpenRequest:
    """The second person lets a dwelling's door be opened."""
    return services.confirm_open(request.actor, request_id)


@router.get("/rule-sets", response=list[RuleSetOut])
def rule_sets(request: PageRequest, path: str = "/") -> Any:
    """Which rule set each controller holds and should hold."""
    return [
        RuleSetOut(
            controller=row.device_id,
            code=row.device.code,
            trusted=row.trusted_at is not None,
            held=row.held,
            needed=row.needed,
            behind_since=row.since if row.held < row.needed else None,
            last_sync=row.last_sync,
            clock=row.clock,
        )
        for row in selectors.controllers(request.actor, path).order_by("device__code")[:5000]
    ]


@router.get("/credentials", response=Page[CredentialOut])
def list_credentials(request: PageRequest, query: Query[PathQuery]) -> Any:
    """Credentials of one's places; never what is read of them."""
    rows = selectors.credentials(request.actor, query.path)
    return answer(rows, query, {"since": "state_since", "state": "state"}, CredentialOut.from_orm, "credentials")


@router.post("/credentials", response={201: list[IssuedOut]})
def issue(request: PageRequest, body: list[CredentialIn]) -> Status[list[services.Issued]]:
    """Issue credentials, all or none; a PIN that is made is shown this once."""
    drafts = [services.CredentialDraft(**{**item.model_dump(), "levels": tuple(item.levels)}) for item in body]
    return Status(201, services.issue_many(request.actor, drafts))


@router.post("/credentials/state", response=dict[str, int])
def set_state(request: PageRequest, body: StateIn) -> dict[str, int]:
    """Bring credentials into another state, all or none; how many controllers must forget one."""
    if body.state not in STEPS:
        raise Invalid.one("state", f"Use one of: {', '.join(STEPS)}.")
    return {"receipts": len(change_state(request.actor, body.ids, body.state, body.reason))}


@router.get("/people/{int:person_id}", response=list[DoorOut])
def doors_of(request: PageRequest, person_id: int) -> Any:
    """The doors that a person may pass, by which level and when."""
    return [
        DoorOut(
            point=one.point.pk,
            name=one.point.label,
            level=one.level.label,
            schedule=one.schedule.label if one.schedule else "",
            until=one.until,
        )
        for one in selectors.doors_for(request.actor, person_id)
    ]


@router.post("/people/{int:person_id}/phones", response={201: PhoneOut})
def enrol_phone(request: PageRequest, person_id: int, body: PhoneIn) -> Status[PhoneOut]:
    """Enrol a phone for rotating codes; its key is in this answer and nowhere else."""
    made = services.resident_qr_key(request.actor, person_id, body.phone, body.place)
    return Status(
        201,
        PhoneOut(
            credential=made.credential.pk,
            identifier=made.identifier.hex(),
            group=made.group,
            key=base64.b64encode(made.key).decode(),
            step_seconds=made.step_seconds,
        ),
    )


@router.get("/passes", response=Page[PassOut])
def list_passes(request: PageRequest, query: Query[PathQuery]) -> Any:
    """Passes of one's places, or that one gave, newest first."""
    rows = selectors.passes(request.actor, query.path)
    return answer(rows, query, {"since": "credential__valid_from", "uses": "uses"}, PassOut.from_orm, "passes")


@router.post("/passes", response={201: IssuedPassOut})
def issue_pass(request: PageRequest, body: PassIn) -> Status[dict[str, Any]]:
    """Let somebody in for a time; the answer holds the text of the QR code, or what a page needs to make it."""
    draft = services.PassDraft(**{**body.model_dump(), "points": tuple(body.points)})
    made = services.issue_pass(request.actor, draft)
    code = made.code.as_json() if not made.payload else {}
    return Status(201, {"visit": made.visit, "payload": made.payload, "code": code})


@router.post("/passes/{int:pass_id}/revoke", response=dict[str, int])
def revoke_pass(request: PageRequest, pass_id: int, body: ReasonIn) -> dict[str, int]:
    """End a pass now."""
    return {"receipts": len(services.revoke_pass(request.actor, pass_id, body.reason))}


@router.get("/lock-downs", response=list[LockDownOut])
def list_lock_downs(request: PageRequest, path: str = "/") -> Any:
    """Lock-downs of one's places, newest first."""
    return list(selectors.lock_downs(request.actor, path)[:200])


@router.post("/lock-downs", response={201: LockDownOut})
def lock_down(request: PageRequest, body: LockDownIn) -> Status[LockDown]:
    """Lock every door below a place down."""
    return Status(201, services.lock_down(request.actor, body.place, body.reason))


@router.post("/lock-downs/{int:lock_down_id}/release", response=LockDownOut)
def release(request: PageRequest, lock_down_id: int, body: ReasonIn) -> LockDown:
    """End a lock-down."""
    return services.release_lock_down(request.actor, lock_down_id, body.reason)
