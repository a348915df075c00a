"""One object through time."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

import numpy as np
import numpy.typing as npt

from ..vision.boxes import Label
from .appearance import LENGTH, Descriptor
from .kalman import BoxFilter


class State(Enum):
    """`TENTATIVE`: seen, not yet believed. `ACTIVE`: seen now. `LOST`: out of sight, may come back. `ENDED`: over."""

    TENTATIVE = auto()
    ACTIVE = auto()
    LOST = auto()
    ENDED = auto()


@dataclass(frozen=True, slots=True)
class Point:
    """Where an object stood: seconds, and its foot point (middle of the lower edge) in pixels."""

    time: float
    x: float
    y: float


@dataclass(slots=True)
class Track:
    """One object. Boxes and points in pixels of the picture, times in seconds of the stream.

    `hits` counts its detections, `steps` also the pictures where only motion was followed. `travelled` is the diagonal
    of all its places, in its own greatest size. `typical` is its size of late, pixels. `support` sums the moving share
    of its boxes, `votes` scores by class.
    """

    id: int
    filter: BoxFilter
    started: float
    seen: float
    state: State = State.TENTATIVE
    confirmed: bool = False
    hits: int = 0
    steps: int = 0
    best: float = 0.0
    support: float = 0.0
    votes: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(Label)))
    descriptor: Descriptor = field(default_factory=lambda: np.zeros(LENGTH, np.float32))
    path: list[Point] = field(default_factory=list)
    travelled: float = 0.0
    typical: float = 0.0
    _size: float = 0.0
    bordered: bool = False
    _low: npt.NDArray[np.float64] = field(default_factory=lambda: np.full(2, np.inf))
    _high: npt.NDArray[np.float64] = field(default_factory=lambda: np.full(2, -np.inf))

    @property
    def box(self) -> tuple[float, float, float, float]:
        left, top, right, bottom = self.filter.box.tolist()
        return left, top, right, bottom

    @property
    def label(self) -> Label:
        """The class with the most evidence, vehicles first compared to persons as a whole."""
        person, vehicles = float(self.votes[0]), self.votes[1:]
        if person >= float(vehicles.sum()):
            return Label.PERSON
        return Label(int(vehicles.argmax()) + 1)

    @property
    def evidence(self) -> float:
        """Sum of the scores of the detections that say what it is."""
        return float(self.votes[0] if self.label is Label.PERSON else self.votes[1:].sum())

    @property
    def speed(self) -> float:
        """How fast it moves, in its own sizes a second."""
        return float(np.hypot(*self.filter.drift)) / self.filter.size

    @property
    def cover(self) -> float:
        """Mean share 0 to 1 of its boxes that moved against the background."""
        return self.support / max(self.hits, 1)

    @property
    def score(self) -> float:
        """Mean score of its detections, 0 to 1."""
        return float(self.votes.sum()) / max(self.hits, 1)

    def place(self, time: float, keep: int) -> None:
        """Note where the object is now; at most `keep` points stay."""
        left, top, right, bottom = self.filter.box
        self.path.append(Point(time, float(left + right) / 2, float(bottom)))
        if len(self.path) > keep:
            del self.path[: len(self.path) - keep]
        centre = np.array([(left + right) / 2, (top + bottom) / 2])
        self._low, self._high = np.minimum(self._low, centre), np.maximum(self._high, centre)
        self._size = max(self._size, self.filter.size)
        self.typical = 0.9 * self.typical + 0.1 * self.filter.size if self.typical else self.filter.size
        self.travelled = float(np.hypot(*(self._high - self._low))) / self._size

    def absorb(self, later: Track) -> None:
        """Become one with `later`, which turned out to be the same object seen again."""
        self.filter, self.seen, self.state = later.filter, later.seen, later.state
        self.confirmed = self.confirmed or later.confirmed
        self.hits += later.hits
        self.steps += later.steps
        self.best = max(self.best, later.best)
        self.support += later.support
        self.votes += later.votes
        self.descriptor = later.descriptor if later.descriptor.any() else self.descriptor
        self.path += later.path
        self.typical = later.typical
        self.bordered = later.bordered
        self._size = max(self._size, later._size)
        self._low, self._high = np.minimum(self._low, later._low), np.maximum(self._high, later._high)
        self.travelled = float(np.hypot(*(self._high - self._low))) / self._size
