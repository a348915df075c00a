"""Ground colour of a flattened plate."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .grammar import Colour

Image = NDArray[np.uint8]

HUES = {Colour.YELLOW: (11.0, 37.0), Colour.GREEN: (37.0, 92.0), Colour.BLUE: (92.0, 132.0)}
"""OpenCV hue ranges (half degrees), half-open."""


@dataclass(frozen=True, slots=True)
class ColourGuess:
    """`sure`: 0 (could be another) to 1 (clear)."""

    colour: Colour
    sure: float


def ground_colour(plate: Image) -> ColourGuess:
    """Which ground a flat BGR plate has: the hue that holds most of the saturation, else the brighter or darker half."""
    height, width = plate.shape[:2]
    inner = plate[height // 10 : height - height // 10, width // 25 : width - width // 25]
    hsv = cv2.cvtColor(_balanced(inner), cv2.COLOR_BGR2HSV).reshape(-1, 3).astype(np.float32)
    hue, saturation, value = hsv[:, 0], hsv[:, 1] / 255, hsv[:, 2] / 255
    chroma = saturation * value
    weights = {c: float(chroma[(hue >= low) & (hue < high)].sum()) for c, (low, high) in HUES.items()}
    total = float(chroma.sum()) + 1e-6
    best = max(weights, key=lambda c: weights[c])
    coloured = float(np.mean((saturation > 0.28) & (value > 0.12)))
    if coloured > 0.33 and weights[best] / total > 0.4:
        return ColourGuess(best, min(1.0, weights[best] / total * min(1.0, coloured / 0.6)))
    return _grey(value)


def _balanced(plate: Image) -> Image:
    """Stretches a dim plate to full brightness so that thresholds hold at night."""
    bright = float(np.percentile(plate.max(axis=2), 98))
    if bright < 8:
        return plate
    return np.clip(plate.astype(np.float32) * (245 / bright), 0, 255).astype(np.uint8)


def _grey(value: NDArray[np.float32]) -> ColourGuess:
    """White or black: characters cover less than half of a plate, so the ground is the larger side."""
    low, high = np.percentile(value, [5, 95])
    share = float(np.mean(value > (low + high) / 2))
    return ColourGuess(Colour.WHITE if share >= 0.5 else Colour.BLACK, min(1.0, abs(share - 0.5) * 3))
