"""The primitive types of R4 (http://hl7.org/fhir/R4/datatypes.html#primitive): JSON type, letters, real dates."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

MAX_TEXT = 1024 * 1024
_ZONE = r"(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))"
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?"
_DAY = r"(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_DATE = re.compile(rf"(?:{_DAY}|(\d{{4}})(?:-(?:0[1-9]|1[0-2]))?)")
_DATE_TIME = re.compile(rf"(?:{_DAY}T{_CLOCK}{_ZONE}|{_DAY}|(\d{{4}})(?:-(?:0[1-9]|1[0-2]))?)")
_INSTANT = re.compile(rf"{_DAY}T{_CLOCK}{_ZONE}")
_TIME = re.compile(_CLOCK)
_CODE = re.compile(r"[^\s]+( [^\s]+)*")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_OID = re.compile(r"urn:oid:[0-2](\.(0|[1-9]\d*))+")
_UUID = re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ANY_UUID = re.compile(_UUID.pattern, re.IGNORECASE)
# Possessive, so that megabytes leave no trail to go back on.
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_SAMPLE = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[EUL]")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_LIMIT = 2**31


def fault(kind: str, value: Any) -> str | None:
    """What is wrong with a value of a primitive type; None when nothing is."""
    if kind == "boolean":
        return None if isinstance(value, bool) else f"must be true or false, not {_shown(value)}"
    if kind in NUMBERS:
        return _number(kind, value)
    if not isinstance(value, str):
        return f"must be a string, not {_shown(value)}"
    if not value:
        return "must not be an empty string: leave the element out"
    if len(value) > MAX_TEXT and kind not in ("base64Binary", "xhtml"):
        return f"is longer than 1 MB ({len(value)} letters)"
    check = _STRINGS.get(kind)
    return check(value) if check else None


def advice(kind: str, value: Any) -> str | None:
    """What R4 says of a right value that SHOULD be otherwise; None where there is nothing to say."""
    if kind not in ("string", "markdown") or not isinstance(value, str):
        return None
    if not value.strip():
        return "should hold more than white space"
    return "should hold no control characters" if _CONTROL.search(value) else None


def wrong_type(kind: str, value: Any) -> bool:
    """Whether a value is not even of the JSON type that a primitive type is written in."""
    if kind == "boolean":
        return not isinstance(value, bool)
    if kind in NUMBERS:
        return isinstance(value, bool) or not isinstance(value, int | Decimal)
    return not isinstance(value, str)


def _shown(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return f"the boolean {str(value).lower()}"
        case int() | Decimal():
            return f"the number {value}"
        case dict():
            return "an object"
        case list():
            return "an array"
        case _:
            text = str(value)
            return f"'{text[:60]}…'" if len(text) > 60 else f"'{text}'"


NUMBERS = frozenset({"integer", "positiveInt", "unsignedInt", "decimal"})
_LEAST = {"integer": -_LIMIT, "unsignedInt": 0, "positiveInt": 1}


def _number(kind: str, value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return f"must be a number, not {_shown(value)}"
    if kind == "decimal":
        return None
    if not isinstance(value, int):
        return f"must be a whole number within 32 bits, not {value}"
    if not _LEAST[kind] <= value < _LIMIT:
        return f"must be from {_LEAST[kind]} to {_LIMIT - 1}, not {value}"
    return None


def _text(value: str) -> str | None:
    return "must not hold the character U+0000" if "\0" in value else None


def attachment_fault(value: dict[str, Any]) -> str | None:
    """Whether the stated size of an Attachment is that of its data."""
    data, size = value.get("data"), value.get("size")
    if not isinstance(data, str) or not isinstance(size, int) or _base64(data):
        return None
    packed = "".join(data.split())
    held = len(packed) // 4 * 3 - packed.count("=")
    return None if held == size else f"says {size} bytes, but the data are {held}"


def sampled_fault(value: dict[str, Any]) -> str | None:
    """Whether SampledData holds decimals, E (error), U (above) or L (below the limit) with spaces between them
    (http://hl7.org/fhir/R4/datatypes.html#SampledData)."""
    data = value.get("data")
    points = data.split() if isinstance(data, str) else ()
    wrong = next((point for point in points if not _SAMPLE.fullmatch(point)), None)
    return None if wrong is None else f"{_shown(wrong)} is no decimal, E, U or L"


def identifier_faults(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with an Identifier, as pairs of the child's name and a message: its system is absolute, and what is
    an identifier by itself (system urn:ietf:rfc:3986) is a URI."""
    system, own = value.get("system"), value.get("value")
    if isinstance(system, str) and system and not _ABSOLUTE.match(system):
        yield "system", f"{_shown(system)} must be an absolute URI"
    if system == "urn:ietf:rfc:3986" and isinstance(own, str):
        wrong = _uri(own) or (
            None if _ABSOLUTE.match(own) else f"{_shown(own)} must be a whole URI, as its system says"
        )
        if wrong:
            yield "value", wrong


def _matching(pattern: re.Pattern[str], wanted: str) -> Callable[[str], str | None]:
    def check(value: str) -> str | None:
        return None if pattern.fullmatch(value) else f"{_shown(value)} is not {wanted}"

    return check


def _dated(pattern: re.Pattern[str], wanted: str) -> Callable[[str], str | None]:
    def check(value: str) -> str | None:
        found = pattern.fullmatch(value)
        if found is None:
            return f"{_shown(value)} is not {wanted}"
        parts = [part for part in found.groups() if part is not None]
        if int(parts[0]) == 0:
            return f"{_shown(value)}: there is no year 0"
        if len(parts) < 3:
            return None
        try:
            date(int(parts[0]), int(parts[1]), int(parts[2]))
        except ValueError:
            return f"{_shown(value)}: there is no such day"
        return None

    return check


def _uri(value: str) -> str | None:
    if any(letter.isspace() for letter in value):
        return f"{_shown(value)} holds white space"
    if value.startswith("urn:oid:") and not _OID.fullmatch(value):
        return f"{_shown(value)} is not a well-formed OID: urn:oid:2.16…"
    if value.startswith("urn:uuid:") and not _ANY_UUID.fullmatch(value):
        return f"{_shown(value)} is not a well-formed UUID: urn:uuid: and 32 hexadecimal digits in 8-4-4-4-12"
    return None


def _id(value: str) -> str | None:
    if len(value) > 64:
        return f"an id has at most 64 letters, not {len(value)}"
    return None if _ID.fullmatch(value) else f"{_shown(value)}: an id holds A-Z, a-z, 0-9, '-' and '.' only"


def _base64(value: str) -> str | None:
    packed = "".join(value.split())
    return None if packed and _BASE64.fullmatch(packed) else "is not base64"


def _code(value: str) -> str | None:
    return None if _CODE.fullmatch(value) else f"{_shown(value)}: a code has no space around it and single ones inside"


_STRINGS: dict[str, Callable[[str], str | None]] = {
    "string": _text,
    "markdown": _text,
    "code": _code,
    "id": _id,
    "uri": _uri,
    "url": _uri,
    "canonical": _uri,
    "oid": _matching(_OID, "an OID (urn:oid:2.16…)"),
    "uuid": _matching(_UUID, "a UUID (urn:uuid: and lower-case 8-4-4-4-12)"),
    "base64Binary": _base64,
    "date": _dated(_DATE, "a date: YYYY, YYYY-MM or YYYY-MM-DD"),
    "dateTime": _dated(_DATE_TIME, "a dateTime: YYYY, YYYY-MM, YYYY-MM-DD, or to the second with a time zone"),
    "instant": _dated(_INSTANT, "an instant: YYYY-MM-DDThh:mm:ss and a time zone"),
    "time": _matching(_TIME, "a time: hh:mm:ss, no time zone"),
}
PRIMITIVES = frozenset({"boolean", "xhtml", *NUMBERS, *_STRINGS})
