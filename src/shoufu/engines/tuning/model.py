from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """What became of a case; OPEN while nobody has said."""

    TRUE = "true"
    FALSE_ALARM = "false_alarm"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Knob:
    """A number of a rule.

    `rising`: a greater value raises fewer cases (else a smaller one does). `inclusive`: a case whose reach equals the
    value is still raised. `bound`: how far the value may go in its direction. `step`: values are multiples of it;
    0: any round value will do. `units`: what round means, the roundest first (of spans: days, hours, minutes).
    """

    current: float
    rising: bool = True
    inclusive: bool = True
    bound: float = float("inf")
    step: float = 0.0
    units: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """A case. `reach`: the strictest value at which it is still raised (see `Knob.inclusive`); None where unknown."""

    id: int
    outcome: Outcome
    reach: float | None


@dataclass(frozen=True, slots=True)
class Event:
    """A case that a cool-down may swallow: cases of one `key` are told apart by their time `t` (seconds) only."""

    id: int
    outcome: Outcome
    key: str
    t: float


@dataclass(frozen=True, slots=True)
class Least:
    """What a proposal needs: judged cases of both kinds; how many, and which share, of the false alarms it avoids."""

    false_alarms: int = 5
    true: int = 3
    avoided: int = 3
    share: float = 0.2


@dataclass(frozen=True, slots=True)
class Counts:
    """The cases that were looked at; `unknown` are those whose reach nobody knows, left out of the other three."""

    true: int = 0
    false_alarms: int = 0
    open: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value and the ids of the cases that it would not have raised: false alarms, true ones, not judged ones."""

    value: float
    avoided: tuple[int, ...]
    lost: tuple[int, ...]
    open: tuple[int, ...]


class Why(StrEnum):
    """Why nothing is proposed."""

    FEW_FALSE_ALARMS = "few_false_alarms"
    FEW_TRUE = "few_true"
    LITTLE = "little"


@dataclass(frozen=True, slots=True)
class Proposal:
    """`best` loses no true case and avoids most; None with the reason in `why`. `candidates` is the whole trade-off:
    values of which none is better in both respects, the mildest first."""

    knob: Knob
    counts: Counts
    candidates: tuple[Candidate, ...] = ()
    best: Candidate | None = None
    why: Why | None = None
    least: Least = field(default_factory=Least)
