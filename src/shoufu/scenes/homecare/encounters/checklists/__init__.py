"""What is ticked off at a visit, as versioned data: `<code>-<version>.json`. A version that was used is never changed;
a new one gets the next number. Items with a `skill` are asked where the service needs that skill."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.utils.translation import get_language

CODE = "home-visit"


@dataclass(frozen=True)
class Item:
    """One line: `phase` is "before", "during" or "after"; `must` has to be answered before the check-out."""

    code: str
    phase: str
    text: str
    text_en: str
    skill: str = ""
    must: bool = True

    @property
    def label(self) -> str:
        return self.text_en if (get_language() or "").startswith("en") else self.text


@dataclass(frozen=True)
class Checklist:
    code: str
    version: int
    items: tuple[Item, ...]

    @property
    def name(self) -> str:
        return f"{self.code}-{self.version}"

    def asked(self, skills: Iterable[str]) -> tuple[Item, ...]:
        """The items for a service that needs these skills."""
        known = set(skills)
        return tuple(item for item in self.items if not item.skill or item.skill in known)


def _load(text: str) -> Checklist:
    read: Mapping[str, Any] = json.loads(text)
    return Checklist(read["code"], read["version"], tuple(Item(**item) for item in read["items"]))


@cache
def versions() -> dict[str, Checklist]:
    """Every version by its name ("home-visit-1")."""
    read = [_load(path.read_text("utf-8")) for path in sorted(Path(__file__).parent.glob("*.json"))]
    return {one.name: one for one in read}


def newest() -> Checklist:
    return max((one for one in versions().values() if one.code == CODE), key=lambda one: one.version)
