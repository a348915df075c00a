"""What an object looks like, cheaply: colours of its upper and lower half, to recognise it after an occlusion."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Descriptor = npt.NDArray[np.float32]

_BINS = (8, 4, 4)
LENGTH = 2 * _BINS[0] * _BINS[1] * _BINS[2]


def describe(image: Image, box: npt.NDArray[np.float32]) -> Descriptor:
    """`image`: RGB; `box` in its pixels. The descriptor: two histograms of hue, saturation and value, sum 1 together;
    all zeros where the box holds fewer than 8 x 8 pixels."""
    height, width = image.shape[:2]
    left, top, right, bottom = (round(float(value)) for value in box)
    left, right = max(0, left), min(width, right)
    top, bottom = max(0, top), min(height, bottom)
    if right - left < 8 or bottom - top < 8:
        return np.zeros(LENGTH, np.float32)
    # The rim shows the background, and a stride brings it in from below.
    inset = (right - left) // 5
    middle = image[top:bottom, left + inset : right - inset]
    small = cv2.cvtColor(cv2.resize(middle, (16, 32), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2HSV)
    colours = np.asarray(small, np.uint8)
    return np.asarray(np.concatenate([_histogram(colours[:16]), _histogram(colours[16:])]) / 2, np.float32)


def likeness(first: Descriptor, second: Descriptor) -> float:
    """Bhattacharyya coefficient 0 to 1; 0 where either is unknown."""
    return float(np.sqrt(first * second).sum())


def _histogram(half: Image) -> Descriptor:
    counts = cv2.calcHist([half], [0, 1, 2], None, list(_BINS), [0, 180, 0, 256, 0, 256]).ravel()
    return np.asarray(counts / max(counts.sum(), 1.0), np.float32)
