from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

NON_FASTING = "non_fasting"


@dataclass(frozen=True)
class Reading:
    """One measurement: `values` by quantity, at an aware moment; `context` as of `CONTEXTS`, or empty."""

    id: str
    kind: str
    at: datetime
    values: Mapping[str, float]
    context: str = ""

    def day(self, zone: tzinfo) -> date:
        """The day on which it was measured, by the clock of the place."""
        return self.at.astimezone(zone).date()


@dataclass(frozen=True)
class Target:
    """Where a quantity should be: at least `low`, at most `high` (below it where `strict`). None is no limit.

    `context` is empty for every reading, a context, or "non_fasting" for all but fasting ones.
    """

    quantity: str
    low: float | None = None
    high: float | None = None
    strict: bool = False
    context: str = ""
    clause: str = ""

    def takes(self, context: str) -> bool:
        """Whether a reading in this context is judged by it."""
        if self.context == NON_FASTING:
            return context != "fasting"
        return not self.context or context == self.context

    def side(self, value: float) -> str:
        """ "low", "high", or "" for a value within."""
        if self.low is not None and value < self.low:
            return "low"
        if self.high is not None and (value >= self.high if self.strict else value > self.high):
            return "high"
        return ""


@dataclass(frozen=True)
class Limit:
    """A value that a rule speaks of: at least `least`, at most `most`, or below `below`; by one of them."""

    quantity: str
    least: float | None = None
    most: float | None = None
    below: float | None = None

    def meets(self, value: float) -> bool:
        if self.least is not None:
            return value >= self.least
        if self.most is not None:
            return value <= self.most
        return self.below is not None and value < self.below

    @property
    def bound(self) -> float:
        found = next(one for one in (self.least, self.most, self.below) if one is not None)
        return found


@dataclass(frozen=True)
class Rule:
    """What somebody must be told of.

    With `limits`: any of them met by one reading. With `goals`: the plan's targets of these quantities missed on the
    last `days` days with a reading, all of them within `within` days. `context` as of Target.
    """

    code: str
    severity: str
    text: str
    text_en: str
    advice: str
    advice_en: str
    clause: str
    limits: tuple[Limit, ...] = ()
    goals: tuple[str, ...] = ()
    days: int = 1
    within: int = 28
    context: str = ""


@dataclass(frozen=True)
class TaskPlan:
    """A task that a guideline asks for: `frequency` times in every `period` of `unit` ("d", "wk" or "mo").

    `kind` is the sort of reading that does it, empty where somebody says that it is done. `performer` is "patient" or
    "nurse".
    """

    code: str
    text: str
    text_en: str
    frequency: int
    period: int
    unit: str
    kind: str = ""
    performer: str = "patient"
    clause: str = ""


@dataclass(frozen=True)
class AgedTarget:
    """A target for people of an age, in whole years."""

    target: Target
    age_least: int = 0
    age_most: int = 200


@dataclass(frozen=True)
class FollowUp:
    """Within how many days a nurse asks again."""

    days: int
    clause: str


@dataclass(frozen=True)
class Guideline:
    """One version of a guideline as data. `follow_up` is by control ("in", "out")."""

    code: str
    version: int
    condition: str
    icd10: str
    name: str
    name_en: str
    year: int
    citation: str
    targets: tuple[AgedTarget, ...]
    rules: tuple[Rule, ...]
    tasks: tuple[TaskPlan, ...]
    follow_up: Mapping[str, FollowUp]
    source: str = ""

    def targets_for(self, age: int | None) -> tuple[Target, ...]:
        """The targets of a person of this age; where it is not known, those of a grown-up below 65."""
        years = 50 if age is None else age
        return tuple(one.target for one in self.targets if one.age_least <= years <= one.age_most)

    def rule(self, code: str) -> Rule | None:
        return next((one for one in self.rules if one.code == code), None)
