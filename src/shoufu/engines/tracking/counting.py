"""What tracks add up to: distinct objects, lines crossed, time spent in a zone. Pure functions over tracks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from .track import Point, Track

Place = tuple[float, float]

_PLAIN = 0.4
_CERTAIN = 0.6
_GLIMPSE = 0.36
_EVIDENCE = 1.4
_MOVED = 0.35
_FAR = 0.9
_FOREGROUND = 0.3
_STIRRING = 0.06


@dataclass(frozen=True, slots=True)
class Count:
    """Distinct people and vehicles."""

    persons: int
    vehicles: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line to cross, from `start` to `end`."""

    start: Place
    end: Place


class Direction(StrEnum):
    """Seen from `start` looking to `end` in a picture (y grows downwards): to the `right` or to the `left`."""

    RIGHT = "right"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Crossing:
    """When a line was crossed, and towards which side."""

    time: float
    direction: Direction


@dataclass(frozen=True, slots=True)
class Visit:
    """A stay in a zone, seconds of the stream; `left` None while it lasts."""

    entered: float
    left: float | None

    def seconds(self, now: float) -> float:
        """How long the stay was, or is at `now`."""
        return (now if self.left is None else self.left) - self.entered


def counts(track: Track) -> bool:
    """Whether `track` is an object and no rock.

    A thing that is mistaken for a person scores low, looks the same in every picture and never moves relative to its
    size; a person who stands still is seen plainly and stirs. What scores low must really travel and be foreground.
    """
    if not track.confirmed:
        return False
    if track.score < _PLAIN:
        if track.best < _GLIMPSE or track.evidence < _EVIDENCE:
            return False
        solid = track.cover >= 2 * _FOREGROUND and track.best >= _PLAIN
        return track.travelled >= (_FAR / 2 if solid else _FAR) and track.cover >= _FOREGROUND
    if track.cover < _STIRRING:
        return track.travelled >= 2 * _FAR
    return track.travelled >= _MOVED or track.best >= _CERTAIN


def count(tracks: Iterable[Track]) -> Count:
    """Distinct people and vehicles among `tracks`."""
    real = [track for track in tracks if counts(track)]
    vehicles = sum(track.label.is_vehicle for track in real)
    return Count(persons=len(real) - vehicles, vehicles=vehicles)


def crossings(path: Sequence[Point], line: Line) -> list[Crossing]:
    """Every time that `path` crosses `line`. Touching it without changing sides is no crossing."""
    found: list[Crossing] = []
    before: tuple[Point, float] | None = None
    for point in path:
        side = _side(line, point.x, point.y)
        if side == 0:
            continue
        if before is not None and side * before[1] < 0 and _between(line, before[0], point):
            share = abs(before[1]) / (abs(before[1]) + abs(side))
            time = before[0].time + share * (point.time - before[0].time)
            found.append(Crossing(time, Direction.RIGHT if side > 0 else Direction.LEFT))
        before = (point, side)
    return found


def visits(path: Sequence[Point], zone: Sequence[Place], grace: float = 1.0) -> list[Visit]:
    """Stays of `path` in the polygon `zone`; leaving it for less than `grace` seconds is no leaving."""
    found: list[Visit] = []
    entered: float | None = None
    last_inside = 0.0
    for point in path:
        if inside(zone, point.x, point.y):
            entered = point.time if entered is None else entered
            last_inside = point.time
        elif entered is not None and point.time - last_inside >= grace:
            found.append(Visit(entered, last_inside))
            entered = None
    if entered is not None:
        found.append(Visit(entered, None))
    return found


def inside(zone: Sequence[Place], x: float, y: float) -> bool:
    """Whether the point lies in the polygon (even-odd rule; its left and upper edges belong to it)."""
    within = False
    for (x1, y1), (x2, y2) in zip(zone, [*zone[1:], zone[0]], strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            within = not within
    return within


def _side(line: Line, x: float, y: float) -> float:
    """Positive to the right of the line, seen along it with y downwards."""
    (x1, y1), (x2, y2) = line.start, line.end
    return (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)


def _between(line: Line, first: Point, second: Point) -> bool:
    """Whether the line's two ends lie on different sides of the step."""
    step = Line((first.x, first.y), (second.x, second.y))
    return _side(step, *line.start) * _side(step, *line.end) <= 0
