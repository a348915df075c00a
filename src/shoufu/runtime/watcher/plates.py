"""Plates of the vehicles that pass a camera: read a few times, told once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from shoufu.engines.tracking import Track, counts

from .costs import Costs
from .pipeline import Sight
from .video import Image, Picture

_EVERY = 0.5
_ENOUGH = 1.5
_LEAST_SCORE = 0.5
_LEAST_WIDTH = 60
_ATTEMPTS = 12
_FORGET = 10.0


class ReadPlate(Protocol):
    """A plate as the plates engine reads it."""

    @property
    def text(self) -> str: ...

    @property
    def score(self) -> float: ...

    @property
    def colour(self) -> str: ...


class Reader(Protocol):
    """Finds and reads plates in a BGR picture, best first."""

    def read(self, image: Image) -> Sequence[ReadPlate]: ...


@dataclass(frozen=True, slots=True)
class PlateSeen:
    """The plate of one vehicle, as most of its readings have it."""

    text: str
    score: float
    colour: str


@dataclass(slots=True)
class _Vehicle:
    votes: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    best: dict[str, PlateSeen] = field(default_factory=dict)
    attempts: int = 0
    last: float = float("-inf")
    seen: float = float("-inf")
    told: bool = False


class PlateWatch:
    """Readings of one camera's vehicles."""

    def __init__(self, reader: Reader, costs: Costs) -> None:
        self._reader = reader
        self._costs = costs
        self._vehicles: dict[int, _Vehicle] = {}

    def update(self, sight: Sight, picture: Picture) -> list[PlateSeen]:
        """Plates of vehicles under way that are now sure enough to tell, each vehicle's once."""
        found = []
        for track in sight.tracks:
            if track.label.is_vehicle and counts(track) and (plate := self._look(track, sight, picture)):
                found.append(plate)
        for track_id in [key for key, known in self._vehicles.items() if sight.time - known.seen > _FORGET]:
            del self._vehicles[track_id]
        return found

    def _look(self, track: Track, sight: Sight, picture: Picture) -> PlateSeen | None:
        vehicle = self._vehicles.setdefault(track.id, _Vehicle())
        vehicle.seen = sight.time
        if vehicle.told or vehicle.attempts >= _ATTEMPTS or sight.time - vehicle.last < _EVERY:
            return None
        crop = _crop(track, sight, picture)
        if crop is None:
            return None
        vehicle.last = sight.time
        vehicle.attempts += 1
        with self._costs.measure("plates"):
            plates = self._reader.read(crop)
        if plates and plates[0].score >= _LEAST_SCORE:
            first = PlateSeen(plates[0].text, round(float(plates[0].score), 3), str(plates[0].colour))
            vehicle.votes[first.text] += first.score
            known = vehicle.best.get(first.text)
            vehicle.best[first.text] = first if known is None or first.score > known.score else known
        return _decide(vehicle)


def _decide(vehicle: _Vehicle) -> PlateSeen | None:
    if not vehicle.votes:
        return None
    text = max(vehicle.votes, key=lambda key: vehicle.votes[key])
    if vehicle.votes[text] < _ENOUGH and vehicle.attempts < _ATTEMPTS:
        return None
    vehicle.told = True
    return vehicle.best[text]


def _crop(track: Track, sight: Sight, picture: Picture) -> Image | None:
    """The vehicle in the picture's own resolution with a rim, BGR; None where it is too small to hold a plate."""
    frame = picture.frame
    scale = frame.width / sight.size[0]
    left, top, right, bottom = (value * scale for value in track.box)
    if right - left < _LEAST_WIDTH:
        return None
    rim = (right - left) * 0.05
    pixels = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
    rows = slice(max(0, int(top - rim)), min(frame.height, int(bottom + rim)))
    columns = slice(max(0, int(left - rim)), min(frame.width, int(right + rim)))
    crop = pixels[rows, columns]
    return np.ascontiguousarray(crop) if min(crop.shape[:2]) >= 16 else None
