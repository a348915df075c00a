"""Which facts a replay may show: states of things, and events with the fields that name nobody but a plate."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shoufu.kernel.base import registry
from shoufu.kernel.observations.models import ObservationKind
from shoufu.kernel.observations.summaries import DEVICE_STATUS

SHOWN: Mapping[str, tuple[str, ...]] = {
    "door.access": ("granted", "credential", "direction", "reason", "door"),
    "door.alarm": ("alarm", "cleared", "door"),
    "line.crossing": ("line", "object", "direction"),
    "zone.dwell": ("zone", "object", "seconds"),
    "camera.tamper": ("tamper",),
}
"""Kind → fields of its result that a replay shows. Who passed a door stands on the door's page, not here."""
CAR = ("plate", "class", "direction", "like")
RAW_CAR = "plate.read"


@dataclass(frozen=True)
class Facts:
    """`properties` of devices that are a state of things; `events`: kind's row → (code, fields shown)."""

    properties: tuple[str, ...]
    events: Mapping[int, tuple[str, tuple[str, ...]]]


def facts() -> Facts:
    """What there is to show, by the kinds as they are now (one query).

    A state told by a personal or a guarded kind (somebody moves in their flat) is no part of it.
    """
    rows = list(ObservationKind.objects.all())
    guarded = {code for code, kind in registry.kinds().items() if kind.permission}
    open_kinds = [row for row in rows if row.state and not row.personal and row.code not in guarded]
    private = {row.state for row in rows if row.state and (row.personal or row.code in guarded)}
    states = {"status" if row.code in DEVICE_STATUS else row.state for row in open_kinds}
    return Facts(tuple(sorted(states - private)), _events(rows))


def _events(rows: Iterable[ObservationKind]) -> dict[int, tuple[str, tuple[str, ...]]]:
    found = {row.pk: (row.code, SHOWN[row.code]) for row in rows if row.code in SHOWN}
    cars = [row for row in rows if "plate" in row.schema.get("properties", {})]
    # A scene that makes passages out of readings tells each car once; the readings alone serve where none does.
    told = [row for row in cars if row.code != RAW_CAR] or cars
    return found | {row.pk: (row.code, CAR) for row in told}


def shown(result: Any, fields: Iterable[str]) -> dict[str, Any]:
    """The fields of a result that a replay shows."""
    return {name: result[name] for name in fields if name in result} if isinstance(result, dict) else {}
