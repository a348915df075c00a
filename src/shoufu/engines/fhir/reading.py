"""FHIR's JSON to Python and back: strict, in order, with every decimal as it was written."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

from . import locating
from .issues import Issue, Severity

MAX_BYTES = 64 * 1024 * 1024
MAX_DEPTH = 200
BOM = b"\xef\xbb\xbf"
_SURROGATE = re.compile("[\ud800-\udfff]")


class Unreadable(ValueError):
    """Bytes that are no JSON (or XML, where that is read), with the issue that says why."""

    def __init__(self, issue: Issue) -> None:
        super().__init__(issue.message)
        self.issue = issue


class Repeating(dict[str, Any]):
    """An object in which names stood twice; it holds the last value of each."""

    repeated: tuple[str, ...] = ()


def read(data: bytes) -> tuple[Any, list[Issue]]:
    """The JSON value and what is odd about its bytes; :class:`Unreadable` where it is none (RFC 8259).

    Numbers with a point or an exponent are :class:`~decimal.Decimal`, so that 1.50 stays 1.50. Objects that name a
    property twice come as :class:`Repeating`.
    """
    if len(data) > MAX_BYTES:
        raise _refused(f"is too large: at most {MAX_BYTES} bytes are taken", "too-long")
    issues = []
    if data.startswith(BOM):
        data = data[len(BOM) :]
        issues.append(Issue("", "begins with a byte order mark, which RFC 8259 forbids to send", "structure", _WARN))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refused(f"is not UTF-8 (byte {error.start})", "structure") from error
    return _loaded(text), issues


_WARN = Severity.WARNING


def _loaded(text: str) -> Any:
    begin = text.lstrip(" \t\r\n")[:1]
    if not begin:
        raise _refused("is empty", "structure")
    if begin == "<":
        raise _refused("is XML: JSON is read here", "not-supported")
    try:
        value = json.loads(
            text,
            parse_float=Decimal,
            parse_int=_whole,
            parse_constant=_no_constant,
            object_pairs_hook=_object,
        )
    except json.JSONDecodeError as error:
        where = locating.element_at(text, error.pos)
        message = f"is not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        raise _refused(message, "structure", where) from error
    except RecursionError as error:
        raise _too_deep() from error
    except ArithmeticError as error:
        raise _refused(f"holds a number that cannot be read: {error}", "structure") from error
    if isinstance(value, dict | list):
        _check_depth(value)
    if "\\u" in text and _SURROGATE.search(json.dumps(value, default=str, ensure_ascii=False)):
        raise _refused("holds half a surrogate pair (\\ud800 to \\udfff)", "structure")
    return value


def _check_depth(value: Any) -> None:
    """Refuse what is nested too deep for whatever recurses into it later."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for one in level for inner in _inner(one) if isinstance(inner, dict | list)]
        if not level:
            return
    raise _too_deep()


def _inner(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _too_deep() -> Unreadable:
    return _refused(f"is nested deeper than the {MAX_DEPTH} brackets that are taken", "too-costly")


def _refused(message: str, code: str, where: str = "") -> Unreadable:
    return Unreadable(Issue(where, message, code, Severity.FATAL))


def _whole(text: str) -> int | Decimal:
    # Minus nought and what no FHIR integer can hold keep their letters.
    return Decimal(text) if text == "-0" or len(text) > 18 else int(text)


def _no_constant(text: str) -> Any:
    raise _refused(f"is not JSON: {text} is no number", "structure")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    counted = Counter(name for name, _ in pairs)
    repeating = Repeating(made)
    repeating.repeated = tuple(name for name in made if counted[name] > 1)
    return repeating


def write(value: Any) -> bytes:
    """JSON in the order of the objects, decimals as they were read."""
    parts: list[str] = []
    _write(value, parts)
    return "".join(parts).encode()


def _write(value: Any, parts: list[str]) -> None:
    match value:
        case dict():
            mark = "{"
            for name, inner in value.items():
                parts.append(f"{mark}{encode_basestring(name)}:")
                _write(inner, parts)
                mark = ","
            parts.append("}" if value else "{}")
        case list():
            mark = "["
            for inner in value:
                parts.append(mark)
                _write(inner, parts)
                mark = ","
            parts.append("]" if value else "[]")
        case str():
            parts.append(encode_basestring(value))
        case bool() | None:
            parts.append(json.dumps(value))
        case int() | Decimal():
            parts.append(str(value))
        case _:
            raise TypeError(f"{type(value).__name__} has no form in FHIR's JSON: {value!r}")
