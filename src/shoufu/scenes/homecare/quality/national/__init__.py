"""Published scales and time limits as data, with their sources."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.utils.translation import get_language

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Grade:
    """A grade of adverse events: 1 is the gravest; `sign` is how the source writes it ("II")."""

    grade: int
    sign: str
    name: str
    name_en: str
    what: str
    what_en: str

    @property
    def label(self) -> str:
        return f"{self.sign} · {self.name_en if _english() else self.name}"

    @property
    def meaning(self) -> str:
        return self.what_en if _english() else self.what


@dataclass(frozen=True)
class Limits:
    """How soon complaints and appeals are dealt with where an institution has set nothing, and from how many ratings on
    an average is shown to who was rated."""

    citation: str
    acknowledge_hours: int
    answer_days: int
    appeal_days: int
    least_ratings: int


def _english() -> bool:
    return (get_language() or "").startswith("en")


@cache
def _incidents() -> tuple[str, tuple[Grade, ...]]:
    document = json.loads((HERE / "incidents.json").read_text(encoding="utf-8"))
    return document["citation"], tuple(Grade(**row) for row in document["grades"])


def grades() -> Mapping[int, Grade]:
    """Every grade by its number, the gravest first."""
    return {one.grade: one for one in _incidents()[1]}


def citation() -> str:
    """Where the grades stand."""
    return _incidents()[0]


def choices() -> Sequence[tuple[int, str]]:
    """The grades for a form."""
    return [(one.grade, one.label) for one in grades().values()]


@cache
def limits() -> Limits:
    """The limits of the installation."""
    return Limits(**json.loads((HERE / "limits.json").read_text(encoding="utf-8")))
