"""Watches whether a camera's picture and clock are as they should be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoufu.engines.vision.tamper import SIZE, TamperWatch

from .costs import Costs
from .video import Picture

EVERY = 1.0
WRONG_CLOCK = 5.0


@dataclass(frozen=True, slots=True)
class Tampered:
    """The picture or the clock is `what` ("clear" when it is right again), for `seconds` so far."""

    time: float
    what: str
    seconds: float
    offset: float | None = None


class Tampering:
    """One camera's checks, about once a second."""

    def __init__(self, costs: Costs) -> None:
        self._watch = TamperWatch()
        self._costs = costs
        self._at = float("-inf")
        self._clock_wrong = False
        self.changes = 0

    def seam(self) -> None:
        """Another picture is to be expected: the stream begins anew."""
        self._watch.reset()

    def look(self, picture: Picture, clock_offset: float | None) -> Tampered | None:
        """What changed, or None."""
        if 0 <= picture.time - self._at < EVERY:
            return None
        self._at = picture.time
        with self._costs.measure("tamper"):
            grey = np.asarray(picture.frame.reformat(*SIZE, "gray", interpolation="BILINEAR").to_ndarray(), np.uint8)
            change = self._watch.update(grey, picture.time)
        if change is not None:
            self.changes += 1
            return Tampered(picture.time, change.state.value, max(0.0, picture.time - change.since))
        return self._clock(picture.time, clock_offset)

    def _clock(self, time: float, offset: float | None) -> Tampered | None:
        if offset is None:
            return None
        # Half as far off to be right again: an offset about the limit would otherwise be told over and over.
        wrong = abs(offset) > (WRONG_CLOCK / 2 if self._clock_wrong else WRONG_CLOCK)
        if wrong == self._clock_wrong:
            return None
        self._clock_wrong = wrong
        self.changes += 1
        return Tampered(time, "clock" if wrong else "clear", 0.0, round(offset, 2))
