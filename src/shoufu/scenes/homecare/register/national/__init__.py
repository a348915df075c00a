"""What the state asks of who visits homes, as dated data with its source."""

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Rule:
    """Who of a profession may visit homes, from a day on: the least rank of the title and years of clinical work."""

    profession: str
    since: date
    least_rank: int
    least_years: int
    citation: str


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule, the oldest first."""
    read = json.loads(Path(__file__).with_name("visits.json").read_text("utf-8"))
    found = [Rule(**one | {"since": date.fromisoformat(one["since"])}) for one in read]
    return tuple(sorted(found, key=lambda rule: rule.since))


def in_force(profession: str, day: date) -> Rule | None:
    """The rule that holds for a profession on a day; None where there is none."""
    held = [rule for rule in rules() if rule.profession == profession and rule.since <= day]
    return held[-1] if held else None
