"""What the engine keeps of a person, between the table (UTC, encrypted) and the engine (their wall clock)."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from shoufu.engines import welfare as engine
from shoufu.kernel.audit import subjects
from shoufu.kernel.base import keyring
from shoufu.kernel.base.errors import Conflict
from shoufu.scenes.community.welfare.models import Sensor, Watch

LEAST = timedelta(minutes=5)
MISSED = 3


def wall(moment: datetime, zone: ZoneInfo) -> float:
    """Seconds of the zone's wall clock since 1970."""
    return moment.astimezone(zone).replace(tzinfo=UTC).timestamp()


def moment(seconds: float, zone: ZoneInfo) -> datetime:
    """The moment at which the zone's wall clock shows this; the first one where it shows it twice."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=zone).astimezone(UTC)


def zone_of(row: Watch) -> ZoneInfo:
    return ZoneInfo(row.place.time_zone)


def keys_of(rows: Iterable[Watch]) -> dict[int, bytes | None]:
    """The keys of these people; one query."""
    return subjects.keys_for([row.person_id for row in rows])


def opened(row: Watch, key: bytes | None) -> engine.Watch:
    """The engine's watch as it was kept; a new one where nothing was."""
    if not row.kept or key is None:
        return engine.Watch()
    return engine.unpack(keyring.unseal(key, bytes(row.kept), _context(row)))


def keep(row: Watch, key: bytes | None, watch: engine.Watch) -> None:
    """Put the engine's watch into the row, and when a check is due; the caller saves."""
    if key is None:
        raise Conflict("the person's data was erased")
    row.kept = keyring.seal(key, engine.pack(watch), _context(row))
    zone = zone_of(row)
    row.deaf_since = moment(watch.state.deaf, zone) if watch.state.deaf is not None else None
    if row.deaf_since is None:
        row.deaf_told = False
    if row.mode == Watch.Mode.BUTTON:
        return
    due = watch.due()
    row.due_at = moment(due.at, zone) if due is not None and row.paused_until is None else None


FIELDS = ("kept", "due_at", "deaf_since", "deaf_told", "paused_until", "mode", "button_at")


def _context(row: Watch) -> bytes:
    return f"{row.person_id}:welfare.kept".encode()


def patience(sensor: Sensor) -> timedelta:
    """After how long without any row a sensor counts as not heard."""
    return max(LEAST, timedelta(seconds=MISSED * sensor.device.heartbeat_seconds))


def deaf_since(sensors: Iterable[Sensor], at: datetime) -> datetime | None:
    """Since when fewer than half of the sensors inside are heard; None while at least half are.

    Where a home has none inside, that of its door has to do. A hole begins with the last row before it: nobody knows
    what happened from then on.
    """
    listed = list(sensors)
    inside = [one for one in listed if one.role == Sensor.Role.ACTIVITY] or listed
    needed = (len(inside) + 1) // 2
    ends = sorted((_heard_until(one, at) for one in inside), reverse=True)
    if not ends:
        return at
    return None if ends[needed - 1] >= at else ends[needed - 1]


def _heard_until(sensor: Sensor, at: datetime) -> datetime:
    if sensor.lost_at is not None:
        return sensor.lost_at
    if sensor.heard_at is None:
        return datetime.fromtimestamp(0, UTC)
    return at if at - sensor.heard_at <= patience(sensor) else sensor.heard_at
