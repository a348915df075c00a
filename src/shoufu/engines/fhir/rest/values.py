"""Values of search parameters (http://hl7.org/fhir/R4/search.html): tokens, days and moments, references, numbers."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

# Quantities of anything real stay far within; a larger exponent would only break the arithmetic.
LARGEST_EXPONENT = 100
PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)?(Z|[+-]\d\d:\d\d)?)?)?)?"
)


class ValueFault(ValueError):
    """A value that a parameter of its kind cannot have; the message says what it should be."""


@dataclass(frozen=True, slots=True)
class Token:
    """``code``, ``system|code``, ``|code`` (no system: "") or ``system|`` (any code: None)."""

    system: str | None
    code: str | None


@dataclass(frozen=True, slots=True)
class Span:
    """A time known to some precision, from ``start`` to before ``end`` in UTC, and how it is compared."""

    prefix: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Pointer:
    """What a reference points at: a type where one is named, and an id or a whole URL."""

    type: str | None
    id: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Amount:
    """A number between bounds of its precision (6.5 is 6.45 to 6.55), with a unit where it is a quantity."""

    prefix: str
    low: Decimal
    high: Decimal
    value: Decimal
    system: str | None = None
    code: str | None = None


Value = Token | Span | Pointer | Amount | str


def split(text: str, mark: str) -> list[str]:
    """Parts between marks that no backslash escapes; the escapes stay."""
    parts = [""]
    for piece in re.findall(r"\\.|.", text, re.DOTALL):
        if piece == mark:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def plain(text: str) -> str:
    r"""Without the escapes ``\,`` ``\|`` ``\$`` and ``\\``."""
    return re.sub(r"\\(.)", r"\1", text)


def token(text: str) -> Token:
    """A token; :class:`ValueFault` where nothing is in it."""
    parts = split(text, "|")
    if len(parts) > 2 or not any(parts):
        raise ValueFault("is written code, system|code, |code or system|")
    if len(parts) == 1:
        return Token(None, plain(parts[0]))
    return Token(plain(parts[0]), plain(parts[1]) or None)


def span(text: str) -> Span:
    """A date with its prefix; a time without zone is taken as UTC, a year as all of it."""
    prefix, rest = _prefixed(text)
    # A plus in a query is often sent unescaped and comes as a space.
    found = _DATE.fullmatch(rest.replace(" ", "+"))
    if found is None:
        raise ValueFault("is a date YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm[:ss][zone], with a prefix such as ge")
    try:
        start, end = _bounds(found)
    except (ValueError, OverflowError) as error:
        raise ValueFault(f"is no such day or time: {rest}") from error
    return Span(prefix, start, end)


def _bounds(found: re.Match[str]) -> tuple[datetime, datetime]:
    year, month, day, hour, minute, second, fraction = found.groups()[:7]
    zone = found[8]
    shift = timedelta(0)
    if zone and zone != "Z":
        shift = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6])) * (-1 if zone[0] == "-" else 1)
    micro = int((fraction or "0").ljust(6, "0"))
    start = datetime(
        int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0), micro, tzinfo=UTC
    )
    if month is None:
        length = timedelta(days=366 if calendar.isleap(start.year) else 365)
    elif day is None:
        length = timedelta(days=calendar.monthrange(start.year, start.month)[1])
    elif hour is None:
        length = timedelta(days=1)
    elif second is None:
        length = timedelta(minutes=1)
    else:
        length = timedelta(microseconds=10 ** (6 - min(len(fraction), 6)) if fraction else 10**6)
    begin = start - shift
    try:
        return begin, begin + length
    except OverflowError:
        # The last day of all, 9999-12-31, is how an open end is written.
        return begin, datetime.max.replace(tzinfo=UTC)


def pointer(text: str, kind: str | None) -> Pointer:
    """A reference: ``id``, ``Type/id`` or an absolute URL; ``kind`` is the type of the modifier (``:Patient``)."""
    text = plain(text)
    if ":" in text:
        found = re.search(r"/([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[^/]+)?$", text)
        return Pointer(found[1] if found else kind, found[2] if found else "", text)
    own, slash, rest = text.partition("/")
    found = re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", rest if slash else own)
    if found is None or (slash and not re.fullmatch("[A-Z][A-Za-z]+", own)):
        raise ValueFault("is written id, Type/id or as an absolute URL")
    if slash and kind and own != kind:
        raise ValueFault(f"names {own}, but the modifier says {kind}")
    return Pointer(own if slash else kind, found[0])


def amount(text: str) -> Amount:
    """A number, or a quantity ``number|system|code``."""
    parts = split(text, "|")
    prefix, digits = _prefixed(parts[0])
    try:
        value = Decimal(digits)
    except InvalidOperation as error:
        raise ValueFault("is a number, or number|system|code") from error
    if not value.is_finite() or abs(value.adjusted()) > LARGEST_EXPONENT or len(parts) not in (1, 3):
        raise ValueFault("is a number, or number|system|code")
    exponent = value.as_tuple().exponent
    half = Decimal((0, (5,), int(exponent) - 1))
    system, code = (plain(part) or None for part in parts[1:]) if len(parts) == 3 else (None, None)
    return Amount(prefix, value - half, value + half, value, system, code)


def _prefixed(text: str) -> tuple[str, str]:
    return (text[:2], text[2:]) if text[:2] in PREFIXES else ("eq", text)
