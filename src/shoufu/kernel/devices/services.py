import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, Value
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid, NotFound
from shoufu.kernel.devices import config as configuration
from shoufu.kernel.devices.models import Change, Device, Shadow
from shoufu.kernel.devices.selectors import secret_hash
from shoufu.kernel.places import geometry as shapes
from shoufu.kernel.places.models import Place

MANAGE = "devices.manage"
SILENT_BEATS = 3


@dataclass(frozen=True)
class DeviceDraft:
    """A device to be: `place` is the place's id; position in WGS-84 degrees, `heading` in degrees from north."""

    code: str
    kind: str
    name: str
    place: int
    name_en: str = ""
    longitude: float | None = None
    latitude: float | None = None
    heading: float | None = None
    model: str = ""
    protocol: str = "mqtt"
    config: Mapping[str, Any] = field(default_factory=dict)
    heartbeat_seconds: int = 60


@dataclass(frozen=True)
class Registered:
    """A registered device and its secret, which nobody can read again."""

    device: Device
    secret: str


def register(actor: Actor, draft: DeviceDraft) -> Registered:
    """Take one device into service; its secret is shown once."""
    return register_many(actor, [draft])[0]


@transaction.atomic
def register_many(actor: Actor, drafts: Sequence[DeviceDraft]) -> list[Registered]:
    """Take devices into service, all or none; four queries however many. Errors name the draft as /index/field."""
    places = {place.pk: place for place in Place.objects.filter(pk__in={draft.place for draft in drafts})}
    errors = [error for n, draft in enumerate(drafts) for error in _errors(actor, draft, places, f"/{n}/")]
    if errors:
        raise Invalid(*errors)
    made = [_made(draft, places[draft.place], f"/{n}/") for n, draft in enumerate(drafts)]
    devices = [registered.device for registered in made]
    try:
        with transaction.atomic():
            Device.objects.bulk_create(devices)
    except IntegrityError as error:
        raise Conflict(_("A device with this code is already registered.")) from error
    Shadow.objects.bulk_create([Shadow(device=device) for device in devices])
    record_many(actor, [_act("devices.register", device, {"kind": device.kind}) for device in devices])
    return made


def _errors(actor: Actor, draft: DeviceDraft, places: Mapping[int, Place], prefix: str) -> list[FieldError]:
    place = places.get(draft.place)
    if place is None or not (actor.may("places.view", place.path) or actor.may(MANAGE, place.path)):
        return [FieldError(f"{prefix}place", _("There is no place %(id)s that you may see.") % {"id": draft.place})]
    policy.require(actor, MANAGE, place)
    errors = []
    # The code is a topic level and part of file names.
    if not draft.code or len(draft.code) > 64 or any(c in "/#+*>. " or not c.isprintable() for c in draft.code):
        message = _("1 to 64 characters without spaces, dots and / # + * >.")
        errors.append(FieldError(f"{prefix}code", message))
    if not draft.name.strip():
        errors.append(FieldError(f"{prefix}name", _("Must not be empty.")))
    if draft.kind not in Device.Kind.values:
        kinds = ", ".join(Device.Kind.values)
        errors.append(FieldError(f"{prefix}kind", _("Use one of: %(kinds)s.") % {"kinds": kinds}))
    if place.closed_at is not None:
        errors.append(FieldError(f"{prefix}place", _("%(place)s is closed; reopen it first.") % {"place": place.label}))
    return errors + _position_errors(draft.longitude, draft.latitude, place, prefix)


def _position_errors(longitude: float | None, latitude: float | None, place: Place, prefix: str) -> list[FieldError]:
    if longitude is None and latitude is None:
        return []
    point = shapes.position([longitude, latitude], f"{prefix}longitude")
    near = [(place.longitude, place.latitude)] if place.longitude is not None and place.latitude is not None else []
    suspected = shapes.suspected_datum([point], None, near)
    return [shapes.refuse_wrong_datum(suspected, f"{prefix}longitude")] if suspected else []


def _made(draft: DeviceDraft, place: Place, prefix: str = "") -> Registered:
    secret = secrets.token_urlsafe(32)
    device = Device(
        code=draft.code,
        kind=draft.kind,
        name=draft.name.strip(),
        name_en=draft.name_en.strip(),
        place=place,
        longitude=draft.longitude,
        latitude=draft.latitude,
        heading=draft.heading,
        model=draft.model,
        protocol=draft.protocol,
        config=configuration.checked(draft.kind, draft.config, f"{prefix}config"),
        heartbeat_seconds=draft.heartbeat_seconds,
        secret_hash=secret_hash(secret),
    )
    return Registered(device, secret)


def _act(action: str, device: Device, data: Mapping[str, Any], reason: str = "") -> Act:
    return Act(action, device, place=device.place_id, reason=reason, data={"code": device.code, **data})


def _locked(actor: Actor, device_id: int, permission: str = MANAGE, version: int | None = None) -> Device:
    rows = Device.objects.select_for_update(of=("self",)).select_related("place")
    device = rows.filter(pk=device_id).first()
    if device is None or not (actor.may("devices.view", device.place.path) or actor.may(permission, device.place.path)):
        raise NotFound(_("There is no device %(id)s that you may see.") % {"id": device_id})
    policy.require(actor, permission, device.place)
    if device.retired_at is not None:
        raise Conflict(_("The device %(code)s is retired.") % {"code": device.code})
    if version is not None and version != device.version:
        raise Conflict(
            _("Somebody changed the device %(code)s meanwhile; look at it again.") % {"code": device.code},
            version=device.version,
        )
    return device


@transaction.atomic
def rotate_secret(actor: Actor, device_id: int) -> Registered:
    """Give a device another secret; the old one is refused from now on."""
    device = _locked(actor, device_id)
    secret = secrets.token_urlsafe(32)
    device.secret_hash, device.version = secret_hash(secret), device.version + 1
    device.save(update_fields=["secret_hash", "version"])
    record(actor, _act("devices.rotate_secret", device, {}))
    return Registered(device, secret)


@transaction.atomic
def retire(actor: Actor, device_id: int, reason: str) -> Device:
    """Take a device out of service: its secret is forgotten, its waiting commands lapse, its history stays."""
    device = _locked(actor, device_id)
    if not reason.strip():
        raise Invalid.one("reason", _("Say why the device is retired."))
    device.retired_at, device.secret_hash, device.version = timezone.now(), None, device.version + 1
    device.save(update_fields=["retired_at", "secret_hash", "version"])
    device.commands.filter(state__in=["queued", "sent"]).update(state="expired")
    record(actor, _act("devices.retire", device, {}, reason.strip()))
    return device


@transaction.atomic
def configure(actor: Actor, device_id: int, version: int, config: Mapping[str, Any]) -> Device:
    """Replace a device's configuration (a camera's source, zones and lines); `version` is the one it was made on."""
    device = _locked(actor, device_id, version=version)
    before = device.config
    device.config, device.version = configuration.checked(device.kind, config), device.version + 1
    device.save(update_fields=["config", "version"])
    record(actor, _act("devices.configure", device, {"before": before, "after": device.config}))
    return device


@dataclass(frozen=True)
class DeviceChange:
    """What may be changed of a device beside its configuration; None leaves it as it is."""

    name: str | None = None
    name_en: str | None = None
    place: int | None = None
    longitude: float | None = None
    latitude: float | None = None
    heading: float | None = None
    model: str | None = None
    heartbeat_seconds: int | None = None


@transaction.atomic
def change(actor: Actor, device_id: int, version: int, wanted: DeviceChange) -> Device:
    """Rename, move or describe a device; the right is needed at the old place and at the new one."""
    device = _locked(actor, device_id, version=version)
    place = _new_place(actor, wanted.place) if wanted.place is not None else device.place
    given = {name: value for name, value in vars(wanted).items() if value is not None and name != "place"}
    if not str(given.get("name", device.name)).strip():
        raise Invalid.one("name", _("Must not be empty."))
    if "longitude" in given or "latitude" in given:
        errors = _position_errors(wanted.longitude, wanted.latitude, place, "")
        if errors:
            raise Invalid(*errors)
    before = {name: getattr(device, name) for name in given} | {"place": device.place_id}
    for name, value in given.items():
        setattr(device, name, value)
    device.place, device.version = place, device.version + 1
    device.save(update_fields=[*given, "place", "version"])
    record(actor, _act("devices.change", device, {"before": before, "after": given | {"place": place.pk}}))
    return device


def _new_place(actor: Actor, place_id: int) -> Place:
    place = Place.objects.filter(pk=place_id, closed_at__isnull=True).first()
    if place is None or not actor.may("places.view", place.path):
        raise Invalid.one("place", _("There is no place %(id)s that you may see.") % {"id": place_id})
    policy.require(actor, MANAGE, place)
    return place


@transaction.atomic
def desire(actor: Actor, device_id: int, patch: Mapping[str, Any]) -> Shadow:
    """Say how a device should be: keys of `patch` replace, None removes (RFC 7396 at the top level)."""
    device = _locked(actor, device_id, "devices.command")
    shadow = Shadow.objects.select_for_update().get(device=device)
    shadow.desired = _patched(shadow.desired, patch)
    shadow.desired_version += 1
    shadow.save(update_fields=["desired", "desired_version"])
    record(actor, _act("devices.desire", device, {"patch": dict(patch), "version": shadow.desired_version}))
    return shadow


@transaction.atomic
def report(actor: Actor, device_id: int, version: int, state: Mapping[str, Any]) -> bool:
    """A device says how it is; `version` is its own counter. False when a later report is already there.

    No audit entry: a device's report is an observation of it, not an act.
    """
    rows = Shadow.objects.filter(device_id=device_id, reported_version__lt=version)
    return bool(rows.update(reported=dict(state), reported_version=version, reported_at=timezone.now()))


def _patched(old: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in {**old, **patch}.items() if value is not None}


@dataclass(frozen=True)
class Status:
    """A device was heard of at `at`; `state` ("online", "offline", "degraded") when that tells, else empty."""

    device_id: int
    at: datetime
    state: str = ""


# The guard is the time last heard: what comes late moves neither the state nor the clock back.
APPLY = """
    update devices_device d set
        last_seen = greatest(d.last_seen, s.seen),
        status_since = case when s.state <> d.status and s.fresh then s.at else d.status_since end,
        status = case when s.fresh then s.state else d.status end
    from (
        select h.*, h.state <> '' and h.at >= coalesce(o.last_seen, '-infinity') as fresh
        from unnest(%s::bigint[], %s::timestamptz[], %s::text[], %s::timestamptz[]) as h(id, seen, state, at)
        join devices_device o using (id)
    ) s
    where d.id = s.id
"""


def apply_status(statuses: Iterable[Status]) -> int:
    """Bring the devices' present state up to date from observations; one query however many; rows touched.

    Called by the process that reads the log, so without an actor and without audit entries: the log is the record.
    """
    heard: dict[int, datetime] = {}
    told: dict[int, Status] = {}
    for status in statuses:
        heard[status.device_id] = max(status.at, heard.get(status.device_id, status.at))
        last = told.get(status.device_id)
        if status.state and (last is None or status.at >= last.at):
            told[status.device_id] = status
    if not heard:
        return 0
    ids = sorted(heard)
    rows = [told.get(pk) or Status(pk, heard[pk]) for pk in ids]
    with connection.cursor() as cursor:
        cursor.execute(APPLY, [ids, [heard[pk] for pk in ids], [row.state for row in rows], [row.at for row in rows]])
        return int(cursor.rowcount)


@dataclass(frozen=True)
class StateChange:
    """A property of a device took a value: happened at `valid`, committed at `known`."""

    device_id: int
    property: str
    value: Any
    valid: datetime
    known: datetime


def record_changes(changes: Iterable[StateChange]) -> None:
    """Keep state changes for the time machine; one query however many; the same change twice is kept once."""
    rows = [Change(**vars(change)) for change in changes]
    Change.objects.bulk_create(rows, ignore_conflicts=True)


@transaction.atomic
def mark_silent(now: datetime | None = None) -> list[int]:
    """Devices that were online and missed three heartbeats become offline since then; their ids. Three queries."""
    known = now or timezone.now()
    limit = F("last_seen") + F("heartbeat_seconds") * Value(SILENT_BEATS) * Value(timedelta(seconds=1))
    rows = Device.objects.filter(retired_at__isnull=True, last_seen__isnull=False).exclude(status=Device.Status.OFFLINE)
    silent = list(rows.annotate(limit=ExpressionWrapper(limit, DateTimeField())).filter(limit__lt=known).order_by("pk"))
    for device in silent:
        device.status, device.status_since = Device.Status.OFFLINE, device.limit
    Device.objects.bulk_update(silent, ["status", "status_since"])
    record_changes(StateChange(device.pk, "status", "offline", device.limit, known) for device in silent)
    return [device.pk for device in silent]
