from collections.abc import Mapping
from dataclasses import dataclass

from shoufu.engines.scales.model import Group, Scale

BALANCED = "balanced"
LEAST_BALANCED = 60.0
YES, TENDENCY = 40.0, 30.0
HIGHEST = 5
"""Points of an item go from 1 to this."""


@dataclass(frozen=True)
class Finding:
    """A sub-scale's converted score (0 to 100) and what it says: "yes", "mostly" (balanced), "tendency" or "no"."""

    group: Group
    converted: float
    says: str


@dataclass(frozen=True)
class Constitution:
    """The findings of all sub-scales, in the scale's order, and those that apply, the highest first."""

    findings: tuple[Finding, ...]

    @property
    def applies(self) -> tuple[Finding, ...]:
        found = [one for one in self.findings if one.says != "no"]
        rank = {"yes": 0, "mostly": 1, "tendency": 2}
        return tuple(sorted(found, key=lambda one: (rank[one.says], -one.converted)))


def converted(group: Group, answers: Mapping[str, int]) -> float:
    """(raw score − items) ÷ (items × 4) × 100, over the items that were answered (ZYYXH/T157-2009)."""
    given = [code for code in group.items if code in answers]
    raw = sum(HIGHEST + 1 - answers[code] if code in group.reverse else answers[code] for code in given)
    return (raw - len(given)) / (len(given) * (HIGHEST - 1)) * 100


def judge(scale: Scale, answers: Mapping[str, int]) -> Constitution:
    """Which constitutions apply by ZYYXH/T157-2009.

    Balanced: its score ≥ 60 with all others < 30 "yes", with all others < 40 "mostly", else "no". Each other one:
    ≥ 40 "yes", 30 to 39 "tendency", below "no".
    """
    scores = {group.code: converted(group, answers) for group in scale.groups}
    worst = max((score for code, score in scores.items() if code != BALANCED), default=0.0)
    return Constitution(
        tuple(
            Finding(group, scores[group.code], _says(group.code, scores[group.code], worst)) for group in scale.groups
        )
    )


def _says(code: str, value: float, worst: float) -> str:
    if code != BALANCED:
        return "yes" if value >= YES else "tendency" if value >= TENDENCY else "no"
    if value < LEAST_BALANCED or worst >= YES:
        return "no"
    return "yes" if worst < TENDENCY else "mostly"
