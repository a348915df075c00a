"""The day as the caller knows it: what is asked (`Problem`) and what comes out (`Plan`).

Times are minutes from any zero that the caller chooses, durations and travel are minutes; places are rows of the travel
matrices. Limits are of two kinds: after `Visit.due` a start is tardy, which costs; `Visit.latest`, shifts, breaks,
skills, fixed people and fixed starts are never broken.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

DEFAULT_MODE = "default"


class DispatchError(ValueError):
    """What was given cannot be used; the text names the field and what would be right."""


class Sync(StrEnum):
    """How the two services of a double visit depend on each other."""

    SIMULTANEOUS = "simultaneous"
    SEQUENTIAL = "sequential"


@dataclass(frozen=True)
class Break:
    """A rest of `minutes` that begins within [earliest, latest]; not due when the nurse is home before `earliest`."""

    earliest: float
    latest: float
    minutes: float


@dataclass(frozen=True)
class Caregiver:
    """Someone on duty; leaves `base` at the start of the shift or later and is back by its end."""

    id: str
    skills: frozenset[str]
    base: int = 0
    shift_start: float = 0.0
    shift_end: float = math.inf
    breaks: tuple[Break, ...] = ()
    """In the order of the day."""
    mode: str = DEFAULT_MODE
    """Means of transport: the travel matrix that applies."""


@dataclass(frozen=True)
class Task:
    """One service of a visit."""

    skill: str
    minutes: float


@dataclass(frozen=True)
class Visit:
    """One or two services at one place. Two are done by different caregivers."""

    id: str
    place: int
    opens: float
    """No service begins before."""
    due: float
    """A start after it is tardy."""
    tasks: tuple[Task, ...]
    sync: Sync | None = None
    gap: tuple[float, float] = (0.0, 0.0)
    """Sequential: least and most minutes from the start of the first to the start of the second service."""
    latest: float = math.inf
    """No service begins after."""
    first_latest: float = math.inf
    """The first service does not begin after; of a sequential visit, whose second comes later, besides `latest`."""
    fixed_start: float | None = None
    """The first service begins then, or up to `leeway` minutes later."""
    leeway: float = 0.0
    """Of a fixed start."""
    fixed_caregivers: tuple[str | None, ...] = ()
    """Who does each service, where that is decided."""
    usual: frozenset[str] = frozenset()
    """Who knows the patient: others cost `Weights.unfamiliar`. Empty: nobody does, nobody costs."""
    refused: frozenset[str] = frozenset()
    """Who must not come."""

    @property
    def last_start(self) -> float:
        """The last start allowed, inf where none is."""
        last = min(self.latest, self.first_latest)
        return last if self.fixed_start is None else min(last, self.fixed_start + self.leeway)

    @property
    def limits(self) -> tuple[float, float]:
        """The last starts allowed of the two services; of a single visit, twice the same."""
        second = self.latest if self.sync is Sync.SEQUENTIAL else self.last_start
        return self.last_start, second

    @property
    def first_start(self) -> float:
        """The earliest start of the first service."""
        return self.opens if self.fixed_start is None else max(self.opens, self.fixed_start)

    @property
    def openings(self) -> tuple[float, float]:
        """The earliest starts of the two services; of a single visit, twice the same."""
        return self.first_start, max(self.opens, self.first_start + self.spread[0])

    @property
    def spread(self) -> tuple[float, float]:
        """Least and most minutes between the starts of the two services."""
        return self.gap if self.sync is Sync.SEQUENTIAL else (0.0, 0.0)


@dataclass(frozen=True)
class Weights:
    """The objective; the defaults are those of Mankowska, Meisel and Bierwirth (2014), with continuity added."""

    distance: float = 1 / 3
    total_tardiness: float = 1 / 3
    max_tardiness: float = 1 / 3
    unfamiliar: float = 5.0
    """Of each service by somebody who is not among the visit's usual caregivers."""


@dataclass(frozen=True, eq=False)
class Problem:
    """A day. DispatchError when parts contradict each other."""

    visits: tuple[Visit, ...]
    caregivers: tuple[Caregiver, ...]
    travel: Mapping[str, NDArray[np.float64]]
    """Of each mode: [places, places], minutes from row to column."""
    weights: Weights = field(default_factory=Weights)

    def __post_init__(self) -> None:
        from shoufu.engines.dispatch.validation import validate

        validate(self)

    @cached_property
    def visit_index(self) -> dict[str, int]:
        """Where each visit stands."""
        return {visit.id: index for index, visit in enumerate(self.visits)}

    @cached_property
    def caregiver_index(self) -> dict[str, int]:
        """Where each caregiver stands."""
        return {caregiver.id: index for index, caregiver in enumerate(self.caregivers)}

    def minutes(self, caregiver: Caregiver, origin: int, goal: int) -> float:
        """Travel of a caregiver between two places."""
        return float(self.travel[caregiver.mode][origin, goal])

    def with_visit(self, visit: Visit) -> Problem:
        """The same day with a visit more, or with that visit in place of the one of the same id."""
        others = tuple(other for other in self.visits if other.id != visit.id)
        return replace(self, visits=(*others, visit))


@dataclass(frozen=True)
class Stop:
    """One service in the plan; `task` is its index in the visit."""

    visit: str
    task: int
    caregiver: str
    start: float
    end: float


@dataclass(frozen=True)
class Rest:
    """A break in the plan."""

    caregiver: str
    start: float
    end: float


@dataclass(frozen=True)
class Plan:
    """Who does what when. Stops are sorted by caregiver (as in the problem), then time."""

    stops: tuple[Stop, ...]
    rests: tuple[Rest, ...]
    order: tuple[str, ...]
    """The visits in an order in which the schedule can be computed: none waits for a later one."""
    unassigned: tuple[str, ...]
    """Visits that could not be planned within the hard limits (`explain` tells why)."""
    distance: float
    total_tardiness: float
    max_tardiness: float
    unfamiliar: int
    """Services by others than the usual caregivers."""
    cost: float

    @cached_property
    def by_visit(self) -> dict[str, tuple[Stop, ...]]:
        """Stops of each visit, in the order of its tasks."""
        found: dict[str, list[Stop]] = {}
        for stop in sorted(self.stops, key=lambda stop: stop.task):
            found.setdefault(stop.visit, []).append(stop)
        return {visit: tuple(stops) for visit, stops in found.items()}

    @cached_property
    def routes(self) -> dict[str, tuple[Stop, ...]]:
        """Stops of each caregiver who has any, in the order of the day."""
        found: dict[str, list[Stop]] = {}
        for stop in self.stops:
            found.setdefault(stop.caregiver, []).append(stop)
        return {caregiver: tuple(stops) for caregiver, stops in found.items()}
