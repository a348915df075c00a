"""What a detector says about one picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
Image = npt.NDArray[np.uint8]


class Label(IntEnum):
    """Classes of COCO that a district's cameras look for, in the order of the detector's channels."""

    PERSON = 0
    BICYCLE = 1
    CAR = 2
    MOTORCYCLE = 3
    BUS = 4
    TRUCK = 5

    @property
    def is_vehicle(self) -> bool:
        return self is not Label.PERSON


@dataclass(frozen=True, slots=True)
class Detection:
    """One object: `box` is (left, top, right, bottom) in pixels of the picture, `score` 0 to 1."""

    box: tuple[float, float, float, float]
    score: float
    label: Label


@dataclass(frozen=True, slots=True)
class Detections:
    """Many objects as arrays: `boxes` N x 4 (left, top, right, bottom in pixels), `scores` N, `labels` N (`Label`)."""

    boxes: Floats
    scores: Floats
    labels: Integers

    @classmethod
    def empty(cls) -> Detections:
        return cls(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int64))

    def __len__(self) -> int:
        return len(self.scores)

    def __iter__(self) -> Iterator[Detection]:
        for box, score, label in zip(self.boxes.tolist(), self.scores.tolist(), self.labels.tolist(), strict=True):
            yield Detection((box[0], box[1], box[2], box[3]), score, Label(label))

    def take(self, chosen: Integers | Booleans) -> Detections:
        """The objects at these positions, or where the mask is true."""
        return Detections(self.boxes[chosen], self.scores[chosen], self.labels[chosen])


def intersection_over_union(first: Floats, second: Floats) -> Floats:
    """Overlap 0 to 1 of every box of `first` (N x 4) with every box of `second` (M x 4): N x M."""
    shared = _intersection(first, second)
    union = area(first)[:, None] + area(second)[None, :] - shared
    return np.asarray(shared / np.maximum(union, 1e-6), np.float32)


def intersection_over_smaller(first: Floats, second: Floats) -> Floats:
    """Shared area over the smaller box's area: 1 where one box lies within the other. N x M."""
    smaller = np.minimum(area(first)[:, None], area(second)[None, :])
    return np.asarray(_intersection(first, second) / np.maximum(smaller, 1e-6), np.float32)


def area(boxes: Floats) -> Floats:
    """Areas in square pixels of N x 4 boxes; 0 for a box turned inside out."""
    size = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return np.asarray(size[:, 0] * size[:, 1], np.float32)


def _intersection(first: Floats, second: Floats) -> Floats:
    top_left = np.maximum(first[:, None, :2], second[None, :, :2])
    bottom_right = np.minimum(first[:, None, 2:], second[None, :, 2:])
    size = np.maximum(bottom_right - top_left, 0)
    return np.asarray(size[..., 0] * size[..., 1], np.float32)
