"""The parsed pattern. Groups, names and greed are gone: only whether a text matches is ever asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

LAST = 0x10FFFF
Range = tuple[int, int]


class PatternError(ValueError):
    """The pattern is not one of RE2's language, or too large."""


class Place(Enum):
    """What an assertion wants of the place between two characters."""

    BEGIN_TEXT = r"\A"
    END_TEXT = r"\z"
    BEGIN_LINE = "^"
    END_LINE = "$"
    WORD_EDGE = r"\b"
    NO_WORD_EDGE = r"\B"


@dataclass(frozen=True, slots=True)
class Chars:
    """One character of these code point ranges, which are sorted and do not touch."""

    ranges: tuple[Range, ...]


@dataclass(frozen=True, slots=True)
class Assertion:
    place: Place


@dataclass(frozen=True, slots=True)
class Sequence:
    """All items in a row; without items the empty text."""

    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`item`, `least` to `most` times; most is None for any number."""

    item: Tree
    least: int
    most: int | None


Tree = Chars | Assertion | Sequence | Choice | Repeat
EMPTY = Sequence(())


def chars(ranges: Iterable[Range]) -> Chars:
    """The union of ranges in any order."""
    merged: list[Range] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return Chars(tuple(merged))


def negated(found: Chars) -> Chars:
    """All characters but these."""
    result: list[Range] = []
    start = 0
    for low, high in found.ranges:
        if low > start:
            result.append((start, low - 1))
        start = high + 1
    if start <= LAST:
        result.append((start, LAST))
    return Chars(tuple(result))


def choice(items: list[Tree]) -> Tree:
    """One of the items; single characters join into one set."""
    if len(items) == 1:
        return items[0]
    if all(isinstance(item, Chars) for item in items):
        return chars(found for item in items if isinstance(item, Chars) for found in item.ranges)
    return Choice(tuple(items))
