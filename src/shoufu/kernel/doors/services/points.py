from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid
from shoufu.kernel.devices.models import Device
from shoufu.kernel.doors.compiling import compound_of
from shoufu.kernel.doors.models import AccessPoint, Controller, DoorState, Reader, Technology
from shoufu.kernel.doors.services.common import MANAGE, locked, refuse
from shoufu.kernel.doors.services.controllers import ensure_groups, fresh
from shoufu.kernel.doors.services.rulesets import publish
from shoufu.kernel.places.models import Place

BITS = 32
SECONDS = {
    "release_seconds": (1, 60),
    "extended_seconds": (1, 120),
    "held_seconds": (5, 3600),
    "warn_seconds": (0, 600),
}
TEXTS = {"interlock": 32, "area_in": 32, "area_out": 32, "intercom": 160}


@dataclass(frozen=True)
class ReaderDraft:
    """A reader: what it reads ("card", "secure_card", "pin", "qr", "face", "plate") and on which side ("in", "out")."""

    technology: str
    side: str = "in"


@dataclass(frozen=True)
class PointDraft:
    """An access point to be, driven by `output` (1 to 32) of the controller with the device id `controller`.

    `kind` is "unit_door", "gate", "barrier" or "turnstile"; seconds and modes as AccessPoint.
    """

    code: str
    name: str
    place: int
    kind: str
    controller: int
    output: int = 1
    name_en: str = ""
    mode: str = AccessPoint.Mode.LOCKED
    readers: Sequence[ReaderDraft] = (ReaderDraft("card"),)
    release_seconds: int = 5
    extended_seconds: int = 15
    held_seconds: int = 60
    warn_seconds: int = 15
    interlock: str = ""
    area_in: str = ""
    area_out: str = ""
    passback: str = AccessPoint.Passback.OFF
    first_person_in: bool = False
    dwelling: bool = False
    counter: int | None = None
    intercom: str = ""
    fire_zone: int = 0
    has_contact: bool = True
    has_bolt: bool = True


@dataclass(frozen=True)
class PointChange:
    """What may be changed of an access point; None leaves it as it is."""

    name: str | None = None
    name_en: str | None = None
    mode: str | None = None
    readers: Sequence[ReaderDraft] | None = None
    release_seconds: int | None = None
    extended_seconds: int | None = None
    held_seconds: int | None = None
    warn_seconds: int | None = None
    interlock: str | None = None
    area_in: str | None = None
    area_out: str | None = None
    passback: str | None = None
    first_person_in: bool | None = None
    dwelling: bool | None = None
    intercom: str | None = None


@dataclass
class _Drafts:
    """Drafts with the places and controllers that they name, read once."""

    actor: Actor
    drafts: Sequence[PointDraft]
    places: Mapping[int, Place] = field(default_factory=dict)
    devices: Mapping[int, Device] = field(default_factory=dict)

    def read(self) -> None:
        self.places = Place.objects.in_bulk({draft.place for draft in self.drafts})
        wanted = {draft.controller for draft in self.drafts}
        wanted |= {draft.counter for draft in self.drafts if draft.counter is not None}
        rows = Device.objects.filter(pk__in=wanted, retired_at__isnull=True).select_related("place")
        self.devices = {device.pk: device for device in rows}

    def errors(self) -> Iterable[FieldError]:
        outputs: set[tuple[int, int]] = set()
        for n, draft in enumerate(self.drafts):
            place = self.places.get(draft.place)
            if place is None or not (self.actor.may("doors.view", place.path) or self.actor.may(MANAGE, place.path)):
                message = _("There is no place %(id)s that you may see.") % {"id": draft.place}
                yield FieldError(f"/{n}/place", message)
                continue
            policy.require(self.actor, MANAGE, place)
            yield from self._device_errors(n, draft)
            if (draft.controller, draft.output) in outputs:
                yield FieldError(f"/{n}/output", _("This output drives another door of the list."))
            outputs.add((draft.controller, draft.output))
            yield from _value_errors(vars(draft), f"/{n}/")
            if not draft.code or len(draft.code) > 64 or not draft.code.isprintable() or " " in draft.code:
                yield FieldError(f"/{n}/code", _("1 to 64 characters without spaces."))

    def _device_errors(self, n: int, draft: PointDraft) -> Iterable[FieldError]:
        device = self.devices.get(draft.controller)
        if device is None or device.kind not in (Device.Kind.DOOR_CONTROLLER, Device.Kind.BARRIER):
            yield FieldError(f"/{n}/controller", _("Choose a door controller or barrier that is in service."))
        elif not self.actor.may(MANAGE, device.place.path):
            yield FieldError(f"/{n}/controller", _("You may not use a controller of that place."))
        if draft.counter is not None and draft.counter not in self.devices:
            yield FieldError(f"/{n}/counter", _("There is no such sensor in service."))


def _value_errors(values: Mapping[str, Any], prefix: str) -> Iterable[FieldError]:
    for name, (least, most) in SECONDS.items():
        if values.get(name) is not None and not least <= values[name] <= most:
            message = _("Between %(least)d and %(most)d seconds.") % {"least": least, "most": most}
            yield FieldError(f"{prefix}{name}", message)
    for name, length in TEXTS.items():
        if values.get(name) and len(values[name]) > length:
            yield FieldError(f"{prefix}{name}", _("At most %(n)d characters.") % {"n": length})
    choices = {
        "kind": AccessPoint.Kind.values,
        "mode": AccessPoint.Mode.values,
        "passback": AccessPoint.Passback.values,
    }
    for name, allowed in choices.items():
        if values.get(name) is not None and values[name] not in allowed:
            yield FieldError(f"{prefix}{name}", _("Use one of: %(kinds)s.") % {"kinds": ", ".join(allowed)})
    if values.get("name") is not None and not 1 <= len(values["name"].strip()) <= 80:
        yield FieldError(f"{prefix}name", _("A name of 1 to 80 characters."))
    if values.get("output") is not None and not 1 <= values["output"] <= 32:
        yield FieldError(f"{prefix}output", _("Outputs are numbered from 1 to 32."))
    for number, reader in enumerate(values.get("readers") or ()):
        if reader.technology not in Technology.values or reader.side not in Reader.Side.values:
            yield FieldError(f"{prefix}readers/{number}", _("Say what it reads and whether it stands in or out."))
    if values.get("passback") not in (None, AccessPoint.Passback.OFF) and values.get("area_in") == "":
        yield FieldError(f"{prefix}area_in", _("Name the area inside: anti-passback needs it."))


def _readers(point: AccessPoint, drafts: Iterable[ReaderDraft]) -> list[Reader]:
    return [
        Reader(point=point, number=number, side=draft.side, technology=draft.technology)
        for number, draft in enumerate(drafts, start=1)
    ]


@transaction.atomic
def create_points(actor: Actor, drafts: Sequence[PointDraft]) -> list[AccessPoint]:
    """Set up access points, all or none; queries do not grow with their number. Errors name the draft: /index/field.

    A controller that has no key yet gets one and is trusted from now on.
    """
    if not drafts:
        return []
    wanted = _Drafts(actor, drafts)
    wanted.read()
    refuse(*wanted.errors())
    points = [_point(draft, wanted.places[draft.place]) for draft in drafts]
    _give_bits(points)
    try:
        with transaction.atomic():
            AccessPoint.objects.bulk_create(points)
    except IntegrityError as error:
        message = _(
            "An access point has this code already, or drives this output, or its warning is not before the alarm."
        )
        raise Conflict(message) from error
    Reader.objects.bulk_create(
        [reader for point, draft in zip(points, drafts, strict=True) for reader in _readers(point, draft.readers)]
    )
    DoorState.objects.bulk_create([DoorState(point=point) for point in points])
    _enrol({draft.controller for draft in drafts})
    record_many(actor, [_act("doors.create_point", point, {"kind": point.kind}) for point in points])
    publish(actor, {draft.controller for draft in drafts}, "points")
    return points


def _point(draft: PointDraft, place: Place) -> AccessPoint:
    given = {name: value for name, value in vars(draft).items() if name not in ("readers", "place")}
    given["counter_id"], given["controller_id"] = given.pop("counter"), given.pop("controller")
    return AccessPoint(place=place, **given)


def _give_bits(points: Sequence[AccessPoint]) -> None:
    """Each door a bit of its compound's visitor codes. A code has 32: gates get theirs alone; where a compound has more
    doors, unit doors of different controllers share one, and a pass is withdrawn at the other door of its bit."""
    compounds = dict(Place.objects.filter(kind=Place.Kind.COMPOUND).values_list("path", "pk"))
    homes = {id(point): compound_of(point.place.path, compounds) for point in points}
    ensure_groups({home for home in homes.values() if home is not None})
    there = AccessPoint.objects.filter(group_bit__gte=0, retired_at__isnull=True).select_related("place")
    used: dict[int, list[AccessPoint]] = defaultdict(list)
    for point in there:
        home = compound_of(point.place.path, compounds)
        if home is not None:
            used[home].append(point)
    for point in sorted(points, key=lambda one: one.kind == AccessPoint.Kind.UNIT_DOOR):
        home = homes[id(point)]
        if home is None:
            continue
        point.group_bit = _bit(point, used[home])
        used[home].append(point)


def _bit(point: AccessPoint, others: Sequence[AccessPoint]) -> int:
    own = {other.group_bit for other in others if other.controller_id == point.controller_id}
    gates = {other.group_bit for other in others if other.kind != AccessPoint.Kind.UNIT_DOOR}
    count = Counter(other.group_bit for other in others)
    free = [bit for bit in range(BITS) if bit not in own]
    return min(free, key=lambda bit: (bit in gates, count[bit], bit), default=-1)


def _enrol(device_ids: Iterable[int]) -> None:
    known = set(Controller.objects.filter(device__in=list(device_ids)).values_list("device_id", flat=True))
    Controller.objects.bulk_create([fresh(pk) for pk in sorted(set(device_ids) - known)], ignore_conflicts=True)


def _act(action: str, point: AccessPoint, data: Mapping[str, Any], reason: str = "") -> Act:
    return Act(action, point, place=point.place_id, reason=reason, data={"code": point.code, **data})


def create_point(actor: Actor, draft: PointDraft) -> AccessPoint:
    """Set up one access point."""
    return create_points(actor, [draft])[0]


@transaction.atomic
def change_point(actor: Actor, point_id: int, wanted: PointChange, version: int | None = None) -> AccessPoint:
    """Change an access point; its controller gets another rule set at once."""
    point = locked(actor, AccessPoint.objects.filter(retired_at__isnull=True), point_id, version=version)
    given = {name: value for name, value in vars(wanted).items() if value is not None}
    areas = {"area_in": point.area_in, "passback": point.passback}
    refuse(*_value_errors(areas | given, ""))
    readers = given.pop("readers", None)
    before = {name: getattr(point, name) for name in given}
    for name, value in given.items():
        setattr(point, name, value)
    if point.warn_seconds >= point.held_seconds:
        raise Invalid.one("warn_seconds", _("The warning must come before the alarm."))
    point.version += 1
    point.save()
    if readers is not None:
        point.readers.all().delete()
        Reader.objects.bulk_create(_readers(point, readers))
    record(actor, _act("doors.change_point", point, {"before": before, "after": given}))
    publish(actor, {point.controller_id}, "points")
    return point


@transaction.atomic
def retire_point(actor: Actor, point_id: int, reason: str) -> AccessPoint:
    """Take an access point out of service: nobody has a right to it any more; its history stays."""
    point = locked(actor, AccessPoint.objects.filter(retired_at__isnull=True), point_id)
    if not reason.strip():
        raise Invalid.one("reason", _("Say why the door is taken out of service."))
    point.retired_at, point.version = timezone.now(), point.version + 1
    point.save(update_fields=["retired_at", "version"])
    point.levels.all().delete()
    record(actor, _act("doors.retire_point", point, {}, reason.strip()))
    publish(actor, {point.controller_id}, "points")
    return point
