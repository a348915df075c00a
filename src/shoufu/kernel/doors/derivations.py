"""Observations that follow from what doors say and what the register knows (see `kernel.base.scene.Derivation`)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import cos, hypot, radians

from shoufu.kernel.base.scene import Derived
from shoufu.kernel.doors.models import AccessPoint, Controller, Credential, Passage
from shoufu.kernel.observations.wire import BatchRow

METRES_A_DEGREE = 111_320.0
RUNNING = 4.0
"""Metres a second: faster than anybody walks with shopping."""
REACH = timedelta(minutes=15)
PATIENCE = timedelta(minutes=10)
PERSONAL = frozenset({"card", "pin", "qr", "face", "visitor"})


@dataclass(frozen=True)
class _Seen:
    at: float
    point: AccessPoint


def impossible(rows: Sequence[BatchRow]) -> Iterator[Derived]:
    """One credential opened two doors faster than one can get from one to the other: it was copied, or is shared.

    Distances are those of the doors' places as the crow flies; doors without a position say nothing. Two queries.
    """
    wanted = sorted(
        (row for row in rows if row.kind == "door.access" and row.result.get("granted") and row.result.get("key")),
        key=lambda row: row.t,
    )
    wanted = [row for row in wanted if row.result.get("credential") in PERSONAL]
    if not wanted:
        return
    devices = {row.device_id for row in wanted}
    points = AccessPoint.objects.filter(controller__in=devices, retired_at__isnull=True).select_related("place")
    by_output = {(point.controller_id, point.output): point for point in points}
    last = _before(wanted)
    for row in wanted:
        point = by_output.get((row.device_id, int(row.result.get("door", 0)) + 1))
        if point is None:
            continue
        key = row.result["key"]
        before = last.get(key)
        last[key] = _Seen(row.t, point)
        if before is None or before.point.pk == point.pk:
            continue
        metres, seconds = _metres(before.point, point), row.t - before.at
        if metres is not None and 0 <= seconds < metres / RUNNING:
            result = {"first": before.point.code, "second": point.code, "seconds": seconds, "metres": round(metres, 1)}
            yield Derived(row.id, "door.impossible", {**result, "key": key}, f"credential:{key}")


def _before(rows: Sequence[BatchRow]) -> dict[str, _Seen]:
    """Where each credential was last let in before these rows."""
    keys = [bytes.fromhex(key) for key in {row.result["key"] for row in rows}]
    first = datetime.fromtimestamp(rows[0].t, UTC)
    passages = Passage.objects.filter(
        credential__in=Credential.objects.filter(key__in=keys), granted=True, at__gte=first - REACH, at__lt=first
    )
    found = {}
    for row in passages.select_related("credential", "point__place").order_by("at"):
        if row.credential is not None:
            found[bytes(row.credential.key or b"").hex()] = _Seen(row.at.timestamp(), row.point)
    return found


def _metres(one: AccessPoint, other: AccessPoint) -> float | None:
    a, b = one.place, other.place
    if a.longitude is None or a.latitude is None or b.longitude is None or b.latitude is None:
        return None
    north = (b.latitude - a.latitude) * METRES_A_DEGREE
    east = (b.longitude - a.longitude) * METRES_A_DEGREE * cos(radians(a.latitude))
    return hypot(north, east)


def stale(rows: Sequence[BatchRow]) -> Iterator[Derived]:
    """A controller that talks, but for ten minutes has not taken the rule set that it should hold. One query."""
    told = {row.device_id: row for row in rows if row.kind == "door.controller"}
    behind = Controller.objects.filter(device__in=told, trusted_at__isnull=False, since__isnull=False)
    for controller in behind:
        row = told[controller.device_id]
        seconds = row.t - controller.since.timestamp() if controller.since else 0.0
        if controller.held < controller.needed and seconds > PATIENCE.total_seconds():
            result = {"held": controller.held, "needed": controller.needed, "seconds": round(seconds)}
            yield Derived(row.id, "door.stale", result)
