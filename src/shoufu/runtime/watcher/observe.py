"""From tracks to what is worth telling: counts, crossings, stays. Pure: the time comes with the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from shoufu.engines.tracking import Direction, Point, Track, counts, crossings, inside

from .config import CameraSpec, NamedLine, NamedZone
from .pipeline import Sight

Box = tuple[float, float, float, float]

_SETTLE = 1.0
_GRACE = 1.5
_REPEAT_CROSSING = 2.0
_FORGET = 60.0


@dataclass(frozen=True, slots=True)
class Counted:
    """People and vehicles in view."""

    time: float
    persons: int
    vehicles: int


@dataclass(frozen=True, slots=True)
class Seen:
    """The object an event is about. `box`: fractions of the picture (left, top, right, bottom)."""

    track: int
    label: str
    score: float
    box: Box


@dataclass(frozen=True, slots=True)
class Crossed:
    """An object crossed a line; `inwards` is to its right."""

    time: float
    line: str
    inwards: bool
    seen: Seen


@dataclass(frozen=True, slots=True)
class Dwelt:
    """An object has been in a zone for `seconds`; `first` the first time that this stay is told."""

    time: float
    zone: str
    seconds: float
    first: bool
    seen: Seen


Event = Counted | Crossed | Dwelt


@dataclass(slots=True)
class _Stay:
    entered: float
    last: float
    told: int = 0


@dataclass(slots=True)
class _Followed:
    """How far a track's path has been looked at."""

    until: float = float("-inf")
    sides: dict[str, Point] = field(default_factory=dict)
    crossed: dict[str, float] = field(default_factory=dict)
    stays: dict[str, _Stay] = field(default_factory=dict)


class Observer:
    """What one camera has told already."""

    def __init__(self, spec: CameraSpec) -> None:
        self._spec = spec
        self._followed: dict[int, _Followed] = {}
        self._told: tuple[int, int] | None = None
        self._told_at = float("-inf")
        self._candidate: tuple[tuple[int, int], float] | None = None

    def update(self, sight: Sight) -> list[Event]:
        """What is new in this picture, oldest first."""
        real = [track for track in sight.tracks if counts(track)]
        events: list[Event] = []
        for track in real:
            events += self._follow(track, sight)
        self._forget(sight.time)
        counted = self._count(real, sight.time)
        return [*events, counted] if counted else events

    def seam(self) -> None:
        """Another piece of footage begins: nothing goes on across it."""
        self._followed.clear()

    def _count(self, real: Sequence[Track], time: float) -> Counted | None:
        vehicles = sum(track.label.is_vehicle for track in real)
        now = (len(real) - vehicles, vehicles)
        if self._candidate is None or self._candidate[0] != now:
            self._candidate = (now, time)
        settled = time - self._candidate[1] >= _SETTLE
        overdue = time - self._told_at >= self._spec.settings.count_every
        if not overdue and not (settled and now != self._told):
            return None
        self._told, self._told_at = now, time
        return Counted(time, *now)

    def _follow(self, track: Track, sight: Sight) -> list[Event]:
        followed = self._followed.setdefault(track.id, _Followed())
        seen = _seen(track, sight.size)
        events: list[Event] = []
        for point in track.path:
            if point.time <= followed.until:
                continue
            where = Point(point.time, point.x / sight.size[0], point.y / sight.size[1])
            crossed = [_cross(line, where, followed, seen) for line in self._spec.lines]
            stayed = [self._stay(zone, where, followed, seen) for zone in self._spec.zones]
            events += [event for event in (*crossed, *stayed) if event is not None]
            followed.until = point.time
        return events

    def _stay(self, zone: NamedZone, where: Point, followed: _Followed, seen: Seen) -> Dwelt | None:
        stay = followed.stays.get(zone.name)
        if stay is not None and where.time - stay.last > _GRACE:
            del followed.stays[zone.name]
            stay = None
        if not inside(zone.points, where.x, where.y):
            return None
        if stay is None:
            stay = followed.stays[zone.name] = _Stay(where.time, where.time)
        stay.last = where.time
        stays = self._spec.settings.dwell
        if stay.told >= len(stays) or where.time - stay.entered < stays[stay.told]:
            return None
        first = stay.told == 0
        while stay.told < len(stays) and where.time - stay.entered >= stays[stay.told]:
            stay.told += 1
        return Dwelt(where.time, zone.name, where.time - stay.entered, first, seen)

    def _forget(self, time: float) -> None:
        for track in [track for track, followed in self._followed.items() if time - followed.until > _FORGET]:
            del self._followed[track]


def _cross(line: NamedLine, where: Point, followed: _Followed, seen: Seen) -> Crossed | None:
    before = followed.sides.get(line.name)
    followed.sides[line.name] = where
    if before is None:
        return None
    found = [crossing for piece in line.pieces for crossing in crossings([before, where], piece)]
    last = followed.crossed.get(line.name, float("-inf"))
    # Who stands on the line sways over it again and again.
    if not found or found[0].time - last < _REPEAT_CROSSING:
        return None
    followed.crossed[line.name] = found[0].time
    return Crossed(found[0].time, line.name, found[0].direction is Direction.RIGHT, seen)


def _seen(track: Track, size: tuple[int, int]) -> Seen:
    left, top, right, bottom = track.box
    width, height = size
    fractions = (left / width, top / height, right / width, bottom / height)
    clipped = tuple(round(min(max(value, 0.0), 1.0), 4) for value in fractions)
    box = (clipped[0], clipped[1], clipped[2], clipped[3])
    return Seen(track.id, track.label.name.lower(), round(min(track.score, 1.0), 3), box)
