from collections.abc import Mapping
from dataclasses import dataclass

from shoufu.engines.scales.constitution import Constitution, judge
from shoufu.engines.scales.model import Band, Scale, WrongAnswer


@dataclass(frozen=True)
class Score:
    """What answers add up to. `band` and `constitution` are None until every item is answered; `missing` are codes."""

    total: int
    most: int
    missing: tuple[str, ...]
    band: Band | None = None
    constitution: Constitution | None = None

    @property
    def complete(self) -> bool:
        return not self.missing


def checked(scale: Scale, answers: Mapping[str, int]) -> dict[str, int]:
    """The answers in the scale's order; WrongAnswer for an item or for points that it does not have."""
    known = {item.code: item for item in scale.items}
    for code, points in answers.items():
        if code not in known:
            raise WrongAnswer(code)
        if isinstance(points, bool) or points not in known[code].points:
            raise WrongAnswer(code, tuple(sorted(known[code].points)))
    return {code: answers[code] for code in known if code in answers}


def score(scale: Scale, answers: Mapping[str, int], sex: str = "") -> Score:
    """The score of checked answers (item → points), complete or not. `sex`: "female", "male" or "" (not said)."""
    asked = scale.asked(sex)
    given = {item.code: answers[item.code] for item in asked if item.code in answers}
    missing = tuple(item.code for item in asked if item.code not in given)
    total, most = sum(given.values()), sum(max(item.points) for item in asked)
    if missing:
        return Score(total, most, missing)
    band = next((one for one in reversed(scale.bands) if one.lowest <= total), None)
    return Score(total, most, (), band, judge(scale, given) if scale.groups else None)
