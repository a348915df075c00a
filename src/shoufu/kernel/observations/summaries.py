"""A reader of the log that keeps hourly counts, when devices were heard of, and what state they are in."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import psycopg
from django.db import connection, transaction

from shoufu.kernel.base import registry
from shoufu.kernel.devices import services as devices
from shoufu.kernel.devices.models import Device, Shadow
from shoufu.kernel.devices.services import StateChange, Status
from shoufu.kernel.observations import live, reader, silence
from shoufu.kernel.observations.models import Consumer, ObservationKind
from shoufu.kernel.observations.wire import Batch, BatchRow

NAME = "summaries"
AT_ONCE = 50
DEVICE_STATUS = ("device.status", "camera.status")


@dataclass
class Digest:
    """What some batches come to. Keys: (place, kind code, hour in epoch seconds)."""

    counts: Counter[tuple[int, str, int]] = field(default_factory=Counter)
    statuses: list[Status] = field(default_factory=list)
    changes: dict[tuple[int, str, datetime], StateChange] = field(default_factory=dict)
    reported: dict[int, dict[str, tuple[float, Any]]] = field(default_factory=dict)
    """Device → property → (t, value), the newest by t."""


def digest(batches: Sequence[Batch], states: dict[str, str]) -> Digest:
    """Sum up batches; `states` maps a kind's code to the result's property that is the device's state from then on."""
    found = Digest()
    for batch in batches:
        known = datetime.fromtimestamp(batch.known, UTC)
        for row in batch.rows:
            _add(found, row, known, states.get(row.kind, ""))
    return found


@cache
def _guarded() -> frozenset[str]:
    """Kinds that take a right of their own to see."""
    return frozenset(kind.code for kind in registry.kinds().values() if kind.permission)


def _add(found: Digest, row: BatchRow, known: datetime, state: str) -> None:
    moment = datetime.fromtimestamp(row.t, UTC)
    if row.kind not in _guarded():  # counts are shown to whoever sees the place
        found.counts[(row.place_id, row.kind, int(row.t) // 3600 * 3600)] += 1
    told = row.result.get("state") if row.kind in DEVICE_STATUS and isinstance(row.result, dict) else None
    if told == "offline" and row.result.get("reason") == silence.REASON:
        return  # told of the device, not by it; its status and change are kept where the silence was noticed
    # No device can be heard of later than the batch that says so, whatever its clock.
    found.statuses.append(Status(row.device_id, min(moment, known), told or "online"))
    if not state or not isinstance(row.result, dict) or state not in row.result:
        return
    value = row.result[state]
    name = "status" if row.kind in DEVICE_STATUS else _of_door(state, row.result)
    found.changes[(row.device_id, name, moment)] = StateChange(row.device_id, name, value, moment, known)
    reported = found.reported.setdefault(row.device_id, {})
    if name not in reported or reported[name][0] <= row.t:
        reported[name] = (row.t, value)


def _of_door(state: str, result: dict[str, Any]) -> str:
    """A controller's first door has the state's own name, further ones their number behind it: "state.1"."""
    door = result.get("door")
    return f"{state}.{door}" if isinstance(door, int) and door > 0 else state


def step(at_once: int = AT_ONCE) -> int:
    """Read the next batches and keep what they come to, in one transaction with the reader's place; how many.

    Killed at any moment, it goes on where it was: nothing is counted twice or left out.
    """
    with transaction.atomic():
        consumer, _ = Consumer.objects.select_for_update().get_or_create(name=NAME)
        batches = reader.batches(_raw(), consumer.last_batch, at_once)
        if not batches:
            return 0
        kinds = {kind.code: kind for kind in ObservationKind.objects.all()}
        found = digest(batches, {code: kind.state for code, kind in kinds.items() if kind.state})
        _count(found, {code: kind.pk for code, kind in kinds.items()})
        _apply(found)
        consumer.last_batch = batches[-1].number
        consumer.save()
    return len(batches)


def _raw() -> "psycopg.Connection[Any]":
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    return raw


COUNT = """
INSERT INTO observations_hourlycount (place_id, kind_id, hour, count)
SELECT c.place, c.kind, to_timestamp(c.hour), c.count
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]) AS c (place, kind, hour, count)
JOIN places_place p ON p.id = c.place
ON CONFLICT (place_id, kind_id, hour) DO UPDATE SET count = observations_hourlycount.count + excluded.count
"""


def _count(found: Digest, kinds: dict[str, int]) -> None:
    rows = sorted((place, kinds[kind], hour, count) for (place, kind, hour), count in found.counts.items())
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [list(column) for column in zip(*rows, strict=True)])


def _apply(found: Digest) -> None:
    before = dict(Device.objects.filter(pk__in={one.device_id for one in found.statuses}).values_list("pk", "status"))
    alive = [one for one in found.statuses if one.device_id in before]
    devices.apply_status(alive)
    devices.record_changes(change for change in found.changes.values() if change.device_id in before)
    _report(found)
    _tell(before)


def _report(found: Digest) -> None:
    """Bring the shadows' reported state up to date; each property carries its own time, so late rows change nothing."""
    shadows = list(Shadow.objects.select_for_update().filter(device_id__in=found.reported))
    missing = found.reported.keys() - {shadow.device_id for shadow in shadows}
    existing = set(Device.objects.filter(pk__in=missing).values_list("pk", flat=True))
    shadows += [Shadow(device_id=device_id) for device_id in existing]
    for shadow in shadows:
        newest = found.reported[shadow.device_id]
        times = dict(shadow.reported.get("at", {}))
        for name, (t, value) in newest.items():
            if t >= times.get(name, 0):
                times[name] = t
                shadow.reported = shadow.reported | {name: value, "at": times}
        shadow.reported_version += 1
        latest = max(t for t, _ in newest.values())
        shadow.reported_at = max(shadow.reported_at or _EPOCH, datetime.fromtimestamp(latest, UTC))
    Shadow.objects.bulk_create(
        shadows,
        update_conflicts=True,
        unique_fields=["device"],
        update_fields=["reported", "reported_version", "reported_at"],
    )


_EPOCH = datetime.fromtimestamp(0, UTC)


def _tell(before: dict[int, str]) -> None:
    """Tell the live screens whose status changed."""
    for device in Device.objects.filter(pk__in=before).select_related("place"):
        if device.status != before[device.pk]:
            live.device_status(device)
