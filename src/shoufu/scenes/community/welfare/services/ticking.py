"""What happens by itself: sensors' rows are read since the cursor, and what is due begins.

Cursor, learned habits and the sensors' last times are one transaction, and rows are taken batch by batch in the order
of the log: killed at any moment, a tick begins again and comes to the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from django.db import connection, transaction

from shoufu.engines import welfare as engine
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.observations import reader
from shoufu.kernel.observations.models import Consumer
from shoufu.kernel.observations.wire import BatchRow
from shoufu.kernel.parties.selectors import has_consent
from shoufu.scenes.community.welfare.minding import FIELDS, deaf_since, keep, keys_of, moment, opened, wall, zone_of
from shoufu.scenes.community.welfare.models import Check, Sensor, Watch
from shoufu.scenes.community.welfare.services import ladder
from shoufu.scenes.community.welfare.services.common import (
    CONSENT,
    about_watch,
    accounts,
    locked_check,
    tell_role,
    tell_users,
)

NAME = "welfare"
AT_ONCE = 2_000
LATE = timedelta(minutes=2)
"""How long a check waits after it is due: what was heard in time may come in late."""
DEAF = timedelta(hours=2)
ACTIVITY, STATUS = "home.activity", "device.status"


def tick(now: datetime) -> int:
    """Read what came in, let go on what waited long enough, begin what is due; how many checks changed."""
    while read():
        pass
    return _end_pauses(now) + ladder.advance(now) + _begin_due(now) + _tell_deaf(now)


@transaction.atomic
def read() -> int:
    """Feed the next batches to the watches; how many batches. Begins with the end of the log at the first call."""
    raw = _raw()
    last = reader.last_number(raw)
    consumer, made = Consumer.objects.select_for_update().get_or_create(name=NAME, defaults={"last_batch": last})
    if made or consumer.last_batch >= last:
        return 0
    until = min(last, consumer.last_batch + AT_ONCE)
    sensors = _sensors()
    found = reader.of_devices(raw, consumer.last_batch, until, sorted(sensors))
    if found:
        _feed(sensors, [row for _number, _known, row in found])
    read_now = until - consumer.last_batch
    consumer.last_batch = until
    consumer.save()
    return read_now


def _raw() -> "psycopg.Connection[Any]":
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    return raw


def _sensors() -> dict[int, Sensor]:
    rows = Sensor.objects.filter(watch__isnull=False).select_related("device")
    return {row.device_id: row for row in rows}


@dataclass
class _Home:
    """One person's watch while rows are fed to it."""

    row: Watch
    key: bytes | None
    sensors: list[Sensor]
    watch: engine.Watch
    signs: list[datetime]


def _feed(sensors: dict[int, Sensor], rows: Sequence[BatchRow]) -> None:
    wanted = {sensors[row.device_id].watch_id for row in rows}
    homes = _homes({pk for pk in wanted if pk is not None}, list(sensors.values()))
    touched = set()
    for row in rows:
        sensor = sensors[row.device_id]
        home = homes.get(sensor.watch_id or 0)
        if home is not None:
            _take(home, sensor, row)
            touched.add(sensor)
    for home in homes.values():
        keep(home.row, home.key, home.watch)
    Sensor.objects.bulk_update(touched, ["heard_at", "lost_at"])
    Watch.objects.bulk_update([home.row for home in homes.values()], FIELDS)
    _end_by_signs(homes)


def _homes(ids: set[int], sensors: Sequence[Sensor]) -> dict[int, _Home]:
    """The watches, locked in the order of their ids; a watch that was withdrawn meanwhile is not there any more."""
    rows = Watch.objects.select_for_update(of=("self",)).select_related("place", "household__place", "person")
    listed = list(rows.filter(pk__in=ids).order_by("pk"))
    keys = keys_of(listed)
    return {
        row.pk: _Home(
            row,
            keys[row.person_id],
            [one for one in sensors if one.watch_id == row.pk],
            opened(row, keys[row.person_id]),
            [],
        )
        for row in listed
        if keys[row.person_id] is not None
    }


def _take(home: _Home, sensor: Sensor, row: BatchRow) -> None:
    """One row: first what was not heard before it, then what it says."""
    at = datetime.fromtimestamp(row.t, UTC)
    paused = home.row.paused_until is not None
    if not paused:
        _hearing(home, at)
    result = row.result if isinstance(row.result, dict) else {}
    if row.kind == STATUS and result.get("state") == "offline":
        sensor.lost_at = min(at, sensor.lost_at or at)
    elif sensor.heard_at is None or at >= sensor.heard_at:
        sensor.heard_at, sensor.lost_at = at, None
    if paused:
        return
    _hearing(home, at)
    if not _is_event(sensor, row.kind, result):
        return
    told, last = home.watch.state.told, home.watch.state.last
    home.watch.event(wall(at, zone_of(home.row)), door=_is_door(sensor, result))
    if told and not home.watch.state.told or (last is not None and home.watch.state.last != last):
        home.signs.append(at)


def _hearing(home: _Home, at: datetime) -> None:
    zone, since = zone_of(home.row), deaf_since(home.sensors, at)
    if since is None:
        home.watch.found(wall(at, zone))
    elif home.watch.state.deaf is None and home.watch.state.last is not None:
        home.watch.lost(max(wall(since, zone), home.watch.state.last))


def _is_event(sensor: Sensor, kind: str, result: dict[str, Any]) -> bool:
    if kind == ACTIVITY:
        return True
    if sensor.role != Sensor.Role.DOOR:
        return False
    return (kind == "door.state" and result.get("state") == "open") or (
        kind == "door.access" and bool(result.get("granted"))
    )


def _is_door(sensor: Sensor, result: dict[str, Any]) -> bool:
    return sensor.role == Sensor.Role.DOOR or result.get("signal") == "door"


def _end_by_signs(homes: dict[int, _Home]) -> None:
    signs = {pk: home.signs[-1] for pk, home in homes.items() if home.signs}
    for pk in Check.objects.filter(watch__in=signs, ended_at__isnull=True).values_list("pk", flat=True):
        check = locked_check(pk)
        if check is not None and check.ended_at is None and check.watch_id in signs:
            at = signs[check.watch_id]
            ladder.sign(check, at, max(at, check.asked_at))


@transaction.atomic
def _end_pauses(now: datetime) -> int:
    """A holiday is over: silence counts from its end, and nothing is learned of it."""
    rows = Watch.objects.select_for_update(of=("self",)).select_related("place").filter(paused_until__lte=now)
    listed = list(rows)
    keys = keys_of(listed)
    for row in listed:
        resume(row, keys[row.person_id], row.paused_until or now)
    return len(listed)


def resume(row: Watch, key: bytes | None, at: datetime) -> None:
    """Watch again from `at` on."""
    watch = opened(row, key)
    # A second that nobody heard keeps the first silence after a pause from being learned.
    watch.state = engine.State(last=wall(at, zone_of(row)), unheard=1.0)
    row.paused_until = None
    keep(row, key, watch)
    row.save(update_fields=FIELDS)


def _begin_due(now: datetime) -> int:
    wanted = Watch.objects.filter(due_at__lte=now - LATE, paused_until__isnull=True)
    return sum(_begin(pk, now) for pk in wanted.order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def _begin(watch_id: int, now: datetime) -> int:
    rows = Watch.objects.select_for_update(of=("self",)).select_related("place", "household__place", "person")
    row = rows.filter(pk=watch_id, due_at__lte=now - LATE, paused_until__isnull=True).first()
    if row is None or row.due_at is None:
        return 0
    if not has_consent(row.person_id, CONSENT):
        return 0
    if row.mode == Watch.Mode.BUTTON:
        due = ladder.Due(Check.Reason.BUTTON, row.due_at)
        row.due_at = next_button(row, now)
        row.save(update_fields=["due_at"])
        return int(ladder.begin(row, due, now) is not None)
    key = keys_of([row])[row.person_id]
    watch, zone = opened(row, key), zone_of(row)
    _hearing(_Home(row, key, list(row.sensors.select_related("device")), watch, []), now)
    alarm = watch.due()
    begun = None
    if alarm is not None and moment(alarm.at, zone) <= now - LATE:
        watch.told()
        begun = ladder.due_of(alarm, lambda seconds: moment(seconds, zone))
    keep(row, key, watch)
    row.save(update_fields=FIELDS)
    return int(begun is not None and ladder.begin(row, begun, now) is not None)


def next_button(row: Watch, now: datetime) -> datetime:
    """When the daily button has to be pressed next: today's time if it is still to come, else tomorrow's."""
    zone = zone_of(row)
    local = now.astimezone(zone)
    today = datetime.combine(local.date(), row.button_at, zone)
    return today if today > local else datetime.combine(local.date() + timedelta(days=1), row.button_at, zone)


@transaction.atomic
def _tell_deaf(now: datetime) -> int:
    """Say so where no sensor is heard for two hours: nobody would notice anything there."""
    rows = Watch.objects.select_for_update(of=("self",)).select_related("place", "household__place__parent", "person")
    watching = rows.filter(mode=Watch.Mode.SENSORS, paused_until__isnull=True, deaf_told=False, sensors__isnull=False)
    told = 0
    for row in rows.filter(pk__in=watching.order_by().values("pk"), since__lte=now - DEAF):
        since = deaf_since(list(row.sensors.select_related("device")), now)
        if since is None or now - since < DEAF:
            continue
        row.deaf_told = True
        row.save(update_fields=["deaf_told"])
        words = about_watch(row, max(since, row.since), "deaf")
        tell_users("welfare.deaf", words, accounts({row.person_id}))
        tell_role("welfare.deaf", words, "property_manager")
        record(SYSTEM, Act("welfare.deaf", row, row.place_id, subject=row.person_id))
        told += 1
    return told
