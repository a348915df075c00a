"""A made-up scene for trackers: boxes that move over still ground."""

from collections.abc import Iterable

import numpy as np

from shoufu.engines.tracking import Tracker
from shoufu.engines.vision import Detections, Foreground, Label
from shoufu.engines.vision.motion import MotionOptions, _foreground

SIZE = (512, 288)
ROWS, COLUMNS = 108, 192

Box = tuple[float, float, float, float]
Seen = tuple[Box, float, Label]


def moving(*boxes: Box) -> Foreground:
    """A foreground in which exactly these boxes move."""
    mask = np.zeros((ROWS, COLUMNS), np.bool_)
    for left, top, right, bottom in boxes:
        x, y = COLUMNS / SIZE[0], ROWS / SIZE[1]
        mask[max(0, int(top * y)) : max(0, int(bottom * y)), max(0, int(left * x)) : max(0, int(right * x))] = True
    return _foreground(mask, MotionOptions(), SIZE, cut=False)


def detections(seen: Iterable[Seen]) -> Detections:
    items = list(seen)
    if not items:
        return Detections.empty()
    return Detections(
        np.array([box for box, _, _ in items], np.float32),
        np.array([score for _, score, _ in items], np.float32),
        np.array([label for _, _, label in items], np.int64),
    )


def show(tracker: Tracker, time: float, *seen: Seen, moves: Iterable[Box] | None = None):
    """One picture: these detections, and motion in `moves` (default: in every detection)."""
    blobs = [box for box, _, _ in seen] if moves is None else list(moves)
    return tracker.update(time, detections(seen), moving(*blobs))


def at(x: float, y: float, width: float = 30, height: float = 70) -> Box:
    return (x, y, x + width, y + height)
