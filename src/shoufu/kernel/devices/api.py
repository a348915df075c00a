from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from ninja import Field, Query, Router, Schema, Status

from shoufu.kernel.base.lists.api import ListQuery, Page, answer
from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.devices import commands, selectors, services
from shoufu.kernel.devices.models import Command, Device

router = Router()
SORTABLE = {"code": "code", "name": "name", "kind": "kind", "status": "status", "last_seen": "last_seen"}


class DeviceOut(Schema):
    id: int
    code: str
    kind: str
    name: str
    name_en: str
    place: int = Field(alias="place_id")
    longitude: float | None
    latitude: float | None
    heading: float | None
    model: str
    protocol: str
    status: str
    status_since: datetime | None
    last_seen: datetime | None
    heartbeat_seconds: int
    retired_at: datetime | None
    version: int


class DeviceDetail(DeviceOut):
    config: dict[str, Any]


class RegisteredOut(Schema):
    device: DeviceOut
    secret: str = Field(description="Shown once; keep it in the device")


class DeviceIn(Schema):
    code: str = Field(max_length=64)
    kind: str
    name: str = Field(max_length=120)
    place: int
    name_en: str = Field("", max_length=120)
    longitude: float | None = None
    latitude: float | None = None
    heading: float | None = Field(None, ge=0, lt=360)
    model: str = Field("", max_length=80)
    protocol: str = Field("mqtt", max_length=16)
    config: dict[str, Any] = {}
    heartbeat_seconds: int = Field(60, ge=1, le=86_400)


class ChangeIn(Schema):
    version: int
    name: str | None = Field(None, max_length=120)
    name_en: str | None = Field(None, max_length=120)
    place: int | None = None
    longitude: float | None = None
    latitude: float | None = None
    heading: float | None = Field(None, ge=0, lt=360)
    model: str | None = Field(None, max_length=80)
    heartbeat_seconds: int | None = Field(None, ge=1, le=86_400)


class ConfigIn(Schema):
    version: int
    config: dict[str, Any]


class ReasonIn(Schema):
    reason: str = Field(max_length=200)


class DesiredIn(Schema):
    patch: dict[str, Any] = Field(description="Keys replace, null removes")


class ShadowOut(Schema):
    desired: dict[str, Any]
    desired_version: int
    reported: dict[str, Any]
    reported_version: int
    reported_at: datetime | None


class CommandIn(Schema):
    name: str = Field(max_length=32)
    parameters: dict[str, Any] = {}
    reason: str = Field("", max_length=200)
    seconds: int = 30


class CommandOut(Schema):
    id: UUID
    device: int = Field(alias="device_id")
    name: str
    parameters: dict[str, Any]
    reason: str
    state: str
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    sent_at: datetime | None
    done_at: datetime | None
    answer: dict[str, Any] | None


class HealthOut(Schema):
    total: int
    online: int
    states: dict[str, int]
    kinds: dict[str, dict[str, int]]


class StateOut(Schema):
    device: int = Field(alias="device_id")
    property: str
    value: Any
    valid: datetime
    known: datetime


class DeviceQuery(ListQuery):
    path: str = Field("/", description="Path of a place; its whole subtree counts")
    kind: list[str] = []
    status: list[str] = []
    text: str = ""
    retired: bool = False


@router.get("", response=Page[DeviceOut])
def list_devices(request: PageRequest, query: Query[DeviceQuery]) -> Any:
    """The devices of one's places."""
    wanted = selectors.DeviceFilter(query.path, tuple(query.kind), tuple(query.status), query.text, query.retired)
    return answer(selectors.listing(request.actor, wanted), query, SORTABLE, DeviceOut.from_orm, "devices")


@router.post("", response={201: list[RegisteredOut]})
def register(request: PageRequest, body: list[DeviceIn]) -> Status[list[services.Registered]]:
    """Take devices into service, all or none; the answer is the only place where their secrets are shown."""
    drafts = [services.DeviceDraft(**item.model_dump()) for item in body]
    return Status(201, services.register_many(request.actor, drafts))


@router.get("/health", response=HealthOut)
def health(request: PageRequest, path: str = "/") -> selectors.Health:
    """How many devices are in service, by state and kind."""
    return selectors.health(request.actor, path)


@router.get("/states", response=list[StateOut])
def states(
    request: PageRequest, at: datetime | None = None, known: datetime | None = None, path: str = "/"
) -> list[selectors.State]:
    """The states of the devices at a moment, as it was known then (or at `known`)."""
    return selectors.states_as_of(request.actor, path, at or timezone.now(), known)


@router.get("/{int:device_id}", response=DeviceDetail)
def get_device(request: PageRequest, device_id: int) -> Device:
    """One device with its configuration."""
    return selectors.get(request.actor, device_id)


@router.post("/{int:device_id}/change", response=DeviceOut)
def change(request: PageRequest, device_id: int, body: ChangeIn) -> Device:
    """Rename, move or describe a device."""
    wanted = services.DeviceChange(**body.model_dump(exclude={"version"}))
    return services.change(request.actor, device_id, body.version, wanted)


@router.put("/{int:device_id}/config", response=DeviceDetail)
def configure(request: PageRequest, device_id: int, body: ConfigIn) -> Device:
    """Replace a device's configuration: a camera's source, zones and lines."""
    return services.configure(request.actor, device_id, body.version, body.config)


@router.post("/{int:device_id}/rotate-secret", response=RegisteredOut)
def rotate_secret(request: PageRequest, device_id: int) -> services.Registered:
    """Give a device another secret, shown once."""
    return services.rotate_secret(request.actor, device_id)


@router.post("/{int:device_id}/retire", response=DeviceOut)
def retire(request: PageRequest, device_id: int, body: ReasonIn) -> Device:
    """Take a device out of service."""
    return services.retire(request.actor, device_id, body.reason)


@router.get("/{int:device_id}/shadow", response=ShadowOut)
def shadow(request: PageRequest, device_id: int) -> Any:
    """What a device should be and what it last said it is."""
    return selectors.shadow(request.actor, device_id)


@router.patch("/{int:device_id}/shadow", response=ShadowOut)
def desire(request: PageRequest, device_id: int, body: DesiredIn) -> Any:
    """Say how a device should be."""
    return services.desire(request.actor, device_id, body.patch)


@router.get("/{int:device_id}/commands", response=Page[CommandOut])
def list_commands(request: PageRequest, device_id: int, query: Query[ListQuery]) -> Any:
    """The orders a device was given, newest first."""
    rows = selectors.commands(request.actor, device_id)
    return answer(rows, query, {"asked_at": "asked_at", "state": "state"}, CommandOut.from_orm, "commands")


@router.post("/{int:device_id}/commands", response={201: CommandOut})
def command(request: PageRequest, device_id: int, body: CommandIn) -> Status[Command]:
    """Order a device."""
    return Status(201, commands.queue(request.actor, commands.CommandDraft(device_id, **body.model_dump())))
