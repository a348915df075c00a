"""Reads a record of a home's sensors: CSV of time, sensor, state, as public collections have it."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from shoufu.engines.welfare import Event

TIME = ("time", "timestamp", "datetime", "date_time", "date time", "start", "start time", "start_time", "时间")
SENSOR = ("sensor", "sensor_id", "sensorid", "sensor id", "device", "location", "entity_id", "name", "传感器")
STATE = ("state", "value", "status", "message", "sensor_state", "event", "状态")
OWN_DOOR = re.compile(r"front|main|entr|exit|outer|outside|home.?door|入户|大门|单元门", re.IGNORECASE)
ANY_DOOR = re.compile(r"^d\d+$|door|门", re.IGNORECASE)
INNER_DOOR = re.compile(
    r"bath|bed|toilet|closet|cup|cabinet|fridge|freez|micro|dish|wash|oven|drawer|garage.?inner|冰箱|柜|卧室|卫生间",
    re.IGNORECASE,
)
FIRED = frozenset(
    {"on", "off", "open", "opened", "close", "closed", "true", "false", "1", "0", "present", "absent", "motion"}
)
HEARTBEAT = re.compile(
    r"^(ba|t|ls|p|h|e)\d+$|temp|batter|humid|lux|light.?level|heart|gateway|power|温度|电量|心跳", re.IGNORECASE
)


class RecordError(ValueError):
    """A record cannot be read: names the file, the line and what is wrong."""


@dataclass(frozen=True)
class Record:
    """The events in order of time; the doors taken for the dwelling's own; lines that could not be read.

    `silent_after`: seconds without any row after which the sensors count as lost, where the record's own heartbeat
    (temperatures, batteries) is steady enough to tell; None where it has none.
    """

    events: Sequence[Event]
    doors: Sequence[str]
    skipped: Sequence[str]
    silent_after: float | None


@dataclass(frozen=True)
class _Row:
    t: float
    sensor: str
    life: bool


def read(path: Path, doors: Sequence[str] = ()) -> Record:
    """Read a record; `doors` names the sensors of the dwelling's own door (found by their names where empty)."""
    rows: list[_Row] = []
    skipped: list[str] = []
    for number, cells in _lines(path):
        try:
            rows.append(_row(cells))
        except ValueError as error:
            skipped.append(f"line {number}: {error}")
    if not rows:
        why = skipped[0] if skipped else "it is empty"
        raise RecordError(f"{path}: no line holds a time, a sensor and a state ({why})")
    if len(skipped) > len(rows):
        raise RecordError(f"{path}: {len(skipped)} of {len(skipped) + len(rows)} lines cannot be read; {skipped[0]}")
    rows.sort(key=lambda row: row.t)
    own = frozenset(doors) or _own_doors({row.sensor for row in rows})
    events = [Event(row.t, row.sensor in own, row.life) for row in rows]
    return Record(events, sorted(own), skipped, _silent_after(events))


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_text(encoding="gb18030")
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        return
    delimiter = next((mark for mark in (",", "\t", ";") if mark in lines[0][1]), " ")
    split = (line.split() if delimiter == " " else next(csv.reader([line], delimiter=delimiter)) for _, line in lines)
    table = [(number, [cell.strip() for cell in cells]) for (number, _), cells in zip(lines, split, strict=True)]
    order = _header(table[0][1])
    if order is None:
        yield from table
        return
    for number, cells in table[1:]:
        yield number, [cells[place] if place < len(cells) else "" for place in order]


def _header(cells: list[str]) -> list[int] | None:
    """Where time, sensor and state stand, if the first line names its columns."""
    names = [cell.lower() for cell in cells]
    if any(re.match(r"\d", name) for name in names):
        return None
    date = names.index("date") if "date" in names else None
    found = [next((names.index(name) for name in group if name in names), None) for group in (TIME, SENSOR, STATE)]
    if found[0] is None or found[1] is None:
        raise RecordError(f"the first line names no column for time and sensor: {', '.join(cells)}")
    kept = [place for place in found if place is not None]
    return [date, *kept] if date is not None else kept


def _row(cells: list[str]) -> _Row:
    if len(cells) < 2:
        raise ValueError("expected time, sensor, state")
    if re.fullmatch(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}", cells[0]) and re.match(r"\d{1,2}:", cells[1]):
        cells = [f"{cells[0]} {cells[1]}", *cells[2:]]
    if len(cells) < 2 or not cells[1]:
        raise ValueError("no sensor")
    state = cells[2].lower() if len(cells) > 2 else "on"
    life = state in FIRED or (not HEARTBEAT.search(cells[1]) and not re.fullmatch(r"-?\d+(\.\d+)?", state))
    return _Row(_wall_clock(cells[0]), cells[1], life and not (HEARTBEAT.search(cells[1]) and state not in FIRED))


def _wall_clock(text: str) -> float:
    """Seconds of the wall clock: a time with an offset keeps its own clock's hours."""
    if re.fullmatch(r"\d{9,}(\.\d+)?", text):
        value = float(text)
        return value / 1000 if value > 1e11 else value
    moment = datetime.fromisoformat(text.replace("/", "-"))
    return moment.replace(tzinfo=UTC).timestamp()


def _own_doors(sensors: set[str]) -> frozenset[str]:
    doors = {name for name in sensors if ANY_DOOR.search(name)}
    own = {name for name in sensors if OWN_DOOR.search(name) and not INNER_DOOR.search(name)}
    return frozenset((own & doors) or own or {name for name in doors if not INNER_DOOR.search(name)})


def _silent_after(events: Sequence[Event]) -> float | None:
    """Three times the longest usual gap of a steady heartbeat, 30 minutes at least; None without one."""
    beats = np.asarray([event.t for event in events if not event.life])
    if len(beats) < 100:
        return None
    gaps = np.diff(beats)
    usual = float(np.quantile(gaps, 0.99))
    if usual > 3600.0 or len(beats) * usual < 0.2 * (events[-1].t - events[0].t):
        return None
    return max(1800.0, 3 * usual)
