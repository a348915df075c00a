"""Which cell of a line is the time, which the sensor and which the state, whatever the collection's way of writing."""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shoufu.runtime.bench.record.sensors import FIRED, NOTHING, NUMBER, words
from shoufu.runtime.bench.record.times import Clock, clock, is_date, is_time_of_day

TIME = words("time timestamp datetime date_time when start start_time begin ts stamp 时间 开始时间")
END = words("end end_time stop stop_time finish 结束时间")
SENSOR = words("sensor sensor_id sensorid sensor_name device device_id location entity_id name id 传感器 设备")
STATE = words("state value val status message sensor_state sensor_status event reading 状态 值")
NOTES = words("activity label annotation action activity_state anot class user person subject 活动")
DELIMITERS = "\t,;|"
RULE = re.compile(r"[-=_\s|+]+")
PROBED = 2000
MOSTLY = 0.8
ALWAYS = 0.99


class RecordError(ValueError):
    """A record cannot be read: names the file, the line and what is wrong."""


@dataclass(frozen=True)
class Cells:
    """A line of the record, still as text."""

    number: int
    cells: Sequence[str]


@dataclass(frozen=True)
class Columns:
    """Where things stand. `day`: the column of the date where it stands apart; `more`: what else names the sensor."""

    time: int
    clock: Clock
    sensor: int
    day: int | None = None
    end: int | None = None
    state: int | None = None
    more: tuple[int, ...] = ()

    def stamp(self, cells: Sequence[str], place: int) -> str:
        """The text of a time, with the day before it where that stands apart."""
        text = cells[place] if place < len(cells) else ""
        return f"{cells[self.day]} {text}" if self.day is not None and place == self.time else text


def lines(text: str) -> list[Cells]:
    """The lines of a text that hold something, split; lines that only rule off, and comments, are none."""
    kept = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    kept = [(number, line) for number, line in kept if not RULE.fullmatch(line) and line.lstrip()[0] not in "#%"]
    delimiter = _delimiter([line for _number, line in kept[:PROBED]])
    collapse = delimiter == "\t" and sum("\t\t" in line for _number, line in kept) * 2 > len(kept)
    return [Cells(number, _split(line, delimiter, collapse)) for number, line in kept]


def _delimiter(probed: Sequence[str]) -> str:
    for mark in DELIMITERS:
        if sum(mark in line for line in probed) > MOSTLY * len(probed):
            return mark
    return " "


def _split(line: str, delimiter: str, collapse: bool) -> list[str]:
    if delimiter == " ":
        return line.split()
    if collapse:
        return [cell.strip() for cell in re.split(r"\t+", line.strip())]
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]


def columns(table: Sequence[Cells]) -> tuple[Columns, Sequence[Cells]]:
    """The columns of a table and the lines without the heading. RecordError says what is missing."""
    heading, body = _heading(table)
    if not body:
        raise RecordError("it holds a heading and no rows")
    width = Counter(len(line.cells) for line in body[:PROBED]).most_common(1)[0][0]
    probed = [line.cells for line in body if len(line.cells) >= min(width, 2)]
    probed = probed[:: max(1, len(probed) // PROBED)]
    by_column = [[cells[place] if place < len(cells) else "" for cells in probed] for place in range(width)]
    names = [_folded(name) for name in heading.cells] if heading else []
    names = names if len(names) <= width else names[:width]
    time, day, found_clock = _time(by_column, names)
    taken = {time, day}
    end = next((n for n in range(width) if n not in taken and clock(by_column[n]) and not _epochs(by_column[n])), None)
    if end is not None and names and not any(name in END for name in names):
        end = None
    return _rest(by_column, names, Columns(time, found_clock, 0, day, end)), body


def _folded(name: str) -> str:
    return re.sub(r"[\s_\-]+", "_", name.strip().strip("\ufeff\"'").lower())


def _epochs(cells: Sequence[str]) -> bool:
    return all(NUMBER.fullmatch(cell) for cell in cells if cell)


def _heading(table: Sequence[Cells]) -> tuple[Cells | None, Sequence[Cells]]:
    """The first line where it has no number that a time could be, and words for it."""
    first = table[0]
    timely = any(is_date(cell) or is_time_of_day(cell) or clock([cell]) for cell in first.cells)
    return (None, table) if timely else (first, table[1:])


def _time(columns: Sequence[Sequence[str]], names: Sequence[str]) -> tuple[int, int | None, Clock]:
    order = sorted(range(len(columns)), key=lambda n: n >= len(names) or names[n] not in TIME)
    for place in order:
        cells = [cell for cell in columns[place] if cell]
        if cells and sum(map(is_date, cells)) > MOSTLY * len(cells) and not _midnights(cells):
            apart = _apart(columns, place)
            if apart is not None:
                joined = [f"{day} {time}" for day, time in zip(columns[place], columns[apart], strict=True)]
                if found := clock(joined):
                    return apart, place, found
        if cells and sum(map(is_time_of_day, cells)) > MOSTLY * len(cells):
            continue  # its day is looked for from the column of the date
        if found := clock(columns[place]):
            return place, None, found
    raise RecordError("no column holds times; write them like 2024-03-01 08:15:00")


def _midnights(cells: Sequence[str]) -> bool:
    return any(":" in cell for cell in cells)


def _apart(columns: Sequence[Sequence[str]], day: int) -> int | None:
    """The column of the times of day: the one behind the date first."""
    for place in sorted(range(len(columns)), key=lambda n: (n <= day, n)):
        cells = [cell for cell in columns[place] if cell]
        if cells and sum(map(is_time_of_day, cells)) > MOSTLY * len(cells):
            return place
    return None


def _rest(columns: Sequence[Sequence[str]], names: Sequence[str], found: Columns) -> Columns:
    """The sensor, the state and what else describes the sensor, by the heading and else by what stands there."""
    used = {found.time, found.day, found.end}
    free = [n for n in range(len(columns)) if n not in used and any(columns[n]) and not _counts(columns[n])]
    notes = {n for n in free if n < len(names) and names[n] in NOTES}
    called = {n: names[n] for n in free if n < len(names)}
    sensor = _named(called, SENSOR) if called else None
    state = _named({n: name for n, name in called.items() if n != sensor}, STATE) if called else None
    if sensor is None:
        sensor = next((n for n in free if n not in notes and n != state), None)
    if sensor is None:
        raise RecordError("no column names a sensor" + (f"; the heading is: {', '.join(names)}" if names else ""))
    others = [n for n in free if n not in notes and n not in (sensor, state)]
    if state is None:
        state = next((n for n in others if _states(columns[n])), None)
    others = [n for n in others if n != state]
    more = tuple(n for n in others if _describes(columns, sensor, n, spans=found.end is not None and state is None))
    return Columns(found.time, found.clock, sensor, found.day, found.end, state, more)


def _named(called: dict[int, str], known: frozenset[str]) -> int | None:
    """The column called so; of several the most exact (sensor before id)."""
    exact = [n for n, name in called.items() if name in known]
    return min(exact, key=lambda n: called[n] in ("id", "name", "location", "event")) if exact else None


def _counts(cells: Sequence[str]) -> bool:
    """Whether a column only numbers the rows."""
    return len(cells) > 20 and len(set(cells)) == len(cells) and all(cell.isdigit() for cell in cells)


def _states(cells: Sequence[str]) -> bool:
    held = [cell.lower() for cell in cells if cell]
    return sum(cell in FIRED or cell in NOTHING or NUMBER.fullmatch(cell) is not None for cell in held) > MOSTLY * len(
        cells
    )


def _describes(columns: Sequence[Sequence[str]], sensor: int, other: int, *, spans: bool) -> bool:
    """Whether a column says the same of a sensor in (nearly) every row; in a list of spans every column of words does,
    as such lists name a sensor by what it is and where."""
    if spans:
        return not all(NUMBER.fullmatch(cell) for cell in columns[other] if cell)
    told: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, word in zip(columns[sensor], columns[other], strict=True):
        told[name][word] += 1
    usual = sum(each.most_common(1)[0][1] for each in told.values())
    whole = sum(sum(each.values()) for each in told.values())
    wordy = any(cell and not NUMBER.fullmatch(cell) and cell.lower() not in FIRED for cell in columns[other])
    return wordy and len(told) > 1 and usual >= ALWAYS * whole and len(set(columns[other])) > 1


def texts(line: Cells, found: Columns) -> Iterator[str]:
    """The parts of the sensor's name."""
    for place in (found.sensor, *found.more):
        if place < len(line.cells) and line.cells[place]:
            yield line.cells[place]
