"""Where in a resource broken JSON breaks, as the path of the element that a reader was in."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

# Possessive, so that a string of megabytes leaves no trail to go back on.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{}:,]')


@dataclass(slots=True)
class _Open:
    """An object or array that was not closed yet: the name last read in it, or the place reached."""

    array: bool
    name: str = ""
    place: int = 0


def element_at(text: str, end: int) -> str:
    """``Patient.name[0].given[1]`` for a letter of JSON that is well-formed up to there; "" before a resource type."""
    stack: list[_Open] = []
    root = ""
    last = ""
    for found in _TOKEN.finditer(text, 0, end):
        sign = found[0]
        match sign:
            case "{" | "[":
                stack.append(_Open(sign == "["))
            case "}" | "]":
                if stack:
                    stack.pop()
            case ":" if stack:
                stack[-1].name = last
            case "," if stack:
                stack[-1].place += 1
                stack[-1].name = ""
            case _:
                last = _plain(sign)
                if len(stack) == 1 and stack[0].name == "resourceType":
                    root = last
    return root + "".join(_step(one) for one in stack) if root else ""


def _step(one: _Open) -> str:
    if one.array:
        return f"[{one.place}]"
    return f".{one.name}" if one.name else ""


def _plain(token: str) -> str:
    try:
        found = str(json.loads(token))
    except json.JSONDecodeError:
        return token[1:-1]
    # Half a surrogate pair could not be said in any answer.
    return found.encode("utf-8", "replace").decode()
