from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest


@dataclass
class Doors:
    """Songshan: a gate and the doors of two units, each with a controller; Wang lives in unit 1, Li in unit 2."""

    world: Any
    compound: Any
    units: list[Any]
    gate: Any
    doors: list[Any]
    secrets: dict[str, str]
    wang: Any
    li: Any

    @property
    def controllers(self) -> list[int]:
        return [point.controller_id for point in (self.gate, *self.doors)]


@pytest.fixture
def songshan(world: Any) -> Doors:
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.devices import services as devices
    from shoufu.kernel.doors import services
    from shoufu.kernel.parties import services as parties
    from shoufu.kernel.places import services as places
    from shoufu.kernel.places.models import Place
    from shoufu.kernel.places.services import PlaceDraft

    compound = world.songshan
    places.create_many(
        SYSTEM,
        [
            PlaceDraft("building", "s-b1", "1号楼", "songshan"),
            *(PlaceDraft("unit", f"s-b1-u{n}", f"{n}单元", "s-b1") for n in (1, 2)),
            *(PlaceDraft("door", f"s-b1-u{n}-door", "单元门", f"s-b1-u{n}") for n in (1, 2)),
            PlaceDraft("gate", "s-gate", "南门", "songshan"),
        ],
    )
    at = {place.code: place for place in Place.objects.all()}
    spots = ("s-gate", "s-b1-u1-door", "s-b1-u2-door")
    made = devices.register_many(
        SYSTEM,
        [devices.DeviceDraft(f"dc-{code}", "door_controller", code, at[code].pk, protocol="http") for code in spots],
    )
    readers = (services.ReaderDraft("card"), services.ReaderDraft("qr"), services.ReaderDraft("pin"))
    points = services.create_points(
        SYSTEM,
        [
            services.PointDraft(f"ap-{code}", code, at[code].pk, kind, one.device.pk, readers=readers)
            for code, kind, one in zip(spots, ("gate", "unit_door", "unit_door"), made, strict=True)
        ],
    )
    wang, li = parties.create_people(
        SYSTEM, [parties.PersonDraft("王芳", compound.pk, "13800000001"), parties.PersonDraft("李强", compound.pk)]
    )
    homes = parties.create_households(SYSTEM, [parties.HouseholdDraft(at[f"s-b1-u{n}"].pk, "101") for n in (1, 2)])
    parties.move_in(
        SYSTEM,
        [parties.ResidencyDraft(p.pk, h.pk, since=date(2020, 1, 1)) for p, h in zip((wang, li), homes, strict=True)],
    )
    units = [at["s-b1-u1"], at["s-b1-u2"]]
    services.admit(SYSTEM, [(wang.pk, units[0]), (li.pk, units[1])])
    return Doors(world, compound, units, points[0], points[1:], {one.device.code: one.secret for one in made}, wang, li)


@pytest.fixture
def rules() -> Callable[[Any], Any]:
    """The rule set that the controller of a door should hold, as the controller would load it."""
    from shoufu.engines import doors as engine
    from shoufu.kernel.doors import keys
    from shoufu.kernel.doors.models import RuleSet

    def read(point: Any) -> Any:
        newest = RuleSet.objects.filter(controller=point.controller_id).order_by("-version").first()
        return engine.load(bytes(newest.blob), [keys.public_key()], point.controller.code)

    return read


@pytest.fixture
def shown(rules: Callable[[Any], Any]) -> Callable[..., Any]:
    """What the door decides when something is shown at its first reader, with no network: the engine's decision."""
    import time

    from shoufu.engines import doors as engine
    from shoufu.kernel.doors.compiling import reader_number

    def show(point: Any, technology: str, value: str, *, at: float | None = None, state: Any = None) -> Any:
        now = time.time() if at is None else at
        request = engine.Request(
            reader=reader_number(point.output, 1),
            technology=engine.Technology[technology],
            identifier=value.encode(),
            now=now,
            uptime=1000.0,
        )
        return engine.decide(rules(point), state or engine.State(synced_at=now), request)

    return show
