from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import FieldError, Invalid, NotFound
from shoufu.kernel.cases.services import CaseReport, report
from shoufu.kernel.devices.models import Device
from shoufu.kernel.places.models import Place
from shoufu.scenes.community.vehicles import selectors
from shoufu.scenes.community.vehicles.models import Lane, Parking, Stay
from shoufu.scenes.community.vehicles.services.lists import GUARD, MANAGE
from shoufu.scenes.community.vehicles.tariff import Tariff


@dataclass(frozen=True)
class LaneDraft:
    """A lane of a gate: its camera, the barrier it may open, its direction, and when it counts as clear (seconds)."""

    place: int
    camera: int
    name: str
    barrier: int | None = None
    direction: str = "both"
    name_en: str = ""
    clear_seconds: int = 20
    wait_seconds: int = 120
    free_exit: bool = True


@transaction.atomic
def set_lane(actor: Actor, draft: LaneDraft) -> Lane:
    """Set up the lane of a camera, or change it."""
    gate = Place.objects.filter(pk=draft.place, closed_at__isnull=True).first()
    if gate is None:
        raise NotFound(_("There is no place %(id)s that you may see.") % {"id": draft.place})
    policy.require(actor, MANAGE, gate)
    wanted = [pk for pk in (draft.camera, draft.barrier) if pk is not None]
    devices = {device.pk: device for device in Device.objects.filter(pk__in=wanted, retired_at__isnull=True)}
    errors = []
    for name, pk, kind in (("camera", draft.camera, "camera"), ("barrier", draft.barrier, "barrier")):
        device = devices.get(pk or 0)
        if pk is not None and (device is None or (name == "camera" and device.kind != kind)):
            errors.append(FieldError(name, _("Choose a device of this kind that is in service.")))
    if draft.direction not in Lane.Direction.values:
        errors.append(FieldError("direction", _("Use one of: %(kinds)s.") % {"kinds": "in, out, both"}))
    if not draft.name.strip():
        errors.append(FieldError("name", _("Must not be empty.")))
    if not (2 <= draft.clear_seconds <= 300 and 10 <= draft.wait_seconds <= 3600):
        errors.append(FieldError("clear_seconds", _("Clear after 2 to 300 s, wait 10 to 3600 s.")))
    if errors:
        raise Invalid(*errors)
    compound = _compound(gate)
    values = {name: value for name, value in asdict(draft).items() if name not in ("place", "camera", "barrier")}
    lane, _made = Lane.objects.update_or_create(
        camera_id=draft.camera,
        defaults={**values, "place": gate, "compound": compound, "barrier_id": draft.barrier},
    )
    record(actor, Act("vehicles.set_lane", lane, place=gate.pk, data={"camera": draft.camera}))
    return lane


def _compound(gate: Place) -> Place:
    above = [int(step) for step in gate.path.strip("/").split("/")]
    rows = Place.objects.filter(pk__in=above, kind=Place.Kind.COMPOUND).order_by("-depth")
    return rows.first() or gate


@dataclass(frozen=True)
class ParkingDraft:
    """The parking of a compound: spaces, hours that visitors may stay, what a household's second car may, prices."""

    place: int
    capacity: int
    visitor_hours: int = 4
    spaces_per_household: int = 1
    second_car: str = "allow"
    tariff: dict[str, Any] = field(default_factory=dict)


@transaction.atomic
def set_parking(actor: Actor, draft: ParkingDraft) -> Parking:
    """Set up the parking of a compound, or change it; the count of cars inside stays."""
    place = Place.objects.filter(pk=draft.place, closed_at__isnull=True).first()
    if place is None:
        raise NotFound(_("There is no place %(id)s that you may see.") % {"id": draft.place})
    policy.require(actor, MANAGE, place)
    errors = []
    if not 0 <= draft.capacity <= 100_000:
        errors.append(FieldError("capacity", _("Between 0 and 100,000 spaces.")))
    if not 1 <= draft.visitor_hours <= 720:
        errors.append(FieldError("visitor_hours", _("Between 1 and 720 hours.")))
    if not 1 <= draft.spaces_per_household <= 20:
        errors.append(FieldError("spaces_per_household", _("Between 1 and 20 spaces.")))
    if draft.second_car not in Parking.SecondCar.values:
        kinds = ", ".join(Parking.SecondCar.values)
        errors.append(FieldError("second_car", _("Use one of: %(kinds)s.") % {"kinds": kinds}))
    try:
        msgspec.convert(draft.tariff, Tariff)
    except msgspec.ValidationError as error:
        errors.append(FieldError("tariff", str(error)))
    if errors:
        raise Invalid(*errors)
    values = {name: value for name, value in asdict(draft).items() if name != "place"}
    row, _made = Parking.objects.update_or_create(
        place=place, defaults=values, create_defaults={**values, "counted_at": timezone.now()}
    )
    record(actor, Act("vehicles.set_parking", row, place=place.pk, data={"capacity": row.capacity}))
    return row


@transaction.atomic
def correct_count(actor: Actor, parking_id: int, inside: int, reason: str) -> Parking:
    """A guard has counted: from now on this many cars are inside."""
    rows = Parking.objects.select_for_update(of=("self",)).select_related("place")
    row = policy.limit(rows, actor, GUARD).filter(pk=parking_id).first()
    if row is None:
        raise NotFound(_("There is no parking %(id)s that you may correct.") % {"id": parking_id})
    if not 0 <= inside <= 100_000:
        raise Invalid.one("inside", _("Between 0 and 100,000 cars."))
    if not reason.strip():
        raise Invalid.one("reason", _("Say why the count was wrong."))
    before = selectors.inside(row)
    row.counted, row.counted_at = inside, timezone.now()
    row.save(update_fields=["counted", "counted_at"])
    data = {"before": before, "after": inside}
    record(actor, Act("vehicles.correct_count", row, place=row.place_id, reason=reason.strip(), data=data))
    return row


@transaction.atomic
def report_overstays(actor: Actor, now: datetime | None = None) -> int:
    """Raise a case for each guest's car that has stayed longer than its compound allows; how many. Each one once."""
    moment = now or timezone.now()
    found = 0
    for parking in Parking.objects.select_related("place"):
        since = moment - timedelta(hours=parking.visitor_hours)
        rows = Stay.objects.select_for_update(skip_locked=True).filter(
            place=parking.place, guest=True, until__isnull=True, overstayed_at__isnull=True, since__lt=since
        )
        for stay in rows:
            stay.overstayed_at = moment
            stay.save(update_fields=["overstayed_at"])
            words = {"plate": stay.plate, "n": parking.visitor_hours}
            title = _("Guest's car %(plate)s is here for more than %(n)s hours") % words
            report(actor, CaseReport(parking.place_id, title, "low", "vehicle.overstay"))
            found += 1
    return found
