"""Whether a camera still sees what it should: covered, out of focus, moved or frozen, told from small grey pictures.

After the usual checks of the field (IEC 62676-4, annex on tampering; Ribnick et al., "Real-time detection of camera
tampering", AVSS 2006): each picture is compared with a slowly learned one. Nothing is told before a fault has lasted.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]

SIZE = (160, 90)
"""Width and height of the pictures that it is made for."""


class Tamper(StrEnum):
    """What is wrong with a camera's picture."""

    CLEAR = "clear"
    COVERED = "covered"
    DEFOCUSED = "defocused"
    MOVED = "moved"
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True)
class TamperOptions:
    """`warm_up`, `hold`, `frozen`, `learn`: seconds until the first judgement, that a fault lasts before it is told,
    that nothing at all changes, and over which the usual picture is learned. The others are shares of what is usual:
    of the detail (`covered`, `defocused`), of the contrast, and the correlation with the usual detail (`moved`)."""

    warm_up: float = 20.0
    hold: float = 8.0
    frozen: float = 30.0
    learn: float = 60.0
    covered: float = 0.25
    defocused: float = 0.45
    contrast: float = 0.5
    moved: float = 0.3


@dataclass(frozen=True, slots=True)
class TamperChange:
    """The picture has been `state` since `since`, seconds on the pictures' own clock."""

    state: Tamper
    since: float


class TamperWatch:
    """Feed it a picture about once a second."""

    def __init__(self, options: TamperOptions | None = None) -> None:
        self._options = options or TamperOptions()
        self.state = Tamper.CLEAR
        self.reset()

    def reset(self) -> None:
        """Another picture is to be expected (the camera was turned on purpose, the footage begins anew)."""
        self._usual: Plane | None = None
        self._detail = self._contrast = 0.0
        self._began = self._last = 0.0
        self._previous: Grey | None = None
        self._changed_at = 0.0
        self._candidate = (Tamper.CLEAR, 0.0)

    def update(self, grey: Grey, time: float) -> TamperChange | None:
        """What changed with this picture, or None. `grey`: `SIZE` wide and high, `time` in seconds, never falling."""
        seen = _detail_of(grey)
        if self._usual is None:
            self._begin(grey, seen, time)
            return None
        found = self._judge(grey, seen, time)
        if found is not self._candidate[0]:
            self._candidate = (found, time)
        if found is Tamper.CLEAR or (found is Tamper.MOVED and self.state is Tamper.MOVED):
            self._learn(grey, seen, time)
        self._last = time
        since = self._candidate[1]
        if found is self.state or (time - since < self._options.hold and found is not Tamper.FROZEN):
            return None
        self.state = found
        return TamperChange(found, since)

    def _begin(self, grey: Grey, seen: Plane, time: float) -> None:
        self._usual = seen
        self._detail, self._contrast = _strength(seen), float(grey.std())
        self._began = self._last = self._changed_at = time
        self._previous = grey

    def _judge(self, grey: Grey, seen: Plane, time: float) -> Tamper:
        options = self._options
        if self._previous is None or not np.array_equal(grey, self._previous):
            self._changed_at = time
        self._previous = grey
        if time - self._changed_at >= options.frozen:
            return Tamper.FROZEN
        if time - self._began < options.warm_up:
            return Tamper.CLEAR
        detail = _strength(seen) / max(self._detail, 1e-6)
        contrast = float(grey.std()) / max(self._contrast, 1e-6)
        if detail < options.covered and contrast < options.contrast:
            return Tamper.COVERED
        if detail < options.defocused and contrast >= options.contrast:
            return Tamper.DEFOCUSED
        if detail >= options.defocused and _alike(seen, self._usual) < options.moved:
            return Tamper.MOVED
        return Tamper.CLEAR

    def _learn(self, grey: Grey, seen: Plane, time: float) -> None:
        assert self._usual is not None
        share = min(1.0, max(0.0, time - self._last) / self._options.learn)
        self._usual += share * (seen - self._usual)
        self._detail += share * (_strength(seen) - self._detail)
        self._contrast += share * (float(grey.std()) - self._contrast)


def _detail_of(grey: Grey) -> Plane:
    """Edges and texture without the light: the picture less its blur."""
    plane = grey.astype(np.float32)
    return np.asarray(plane - cv2.GaussianBlur(plane, (0, 0), 3.0), np.float32)


def _strength(detail: Plane) -> float:
    return float(np.abs(detail).mean())


def _clipped(detail: Plane) -> Plane:
    most = 1.5 * max(_strength(detail), 1e-6)
    return np.clip(detail, -most, most)


def _alike(a: Plane, b: Plane | None) -> float:
    """Normalised correlation, from -1 to 1; strong edges are clipped, for a single bright thing has many of them."""
    if b is None:
        return 1.0
    a, b = _clipped(a), _clipped(b)
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum()) / norm if norm > 1e-6 else 1.0
