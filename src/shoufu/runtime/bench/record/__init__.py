"""Reads a record of a home's sensors as public collections have it.

Taken are CSV and TSV with or without a heading, whitespace (CASAS), lists of spans with a start and an end (Kasteren,
UCI ADL), times as text in the usual orders or as seconds since 1970, rows in any order, columns of activities beside.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shoufu.engines.welfare import Event
from shoufu.runtime.bench.record import sensors, tables
from shoufu.runtime.bench.record.sensors import Row
from shoufu.runtime.bench.record.tables import Cells, Columns, RecordError

__all__ = ["Record", "RecordError", "parse", "read"]

LONGEST_SPAN = 24 * 3600.0
STEADY_GAP = 3600.0
EARLIEST, LATEST = 0.0, 4_102_444_800.0  # 1970 to 2100


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


def read(path: Path, doors: Sequence[str] = ()) -> Record:
    """Read a record; `doors` names the sensors of the dwelling's own door (found by their names where empty)."""
    data = path.read_bytes()
    try:
        return parse(_decoded(data), doors)
    except RecordError as error:
        raise RecordError(f"{path}: {error}") from error


def _decoded(data: bytes) -> str:
    if data[:4] == b"PK\x03\x04":
        raise RecordError("this is a workbook or a ZIP; save the sheet as CSV, or unpack it")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    if b"\0" in data:
        raise RecordError("this is no text; give a CSV of time, sensor, state")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030", errors="replace")


def parse(text: str, doors: Sequence[str] = ()) -> Record:
    """A record out of its text."""
    table = tables.lines(text)
    if not table:
        raise RecordError("it is empty")
    found, body = tables.columns(table)
    rows, skipped = _rows(found, body)
    if not rows:
        raise RecordError(f"no line holds a time, a sensor and a state ({skipped[0]})" if skipped else "no rows")
    if len(skipped) > len(rows):
        raise RecordError(f"{len(skipped)} of {len(skipped) + len(rows)} lines cannot be read; {skipped[0]}")
    rows.sort(key=lambda row: row.t)
    own = _doors(doors, rows)
    still = sensors.measuring(sensors.states_of((row.sensor, row.state) for row in rows))
    events = [Event(row.t, row.sensor in own, row.sensor not in still) for row in rows]
    return Record(events, sorted(own), skipped, _silent_after(events))


def _doors(wanted: Sequence[str], rows: Sequence[Row]) -> frozenset[str]:
    names = {row.sensor for row in rows}
    if not wanted:
        return sensors.own_doors(names) or sensors.doors_by_use(rows)
    own = frozenset(name for name in names if name in wanted or name.split(" ")[0] in wanted)
    if not own:
        known = ", ".join(sorted(names)[:12])
        raise RecordError(f"no sensor is called {', '.join(wanted)}; there are: {known}")
    return own


def _rows(found: Columns, body: Sequence[Cells]) -> tuple[list[Row], list[str]]:
    rows: list[Row] = []
    skipped: list[str] = []
    for line in body:
        try:
            rows.extend(_row(found, line))
        except (ValueError, OverflowError) as error:
            skipped.append(f"line {line.number}: {error}")
    return rows, skipped


def _row(found: Columns, line: Cells) -> Iterator[Row]:
    cells = line.cells
    if found.sensor >= len(cells) or not cells[found.sensor]:
        raise ValueError("no sensor")
    start = found.clock(found.stamp(cells, found.time))
    if not EARLIEST < start < LATEST:
        raise ValueError(f"the time {found.stamp(cells, found.time)!r} lies before 1970 or after 2100")
    sensor = " ".join(tables.texts(line, found))
    state = cells[found.state].lower() if found.state is not None and found.state < len(cells) else "on"
    if state in sensors.NOTHING:
        return
    yield Row(start, sensor, state)
    if found.end is not None and found.end < len(cells) and cells[found.end]:
        end = found.clock(cells[found.end])
        if start < end <= start + LONGEST_SPAN:
            yield Row(end, sensor, "off")


def _silent_after(events: Sequence[Event]) -> float | None:
    """Three times the longest usual gap of a steady heartbeat, 30 minutes at least; None without one."""
    beats = np.asarray([event.t for event in events if not event.life])
    if len(beats) < 100:
        return None
    gaps = np.diff(beats)
    usual = float(np.quantile(gaps, 0.99))
    if usual > STEADY_GAP or len(beats) * usual < 0.2 * (events[-1].t - events[0].t):
        return None
    return max(1800.0, 3 * usual)
