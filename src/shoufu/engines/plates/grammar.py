"""What may stand on a Chinese number plate (GA 36-2018 and older series still on the road).

A form is a row of character sets. Readers ask which forms fit; matchers ask whether a text is a plate at all.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
DIGITS = "0123456789"
ALNUM = LETTERS + DIGITS
MARKS = "警学挂港澳使领应急民航"
ALPHABET = PROVINCES + LETTERS + DIGITS + MARKS + "O"
INDEX = {character: index for index, character in enumerate(ALPHABET)}

ENERGY_LETTERS = "DFABCEGHJK"

ISSUED = {
    "京": "ABCDEFGHJKLMNPQYO",
    "津": "ABCDEFGHJKLMNQR",
    "沪": "ABCDEFGHJKLMNR",
    "渝": "ABCDFGHN",
    "冀": "ABCDEFGHJRT",
    "豫": "ABCDEFGHJKLMNPQRSU",
    "云": "ACDEFGHJKLMNPQRS",
    "辽": "ABCDEFGHJKLMNP",
    "黑": "ABCDEFGHJKLMNPR",
    "湘": "ABCDEFGHJKLMNSU",
    "皖": "ABCDEFGHJKLMNPRS",
    "鲁": "ABCDEFGHJKLMNPQRSUVWY",
    "新": "ABCDEFGHJKLMNPQRS",
    "苏": "ABCDEFGHJKLMNU",
    "浙": "ABCDEFGHJKL",
    "赣": "ABCDEFGHJKLM",
    "鄂": "ABCDEFGHJKLMNPQRSW",
    "桂": "ABCDEFGHJKLMNPR",
    "甘": "ABCDEFGHJKLMNP",
    "晋": "ABCDEFHJKLM",
    "蒙": "ABCDEFGHJKLM",
    "陕": "ABCDEFGHJKUV",
    "吉": "ABCDEFGHJK",
    "闽": "ABCDEFGHJK",
    "贵": "ABCDEFGHJ",
    "粤": "ABCDEFGHJKLMNPQRSTUVWXYZ",
    "青": "ABCDEFGH",
    "藏": "ABCDEFGHJ",
    "川": "ABCDEFGHJKLMQRSTUVWXYZ",
    "宁": "ABCDE",
    "琼": "ABCDEF",
}
"""Letters of the issuing offices by province; `O` (police, old series) may follow any province."""


class Colour(StrEnum):
    """Ground colour of a plate."""

    BLUE = "blue"
    GREEN = "green"
    YELLOW = "yellow"
    WHITE = "white"
    BLACK = "black"


@dataclass(frozen=True)
class Form:
    """One kind of plate: the characters allowed at each position.

    `colours`: grounds it is issued in; `rarity`: natural logarithm of how seldom it is beside ordinary plates.
    """

    name: str
    places: tuple[str, ...]
    colours: frozenset[Colour]
    rarity: float = 0.0

    @property
    def length(self) -> int:
        return len(self.places)

    @cached_property
    def literals(self) -> tuple[str, ...]:
        """Character sets that this form needs at a place of its own: marks, and fixed letters such as WJ."""
        return tuple(place for place in self.places if len(place) == 1 or all(c in MARKS for c in place))

    @cached_property
    def mask(self) -> NDArray[np.bool_]:
        """Positions × alphabet: which characters may stand where."""
        allowed = np.zeros((self.length, len(ALPHABET)), dtype=np.bool_)
        for position, place in enumerate(self.places):
            allowed[position, [INDEX[c] for c in place]] = True
        return allowed

    def accepts(self, text: str) -> bool:
        """Whether `text` is written in this form."""
        return len(text) == self.length and all(c in place for c, place in zip(text, self.places, strict=True))


def _form(name: str, places: list[str], colours: str, rarity: float = 0.0) -> Form:
    return Form(name, tuple(places), frozenset(Colour(c) for c in colours.split()), rarity)


_OFFICE = [PROVINCES, LETTERS + "O"]

FORMS = (
    _form("standard", [*_OFFICE, *[ALNUM] * 5], "blue yellow black"),
    _form("energy-small", [*_OFFICE, ENERGY_LETTERS, ALNUM, *[DIGITS] * 4], "green"),
    _form("energy-large", [*_OFFICE, *[DIGITS] * 5, ENERGY_LETTERS], "green yellow", -1.0),
    _form("police", [*_OFFICE, *[ALNUM] * 4, "警"], "white", -1.0),
    _form("learner", [*_OFFICE, *[ALNUM] * 4, "学"], "yellow green", -1.0),
    _form("trailer", [*_OFFICE, *[ALNUM] * 4, "挂"], "yellow", -1.0),
    _form("border", ["粤", "Z", *[ALNUM] * 4, "港澳"], "black", -1.0),
    _form("consulate", [*_OFFICE, *[ALNUM] * 4, "领"], "black", -1.0),
    _form("embassy", [*[DIGITS] * 6, "使"], "black", -2.0),
    _form("embassy-old", ["使", *[DIGITS] * 6], "black", -2.0),
    _form("emergency", [PROVINCES, "SX", *[DIGITS] * 4, "应", "急"], "white", -2.0),
    _form("aviation", ["民", "航", LETTERS, *[DIGITS] * 4], "green", -2.0),
    _form("armed-police", ["W", "J", PROVINCES, *[DIGITS] * 4, ALNUM], "white", -3.0),
    _form("armed-police-old", ["W", "J", *[DIGITS] * 2, *[ALNUM] * 5], "white", -3.0),
    _form("army", [LETTERS, LETTERS, *[DIGITS] * 5], "white", -10.0),
)


def form_of(text: str) -> Form | None:
    """The first form that `text` is written in, or None."""
    return next((form for form in FORMS if form.accepts(text)), None)
