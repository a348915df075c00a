import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.devices import services
from shoufu.kernel.devices.models import Device
from shoufu.kernel.devices.services import DeviceDraft
from shoufu.kernel.places.demo import COMPOUNDS, SONGSHAN, Compound, offset
from shoufu.kernel.places.models import Place


def _zone(kind: str, name: str, name_en: str, *points: tuple[float, float]) -> dict[str, Any]:
    return {"name": name, "name_en": name_en, "kind": kind, "points": [list(point) for point in points]}


WALKWAY = ((0.0, 0.33), (0.62, 0.3), (0.92, 0.18), (1.0, 0.5), (1.0, 0.85), (0.55, 0.63), (0.2, 0.46), (0.0, 0.41))
YARD_ZONES = [
    _zone("zone", "院内", "Yard", (0.0, 0.24), (0.55, 0.2), (1.0, 0.2), (1.0, 1.0), (0.0, 1.0)),
    _zone("zone", "通道", "Walkway", *WALKWAY),
    _zone("line", "岔口", "Fork", (0.52, 0.28), (0.6, 0.7)),
]
GATE_ZONES = [
    _zone("zone", "车道", "Lane", (0.0, 0.4), (1.0, 0.4), (1.0, 1.0), (0.0, 1.0)),
    _zone("line", "入口线", "Entry line", (0.5, 0.2), (0.5, 1.0)),
]
PLAZA_ZONES = [_zone("zone", "广场", "Plaza", (0.05, 0.3), (0.95, 0.3), (1.0, 0.98), (0.0, 0.98))]
GARAGE_ZONES = [_zone("line", "车道口", "Ramp", (0.1, 0.7), (0.9, 0.7))]


def path() -> Path:
    """Where the secrets of the demo's devices are, for the programs that simulate them (mode 0600)."""
    return Path(settings.DATA_ROOT) / "demo" / "devices.json"


def _doors(compound: Compound, places: dict[str, Place]) -> Iterator[DeviceDraft]:
    for building in range(1, compound.rows * compound.columns + 1):
        for unit in range(1, compound.units + 1):
            place = places[f"{compound.code}-b{building}-u{unit}-door"]
            yield DeviceDraft(
                f"door-{compound.code}-{building}-{unit}",
                "door_controller",
                f"{building}号楼{unit}单元门禁",
                place.pk,
                f"Building {building} Unit {unit} Door",
                place.longitude,
                place.latitude,
                model="DC-2",
                heartbeat_seconds=30,
            )


def _gates(places: dict[str, Place]) -> Iterator[DeviceDraft]:
    for code, name, name_en in (("south", "南门", "South"), ("north", "北门", "North"), ("east", "东门", "East")):
        place = places[f"{SONGSHAN}-gate-{code}"]
        yield DeviceDraft(
            f"gate-{SONGSHAN}-{code}",
            "door_controller",
            f"{name}门禁",
            place.pk,
            f"{name_en} Gate Access",
            place.longitude,
            place.latitude,
            model="DC-2",
            heartbeat_seconds=30,
        )
    south = places[f"{SONGSHAN}-gate-south"]
    yield DeviceDraft(
        f"barrier-{SONGSHAN}-south",
        "barrier",
        "南门道闸",
        south.pk,
        "South Gate Barrier",
        south.longitude,
        south.latitude,
    )


def _cameras(places: dict[str, Place]) -> Iterator[DeviceDraft]:
    """Cameras; a source "footage:NAME" is the footage of that name in the model cache, played round and round."""
    compound = next(item for item in COMPOUNDS if item.code == SONGSHAN)
    plaza = places["plaza"]
    yield _camera(
        ("cam-songshan-north-02", "北院-02", "North Yard 02"),
        places[f"{SONGSHAN}-north-yard"],
        (*compound.at(4, 40), 225.0),
        {"source": "footage:yard", "zones": YARD_ZONES},
    )
    yield _camera(
        ("cam-songshan-gate-south", "南门-01", "South Gate 01"),
        places[f"{SONGSHAN}-gate-south"],
        (*compound.at(5, -74), 340.0),
        {"source": "footage:street", "zones": GATE_ZONES},
    )
    yield _camera(
        ("cam-songshan-garage-04", "地库-04", "Garage 04"),
        places[f"{SONGSHAN}-garage"],
        (*compound.at(-20, 0), 90.0),
        {"zones": GARAGE_ZONES},
    )
    yield _camera(
        ("cam-plaza-01", "广场-01", "Plaza 01"),
        plaza,
        (*offset(plaza.longitude or 0, plaza.latitude or 0, 25, 20), 215.0),
        {"zones": PLAZA_ZONES},
    )


def _camera(
    names: tuple[str, str, str], place: Place, at: tuple[float, float, float], config: dict[str, Any]
) -> DeviceDraft:
    """A camera from its code and names, its place, its longitude, latitude and heading."""
    code, name, name_en = names
    return DeviceDraft(code, "camera", name, place.pk, name_en, *at, model="IPC-4M", protocol="rtsp", config=config)


def load(actor: Actor) -> None:
    """Register the model district's devices and keep their secrets for the simulators; a second call changes nothing.

    A device whose secret the file no longer has gets another one.
    """
    places = {place.code: place for place in Place.objects.all()}
    wanted = [*_cameras(places), *_gates(places)]
    wanted += [draft for compound in COMPOUNDS if compound.doors for draft in _doors(compound, places)]
    known = {entry["code"]: entry for entry in read()}
    there = dict(Device.objects.filter(code__in=[draft.code for draft in wanted]).values_list("code", "pk"))
    made = services.register_many(actor, [draft for draft in wanted if draft.code not in there])
    made += [services.rotate_secret(actor, pk) for code, pk in there.items() if code not in known]
    if made:
        _write([known[code] for code in there if code in known] + [_entry(item) for item in made])


def keep(made: list[services.Registered]) -> None:
    """Keep the secrets of further devices of the demo for their simulators."""
    entries = {entry["code"]: entry for entry in read()} | {item.device.code: _entry(item) for item in made}
    _write(list(entries.values()))


def _entry(item: services.Registered) -> dict[str, Any]:
    device = item.device
    return {
        "code": device.code,
        "secret": item.secret,
        "kind": device.kind,
        "name": device.name,
        "place": device.place_id,
        "place_code": device.place.code,
    }


def read() -> list[dict[str, Any]]:
    """Code, secret, kind, name, place and place_code of every device of the demo; empty before it was loaded."""
    try:
        entries: list[dict[str, Any]] = json.loads(path().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return entries


def _write(entries: list[dict[str, Any]]) -> None:
    file = path()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, draft = tempfile.mkstemp(dir=file.parent)  # mode 0600
    with os.fdopen(handle, "w", encoding="utf-8") as output:
        json.dump(sorted(entries, key=lambda entry: str(entry["code"])), output, ensure_ascii=False, indent=1)
    os.replace(draft, file)
