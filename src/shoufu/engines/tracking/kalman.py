"""Constant-velocity Kalman filter of a box, its four edges apart.

Edges instead of centre and size: an object that leaves the picture keeps one edge at the border while the opposite one
moves on, which a filter of edges predicts rightly. All four edges share one covariance, in units of the box's size.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Box = npt.NDArray[np.float64]

_ACCELERATION = 2.5
_START_SPEED = 3.0
_NOISE = 0.06
_GROWTH_DAMPING = 1.5
_BLIND_DAMPING = 0.8


class BoxFilter:
    """State of one object; lengths in pixels, times in seconds."""

    __slots__ = ("_cross", "_position", "_speed", "box", "velocity")

    def __init__(self, box: Box) -> None:
        self.box = box.astype(np.float64)
        self.velocity = np.zeros(4)
        self._position, self._cross, self._speed = _NOISE**2, 0.0, _START_SPEED**2

    @property
    def size(self) -> float:
        """Side of a square of the same area, at least two pixels."""
        width, height = self.box[2] - self.box[0], self.box[3] - self.box[1]
        return max(2.0, float(np.sqrt(max(width, 1.0) * max(height, 1.0))))

    @property
    def drift(self) -> Box:
        """Velocity of the centre (x, y), pixels a second."""
        return (self.velocity[:2] + self.velocity[2:]) / 2

    def predict(self, elapsed: float, *, blind: bool = False) -> None:
        """Move on by `elapsed` seconds. `blind`: nothing was seen last time, so the box keeps its size."""
        if blind:
            # Whoever is hidden may have stopped: do not send the box across the picture.
            self.velocity = np.tile(self.drift, 2) * np.exp(-_BLIND_DAMPING * elapsed)
        self.box = self.box + self.velocity * elapsed
        # Growing and shrinking are never as steady as moving.
        spread = (self.velocity - np.tile(self.drift, 2)) * np.exp(-_GROWTH_DAMPING * elapsed)
        self.velocity = np.tile(self.drift, 2) + spread
        noise = _ACCELERATION**2
        self._position += 2 * elapsed * self._cross + elapsed**2 * self._speed + noise * elapsed**4 / 4
        self._cross += elapsed * self._speed + noise * elapsed**3 / 2
        self._speed += noise * elapsed**2

    def correct(self, measured: Box, *, trust: float = 1.0) -> None:
        """Take in a measured box; `trust` 1 for a detection, less for something vaguer."""
        noise = (_NOISE / max(trust, 1e-3)) ** 2
        gain = self._position / (self._position + noise)
        gain_speed = self._cross / (self._position + noise)
        residual = measured - self.box
        self.box = self.box + gain * residual
        self.velocity = self.velocity + gain_speed * residual
        self._speed -= gain_speed * self._cross
        self._cross *= 1 - gain
        self._position *= 1 - gain
