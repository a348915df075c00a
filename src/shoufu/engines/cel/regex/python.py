"""Tree → a pattern of Python's `re`, and how long that may take."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from shoufu.engines.cel.regex.tree import Assertion, Chars, Choice, Place, Repeat, Sequence, Tree

_PLACES = {
    Place.BEGIN_TEXT: r"\A",
    Place.END_TEXT: r"\Z",
    Place.BEGIN_LINE: r"(?:\A|(?<=\n))",
    Place.END_LINE: r"(?:\Z|(?=\n))",
    Place.WORD_EDGE: r"\b",
    # Python's own \B fails on the empty text.
    Place.NO_WORD_EDGE: r"(?!\b)",
}


def translate(tree: Tree) -> re.Pattern[str]:
    """The same pattern for `re`."""
    return re.compile(_text(tree), re.ASCII)


def _text(tree: Tree) -> str:
    match tree:
        case Chars():
            return _set(tree)
        case Assertion():
            return _PLACES[tree.place]
        case Sequence():
            return "".join(map(_text, tree.items))
        case Choice():
            return f"(?:{'|'.join(map(_text, tree.items))})"
        case Repeat():
            most = "" if tree.most is None else str(tree.most)
            return f"(?:{_text(tree.item)}){{{tree.least},{most}}}"


def _set(found: Chars) -> str:
    if not found.ranges:
        return "(?!)"
    if len(found.ranges) == 1 and found.ranges[0][0] == found.ranges[0][1]:
        return re.escape(chr(found.ranges[0][0]))
    return f"[{''.join(f'{_code(low)}-{_code(high)}' for low, high in found.ranges)}]"


def _code(code: int) -> str:
    return f"\\U{code:08x}"


@dataclass(frozen=True, slots=True)
class Risk:
    """`re` takes at most about `ways` · n ** `power` steps on a text of n characters; ways may be infinite."""

    ways: float
    power: int


def risk(tree: Tree) -> Risk:
    """What backtracking may cost in the worst case, trying the pattern at every character."""
    found = _risk(tree)
    return Risk(found.ways, found.power + (0 if _starts_at_begin(tree) else 1))


def _risk(tree: Tree) -> Risk:
    match tree:
        case Chars() | Assertion():
            return Risk(1, 0)
        case Sequence():
            parts = [_risk(item) for item in tree.items]
            return Risk(math.prod(part.ways for part in parts), sum(part.power for part in parts))
        case Choice():
            parts = [_risk(item) for item in tree.items]
            return Risk(sum(part.ways for part in parts), max(part.power for part in parts))
        case Repeat():
            return _repeat_risk(tree)


def _repeat_risk(tree: Repeat) -> Risk:
    inner = _risk(tree.item)
    if inner.ways > 1 or inner.power > 0:
        # A choice within a repetition multiplies with every turn.
        turns = math.inf if tree.most is None else tree.most
        if turns > 1:
            return Risk(math.inf, 0)
        return Risk(inner.ways + 1, inner.power)
    if tree.most is None:
        return Risk(1, 1)
    return Risk(tree.most - tree.least + 1, 0)


def _starts_at_begin(tree: Tree) -> bool:
    while isinstance(tree, Sequence) and tree.items:
        tree = tree.items[0]
    return tree == Assertion(Place.BEGIN_TEXT)
