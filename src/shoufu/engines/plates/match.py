"""Finding the registered plate that a reading means, though a character of it may be wrong, missing or too many.

Plates are filed under their text with each one character left open, so the plates that differ in one character, and
those with one character more, are found by a look-up a place; and under their text with confused characters made one,
for readings in which several likely mistakes meet. Of those the plate that most likely gives the reading is best.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from .grammar import PROVINCES
from .mistakes import ALIKE, likelihood

CONFUSED_COST = 0.35
PROVINCE_COST = 0.5
OTHER_COST = 1.0
FURTHER_ERROR = 0.5
"""Added for each error after the first: two likely mistakes at once are rarer than one unlikely one."""

FUZZY_LIMIT = 1.25
RIVAL = 0.1
"""A plate that gives the reading a tenth as often as the best one cannot be ruled out."""

SEPARATORS = " ·•・∙‧･⋅●.-–—_\t\xa0\u3000\u200b\u200c\u200d\ufeff"

_GROUP = {character: group[0] for group in ALIKE for character in group}
_CANONICAL = str.maketrans(_GROUP)
_FULL_WIDTH = {code + 0xFEE0: chr(code) for code in range(0x21, 0x7F)}
_SMALL = {code: chr(code - 32) for code in range(ord("a"), ord("z") + 1)}
_NARROW = {wide: letter.upper() for wide, letter in _FULL_WIDTH.items()} | _SMALL
# Nothing but these: wider folding (ﬀ to FF, ß to SS, ① to 1) would make another text the same plate.
_NORMAL = _NARROW | {ord(sign): None for sign in SEPARATORS} | {ord("．"): None, ord("－"): None, ord("＿"): None}


class MatchClass(StrEnum):
    """How a reading matches: the same plate, probably that plate (ask), or no plate."""

    EXACT = "exact"
    FUZZY = "fuzzy"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Match:
    """The registered plate a reading means.

    `plate` is as it was registered, None for class none. `cost`: 0 for exact, at most 1.25 for fuzzy, else None.
    `rivals`: how many further registered plates it may mean as well; never act on a fuzzy match that has any.
    """

    kind: MatchClass
    plate: str | None
    cost: float | None
    rivals: int = 0


def normalised(text: str) -> str:
    """A plate's characters alone: full-width forms narrowed, letters in upper case, separators left out."""
    return text.translate(_NORMAL)


class PlateIndex:
    """Registered plates, searchable by readings. 50,000 plates take about 0.1 GB; a look-up well under 1 ms."""

    def __init__(self, plates: Iterable[str] = ()) -> None:
        self._registered: dict[str, str] = {}
        # One plate or several a key; no lists, so that the garbage collector has nothing to walk through.
        self._keys: dict[str, str | tuple[str, ...]] = {}
        for plate in plates:
            self.add(plate)

    def __len__(self) -> int:
        return len(self._registered)

    def add(self, plate: str) -> None:
        """Registers a plate; once is as good as twice. Raises ValueError for a text without characters."""
        text = normalised(plate)
        if not text:
            raise ValueError(f"{plate!r} is no plate: it has no characters.")
        if text in self._registered:
            return
        self._registered[text] = plate
        for key in _filed(text):
            self._keys[key] = (*self._at(key), text) if key in self._keys else text

    def discard(self, plate: str) -> None:
        """Takes a plate out; nothing happens if it is not registered."""
        text = normalised(plate)
        if self._registered.pop(text, None) is None:
            return
        for key in _filed(text):
            left = tuple(plate for plate in self._at(key) if plate != text)
            if left:
                self._keys[key] = left
            else:
                del self._keys[key]

    def match(self, read: str) -> Match:
        """The registered plate that `read` means. Exact only when every character is the same."""
        text = normalised(read)
        if text in self._registered:
            return Match(MatchClass.EXACT, self._registered[text], 0.0)
        costs = {plate: distance(text, plate, FUZZY_LIMIT) for plate in self._near(text)}
        likely = {plate: likelihood(text, plate) for plate, cost in costs.items() if cost <= FUZZY_LIMIT + 1e-9}
        if not likely:
            return Match(MatchClass.NONE, None, None)
        best = min(likely, key=lambda plate: (-likely[plate], plate))
        rivals = sum(value >= RIVAL * likely[best] for value in likely.values()) - 1
        return Match(MatchClass.FUZZY, self._registered[best], round(costs[best], 3), rivals)

    def _near(self, text: str) -> set[str]:
        """Plates with one character replaced, one more or one less, and those that differ in likely mistakes only."""
        found = {shorter for shorter in _shorter(text) if shorter in self._registered}
        for key in _wanted(text):
            if key in self._keys:
                found.update(self._at(key))
        return found

    def _at(self, key: str) -> tuple[str, ...]:
        plates = self._keys.get(key, ())
        return (plates,) if isinstance(plates, str) else plates


def distance(read: str, plate: str, limit: float = float("inf")) -> float:
    """Weighted edit distance with at most one character missing or too many; infinite when above `limit`.

    A confused character costs 0.35, a wrong province 0.5, anything else 1, each error after the first 0.5 more.
    """
    if len(read) == len(plate):
        return _replaced(read, plate, limit)
    if abs(len(read) - len(plate)) != 1:
        return float("inf")
    longer, shorter = (read, plate) if len(read) > len(plate) else (plate, read)
    first = PROVINCE_COST if longer[0] in PROVINCES and longer[1:] == shorter else OTHER_COST
    costs = (
        _replaced(longer[:gap] + longer[gap + 1 :], shorter, limit, first if gap == 0 else OTHER_COST, 1)
        for gap in range(len(longer))
    )
    return min(costs)


def _replaced(read: str, plate: str, limit: float, cost: float = 0.0, errors: int = 0) -> float:
    for seen, meant in zip(read, plate, strict=True):
        if seen == meant:
            continue
        cost += _character_cost(seen, meant) + (FURTHER_ERROR if errors else 0.0)
        errors += 1
        if cost > limit + 1e-9:
            return float("inf")
    return cost


def _character_cost(seen: str, meant: str) -> float:
    if _GROUP.get(seen, seen) == _GROUP.get(meant, meant):
        return CONFUSED_COST
    return PROVINCE_COST if meant in PROVINCES else OTHER_COST


def _shorter(text: str) -> Iterator[str]:
    """The text without each one of its characters."""
    return (text[:gap] + text[gap + 1 :] for gap in range(len(text)))


def _filed(text: str) -> Iterator[str]:
    """Keys that a registered plate is filed under."""
    yield f"={text.translate(_CANONICAL)}"
    yield from (f"{gap}{text[:gap]}{text[gap + 1 :]}" for gap in range(len(text)))


def _wanted(text: str) -> Iterator[str]:
    """Keys of the plates that a reading may mean: likely mistakes alone, one character replaced, one missing."""
    yield from _filed(text)
    yield from (f"{gap}{text}" for gap in range(len(text) + 1))
