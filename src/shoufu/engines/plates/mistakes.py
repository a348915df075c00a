"""How often a reader makes one text of another: which mistake, at which place, and which character for which."""

from math import prod

from .grammar import ALNUM, LETTERS, PROVINCES

ALIKE = ("0DQO", "8B", "1I7TJL", "2Z", "5S", "4A", "6GC", "UVY", "MNH", "EF", "KX", "PR")
"""Groups of characters that readers take for one another."""

REPLACED = 0.8
MISSING = 0.12
ADDED = 0.08
"""Shares of the mistakes of one character."""

WITHIN = 0.7
"""Of the replaced characters, those that became one of their own group, where they have one."""

_GROUPS = {character: frozenset(group) - {character} for group in ALIKE for character in group}
_PROVINCES = frozenset(PROVINCES)


def likelihood(read: str, plate: str) -> float:
    """How often a reader that makes a mistake reads `plate` as `read`; 0 for lengths that differ by more than one.

    A character lost or doubled in a row of equal ones can have been any of them, so such a loss is likelier.
    """
    if len(read) == len(plate):
        places = [n for n in range(len(read)) if read[n] != plate[n]]
        return prod(REPLACED / len(plate) * _taken_for(plate[n], read[n], n) for n in places)
    if len(read) + 1 == len(plate):
        return MISSING / len(plate) * _ways(plate, read)
    if len(read) == len(plate) + 1:
        return ADDED / len(read) / len(ALNUM) * _ways(read, plate)
    return 0.0


def _taken_for(meant: str, seen: str, place: int) -> float:
    """The share of the mistakes about a character that give this one."""
    group = _GROUPS.get(meant, frozenset())
    if seen in group:
        return WITHIN / len(group)
    others = _others(meant, place) - len(group)
    return (1 - WITHIN if group else 1.0) / max(others, 1)


def _others(meant: str, place: int) -> int:
    if meant in _PROVINCES:
        return len(PROVINCES) - 1
    return (len(LETTERS) if place == 1 else len(ALNUM)) - 1


def _ways(longer: str, shorter: str) -> int:
    return sum(longer[:gap] + longer[gap + 1 :] == shorter for gap in range(len(longer)))
