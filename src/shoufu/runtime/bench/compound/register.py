"""The compound of the measurement: buildings, households, people, cars, doors, cameras and who works there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shoufu.kernel.devices.models import Device
    from shoufu.kernel.places.models import Place

CODE = "bench"
USER = "bench-manager"
UNITS, CAMERAS, LIFTS = 4, 24, 20
FLATS = 25


@dataclass(frozen=True)
class Made:
    """Ids of what was made; `lanes` are the cameras that read plates."""

    compound: Place
    doors: list[int]
    gates: list[int]
    cameras: list[int]
    lanes: list[int]
    lifts: list[int]


def make(households: int) -> Made:
    """Make the compound with so many households, 25 behind each unit door, and a property manager's account."""
    places = _places(households)
    devices = _devices(places)
    _access_points(devices)
    _people(places, households)
    _user(places[CODE])
    return find()


def find() -> Made:
    """The compound that was made before."""
    from shoufu.kernel.devices.models import Device
    from shoufu.kernel.places.models import Place

    codes = dict(Device.objects.filter(code__startswith="bench-").order_by("pk").values_list("code", "pk"))

    def ids(prefix: str) -> list[int]:
        return [pk for code, pk in codes.items() if code.startswith(prefix)]

    cameras = ids("bench-cam-")
    compound = Place.objects.get(code=CODE)
    return Made(compound, ids("bench-door-"), ids("bench-gate-"), cameras, cameras[:2], ids("bench-lift-"))


def _places(households: int) -> dict[str, Place]:
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.places.demo import Compound, compound_drafts
    from shoufu.kernel.places.services import PlaceDraft, create_many

    rows = -(-households // (FLATS * UNITS * 2))
    shape = Compound(
        CODE, "测量小区", "Measured Compound", "bench-block", 123.50, 41.80, rows=rows, units=UNITS, doors=True
    )
    above = [
        PlaceDraft("district", "bench-district", "测量区", name_en="Measured District"),
        PlaceDraft("block", "bench-block", "测量街道", "bench-district", "Measured Block"),
    ]
    return {place.code: place for place in create_many(SYSTEM, [*above, *compound_drafts(shape)])}


def _devices(places: dict[str, Place]) -> dict[str, Device]:
    from django.utils import timezone

    from shoufu.kernel.devices.models import Device

    compound = places[CODE]
    now = timezone.now()
    units = [place for code, place in places.items() if code.endswith("-door")]
    gates = [place for code, place in places.items() if "-gate-" in code]
    buildings = [place for place in places.values() if place.kind == "building"]

    def rows() -> Iterator[Device]:
        for number, place in enumerate(units):
            building = place.parent.parent if place.parent else None
            name = f"{building.name if building else ''}{place.parent.name if place.parent else ''}门禁"
            yield _device(f"bench-door-{number:03d}", "door_controller", name, place)
        for number, place in enumerate(gates):
            yield _device(f"bench-gate-{number}", "door_controller", f"{place.name}门禁", place)
        for number in range(CAMERAS):
            place = gates[number] if number < 2 else buildings[number % len(buildings)]
            yield _device(
                f"bench-cam-{number:02d}", "camera", f"相机 {number + 1:02d}", place, heading=number * 37 % 360
            )
        for number in range(LIFTS):
            place = buildings[number % len(buildings)]
            yield _device(f"bench-lift-{number:02d}", "sensor", f"{place.name}电梯", place)

    made = list(rows())
    for device in made:
        device.status, device.status_since, device.last_seen = "online", now, now
        device.longitude = device.longitude or compound.longitude
    return {device.code: device for device in Device.objects.bulk_create(made)}


def _device(code: str, kind: str, name: str, place: Place, heading: float | None = None) -> Device:
    from shoufu.kernel.devices.models import Device

    longitude, latitude = place.longitude, place.latitude
    if longitude is None and place.geometry:
        ring = place.geometry["coordinates"][0][:-1]
        longitude, latitude = (sum(point[axis] for point in ring) / len(ring) for axis in (0, 1))
    return Device(
        code=code, kind=kind, name=name, name_en=code, place=place, longitude=longitude, latitude=latitude,
        heading=heading,
    )  # fmt: skip


def _access_points(devices: dict[str, Device]) -> None:
    from shoufu.kernel.doors.models import AccessPoint

    AccessPoint.objects.bulk_create(
        AccessPoint(
            code=device.code, name=device.name, name_en=device.name_en, place=device.place, controller=device,
            kind="gate" if "gate" in code else "unit_door",
        )
        for code, device in devices.items()
        if device.kind == "door_controller"
    )  # fmt: skip


def _people(places: dict[str, Place], households: int) -> None:
    from shoufu.kernel.parties.models import Household, Person, Residency, Vehicle

    units = [place for place in places.values() if place.kind == "unit"]
    homes = Household.objects.bulk_create(
        Household(code=f"bench-h-{n}", place=units[n // FLATS], number=f"{n % FLATS // 2 + 1}0{n % 2 + 1}")
        for n in range(households)
    )
    people = Person.objects.bulk_create(
        Person(code=f"bench-p-{n}", name=f"测试{n}", place=homes[n // 3].place) for n in range(households * 3)
    )
    since = date(2020, 1, 1)
    Residency.objects.bulk_create(
        Residency(person=person, household=homes[n // 3], kind="owner" if n % 3 == 0 else "family", since=since)
        for n, person in enumerate(people)
    )
    Vehicle.objects.bulk_create(
        Vehicle(plate=f"辽A{n:05d}", household=homes[n], place=places[CODE], since=since)
        for n in range(households * 6 // 10)
    )


def _user(compound: Place) -> None:
    from django.utils import timezone

    from shoufu.kernel.access.models import RoleAssignment, User

    user = User.objects.create(username=USER, password="!", display_name="测量经理")
    RoleAssignment.objects.create(user=user, role="property_manager", place=compound, since=timezone.now())
