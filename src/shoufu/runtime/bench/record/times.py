"""How a column writes its times: found once for the column, so that day and month cannot be mistaken."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

Clock = Callable[[str], float]
"""From a cell to seconds of its own wall clock; ValueError where the cell is none."""

PROBED = 400
ENOUGH, HALF, FEW = 0.9, 0.5, 20
FIRST_SERIAL, LAST_SERIAL = 25_569.0, 80_000.0  # Excel's days from 1970 to 2119
SERIAL_DAY = datetime(1899, 12, 30, tzinfo=UTC)
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
PARTED = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})(?:[ T,]+(.+))?")
NAMED = re.compile(r"(\d{1,2})[-/. ]([A-Za-z]{3})[a-z]*[-/. ,]+(\d{4})(?:[ T,]+(.+))?")
NAMED_FIRST = re.compile(r"([A-Za-z]{3})[a-z]*[-/. ]+(\d{1,2})[-/. ,]+(\d{4})(?:[ T,]+(.+))?")
CHINESE = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日\s*(.*)")
YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T,]+(.+))?")
OF_DAY = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,:](\d+))?)?\s*(am|pm)?\s*(?:Z|[+-]\d{2}:?\d{2}|UTC|GMT)?", re.IGNORECASE
)
COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})[T ]?(\d{2})(\d{2})(\d{2})?")


def clock(cells: Sequence[str]) -> Clock | None:
    """The way in which nine of ten cells of a column are times; None where there is none."""
    probed = [cell for cell in cells[:: max(1, len(cells) // PROBED)] if cell]
    if not probed:
        return None
    for one in (_iso, _year_first, _named, _chinese, _compact, _epoch, _serial):
        if _fits(one, probed):
            return one
    both = [one for one in (_day_first, _month_first) if _fits(one, probed)]
    if len(both) == 2:
        return min(both, key=lambda one: _disorder(one, probed))
    return both[0] if both else None


def is_date(cell: str) -> bool:
    """Whether a cell is a day without a time of day."""
    found = YEAR_FIRST.fullmatch(cell) or PARTED.fullmatch(cell) or NAMED.fullmatch(cell) or CHINESE.fullmatch(cell)
    return found is not None and not found[4]


def is_time_of_day(cell: str) -> bool:
    """Whether a cell is a time of day without a day."""
    return OF_DAY.fullmatch(cell) is not None


def _fits(one: Clock, cells: Sequence[str]) -> bool:
    good = sum(_reads(one, cell) for cell in cells)
    return good >= (ENOUGH if len(cells) >= FEW else HALF) * len(cells)


def _reads(one: Clock, cell: str) -> bool:
    try:
        one(cell)
    except (ValueError, OverflowError):
        return False
    return True


def _disorder(one: Clock, cells: Sequence[str]) -> tuple[int, float]:
    """How often time goes back, and how long the record would be: the wrong reading jumps about the year."""
    times = [one(cell) for cell in cells if _reads(one, cell)]
    back = sum(after < before for before, after in zip(times, times[1:], strict=False))
    return back, max(times) - min(times)


def _iso(text: str) -> float:
    if len(text) < 12 or not text[4] == "-":
        raise ValueError(f"{text[:40]!r} is no time")
    return datetime.fromisoformat(text.replace(",", ".")).replace(tzinfo=UTC).timestamp()


def _moment(year: str, month: str | int, day: str, rest: str | None, text: str) -> float:
    found = OF_DAY.fullmatch((rest or "0:00").strip())
    if found is None:
        raise ValueError(f"{text[:40]!r} is no time")
    hour = int(found[1])
    if found[5]:
        hour = hour % 12 + (12 if found[5].lower() == "pm" else 0)
    part = float(f"0.{found[4]}") if found[4] else 0.0
    # A day may end with 24:00:00.
    start = datetime(int(year), int(month), int(day), tzinfo=UTC)
    return (start + timedelta(hours=hour, minutes=int(found[2]), seconds=int(found[3] or 0) + part)).timestamp()


def _match(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is no time")
    return found


def _year_first(text: str) -> float:
    found = _match(YEAR_FIRST, text)
    return _moment(found[1], found[2], found[3], found[4], text)


def _chinese(text: str) -> float:
    found = _match(CHINESE, text)
    return _moment(found[1], found[2], found[3], found[4], text)


def _day_first(text: str) -> float:
    found = _match(PARTED, text)
    return _moment(found[3], found[2], found[1], found[4], text)


def _month_first(text: str) -> float:
    found = _match(PARTED, text)
    return _moment(found[3], found[1], found[2], found[4], text)


def _named(text: str) -> float:
    found = NAMED.fullmatch(text)
    day, month = (found[1], found[2]) if found else (None, None)
    if found is None:
        found = _match(NAMED_FIRST, text)
        day, month = found[2], found[1]
    if str(month).lower() not in MONTHS:
        raise ValueError(f"{text[:40]!r} is no time")
    return _moment(found[3], MONTHS.index(str(month).lower()) + 1, str(day), found[4], text)


def _compact(text: str) -> float:
    found = _match(COMPACT, text)
    return _moment(found[1], found[2], found[3], f"{found[4]}:{found[5]}:{found[6] or '00'}", text)


def _epoch(text: str) -> float:
    if not re.fullmatch(r"\d{9,19}(\.\d+)?", text):
        raise ValueError(f"{text[:40]!r} is no time")
    value = float(text)
    while value > 1e11:  # milli-, micro- and nanoseconds
        value /= 1000
    return value


def _serial(text: str) -> float:
    if not re.fullmatch(r"\d{5}\.\d+", text) or not FIRST_SERIAL <= float(text) <= LAST_SERIAL:
        raise ValueError(f"{text[:40]!r} is no time")
    return SERIAL_DAY.timestamp() + round(float(text) * 86400.0, 3)
