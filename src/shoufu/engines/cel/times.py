"""Timestamps and durations: their texts (RFC 3339; Go's duration syntax) and their parts, in any time zone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shoufu.engines.cel.errors import CelEvaluationError
from shoufu.engines.cel.operators import make_duration, make_timestamp, show
from shoufu.engines.cel.values import SECOND, Duration, Timestamp

DAY = 86_400
_EPOCH_ORDINAL = 719_163
_TIMESTAMP = re.compile(
    r"(\d{4,5})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
_DURATION_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_UNITS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3600 * SECOND,
}
_OFFSET = re.compile(r"([+-]?)(\d\d):(\d\d)", re.ASCII)


def parse_timestamp(text: str) -> Timestamp:
    """From RFC 3339, e.g. 2026-11-23T18:42:07.123+08:00."""
    found = _TIMESTAMP.fullmatch(text)
    if found is None:
        raise CelEvaluationError(f"{show(text)} is no timestamp; write RFC 3339, e.g. 2026-11-23T18:42:07.123+08:00")
    year, month, day, hour, minute, second = (int(found[i]) for i in range(1, 7))
    if not 1 <= year <= 9999:
        raise CelEvaluationError(f"timestamp out of range: year {year} must be 0001 to 9999")
    try:
        days = date(year, month, day).toordinal() - _EPOCH_ORDINAL
    except ValueError as error:
        raise CelEvaluationError(f"{show(text)} is no timestamp: {error}") from None
    if hour > 23 or minute > 59 or second > 59:
        raise CelEvaluationError(f"{show(text)} is no timestamp: the time of day goes to 23:59:59")
    offset = 0
    if found[8]:
        offset = (int(found[9]) * 3600 + int(found[10]) * 60) * (-1 if found[8] == "-" else 1)
    seconds = days * DAY + hour * 3600 + minute * 60 + second - offset
    return make_timestamp(seconds * SECOND + int((found[7] or "0").ljust(9, "0")))


def format_timestamp(value: Timestamp) -> str:
    """RFC 3339 in UTC, with as many decimals as needed."""
    seconds, nanoseconds = divmod(int(value), SECOND)
    days, rest = divmod(seconds, DAY)
    day = date.fromordinal(days + _EPOCH_ORDINAL)
    return f"{day.isoformat()}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}{_fraction(nanoseconds)}Z"


def parse_duration(text: str) -> Duration:
    """From a sum of decimal numbers with units, e.g. 1h30m, -2.5s, 10ms; or 0."""
    sign, body = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if body == "0":
        return Duration(0)
    total, position = 0, 0
    while part := _DURATION_PART.match(body, position):
        whole, _, fraction = part[1].partition(".")
        unit = _UNITS[part[2]]
        total += int(whole or 0) * unit + int(fraction or 0) * unit // 10 ** len(fraction)
        position = part.end()
    if position == 0 or position != len(body):
        raise CelEvaluationError(f"{show(text)} is no duration; write e.g. '90s', '1h30m' or '250ms'")
    return make_duration(sign * total)


def format_duration(value: Duration) -> str:
    """In seconds, e.g. 3.5s."""
    seconds, nanoseconds = divmod(abs(int(value)), SECOND)
    return f"{'-' if value < 0 else ''}{seconds}{_fraction(nanoseconds)}s"


def _fraction(nanoseconds: int) -> str:
    return f".{nanoseconds:09}".rstrip("0") if nanoseconds else ""


def timestamp_of_seconds(seconds: int) -> Timestamp:
    """From Unix time in seconds."""
    return make_timestamp(int(seconds) * SECOND)


def _zone_offset(zone: str) -> int | ZoneInfo:
    """A fixed offset in seconds, or an IANA zone."""
    if found := _OFFSET.fullmatch(zone):
        seconds = int(found[2]) * 3600 + int(found[3]) * 60
        return -seconds if found[1] == "-" else seconds
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CelEvaluationError(
            f"unknown time zone {show(zone)}; write an IANA name such as 'Asia/Shanghai' or an offset such as '+08:00'"
        ) from None


_zone = lru_cache(maxsize=256)(_zone_offset)


def _local_seconds(value: Timestamp, zone: str) -> int:
    """Wall-clock seconds since 1970-01-01T00:00:00 in the zone."""
    seconds = int(value) // SECOND
    found = _zone(zone)
    return seconds + (found if isinstance(found, int) else _offset_at(seconds, found))


def _offset_at(seconds: int, zone: ZoneInfo) -> int:
    # datetime ends at the years 1 and 9999; a day inside of them every zone has the offset of the end.
    safe = min(max(seconds, -62_135_596_800 + 2 * DAY), 253_402_300_799 - 2 * DAY)
    moment = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=safe)).astimezone(zone)
    offset = moment.utcoffset()
    return int(offset.total_seconds()) if offset else 0


def _date_parts(local: int) -> tuple[int, int, int, int]:
    """Year, month (1…), day of the month (1…) and day of the year (0…); also just outside of the years 1 to 9999."""
    days = local // DAY
    if days < 1 - _EPOCH_ORDINAL:
        return 0, 12, 32 - (1 - _EPOCH_ORDINAL - days), 366 - (1 - _EPOCH_ORDINAL - days)
    if days > date.max.toordinal() - _EPOCH_ORDINAL:
        past = days - (date.max.toordinal() - _EPOCH_ORDINAL)
        return 10_000, 1, past, past - 1
    day = date.fromordinal(days + _EPOCH_ORDINAL)
    return day.year, day.month, day.day, day.timetuple().tm_yday - 1


_PARTS: dict[str, Callable[[int], int]] = {
    "getFullYear": lambda local: _date_parts(local)[0],
    "getMonth": lambda local: _date_parts(local)[1] - 1,
    "getDate": lambda local: _date_parts(local)[2],
    "getDayOfMonth": lambda local: _date_parts(local)[2] - 1,
    "getDayOfYear": lambda local: _date_parts(local)[3],
    # 1970-01-01 was a Thursday; Sunday is 0.
    "getDayOfWeek": lambda local: (local // DAY + 4) % 7,
    "getHours": lambda local: local % DAY // 3600,
    "getMinutes": lambda local: local % 3600 // 60,
    "getSeconds": lambda local: local % 60,
}


def _part(of_local: Callable[[int], int]) -> Callable[..., int]:
    def part(value: Timestamp, zone: str | None = None) -> int:
        return of_local(int(value) // SECOND if zone is None else _local_seconds(value, zone))

    return part


def _timestamp_milliseconds(value: Timestamp, zone: str | None = None) -> int:
    if zone is not None:
        _zone(zone)
    return int(value) % SECOND // 1_000_000


TIMESTAMP_PARTS: dict[str, Callable[..., int]] = {name: _part(of_local) for name, of_local in _PARTS.items()} | {
    "getMilliseconds": _timestamp_milliseconds
}
"""Accessor name → function of a timestamp and, if wanted, a time zone."""


def _whole(value: int, unit: int) -> int:
    """`value` in whole units, cut towards zero."""
    return value // unit if value >= 0 else -(-value // unit)


DURATION_PARTS: dict[str, Callable[[Duration], int]] = {
    "getHours": lambda value: _whole(int(value), 3600 * SECOND),
    "getMinutes": lambda value: _whole(int(value), 60 * SECOND),
    "getSeconds": lambda value: _whole(int(value), SECOND),
    # Only the part below a second, unlike the others: so the language has it.
    "getMilliseconds": lambda value: _whole(int(value) - _whole(int(value), SECOND) * SECOND, 1_000_000),
}
"""Accessor name → function of a duration: the whole duration in that unit."""
