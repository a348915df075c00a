"""Ground colour of a flattened plate."""

from collections.abc import Collection
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
    """`sure`: 0 (could be another) to 1 (clear). `order`: all colours, the likeliest first."""

    colour: Colour
    sure: float
    order: tuple[Colour, ...] = ()

    def among(self, allowed: Collection[Colour]) -> Colour:
        """The likeliest of some colours; the first guess where none of them was weighed."""
        return next((colour for colour in self.order if colour in allowed), self.colour)


def ground_colour(plate: Image) -> ColourGuess:
    """Which ground a flat BGR plate has: the hue with most of the colour in it, else the larger of light and dark."""
    height, width = plate.shape[:2]
    inner = plate[height // 10 : height - height // 10, width // 25 : width - width // 25]
    hsv = np.asarray(cv2.cvtColor(_balanced(inner), cv2.COLOR_BGR2HSV), dtype=np.float32).reshape(-1, 3)
    hue, saturation, value = hsv[:, 0], hsv[:, 1] / np.float32(255), hsv[:, 2] / np.float32(255)
    chroma = saturation * value
    weights = {c: float(chroma[(hue >= low) & (hue < high)].sum()) for c, (low, high) in HUES.items()}
    total = float(chroma.sum()) + 1e-6
    hues = sorted(weights, key=lambda c: -weights[c])
    coloured = float(np.mean((saturation > 0.28) & (value > 0.12)))
    best = weights[hues[0]] / total
    greys, sure = _greys(value)
    if coloured > 0.33 and best > 0.4:
        return ColourGuess(hues[0], min(1.0, best * min(1.0, coloured / 0.6)), (*hues, *greys))
    # What is washed out to white may be any colour, but never black; the same the other way round.
    return ColourGuess(greys[0], sure, (greys[0], *hues, greys[1]))


def _balanced(plate: Image) -> Image:
    """Stretches a dim plate to full brightness so that thresholds hold at night."""
    bright = float(np.percentile(plate.max(axis=2), 98))
    if bright < 8:
        return plate
    return np.asarray(np.clip(plate.astype(np.float32) * (245 / bright), 0, 255), dtype=np.uint8)


def _greys(value: NDArray[np.float32]) -> tuple[tuple[Colour, Colour], float]:
    """White or black: characters cover less than half of a plate, so the ground is the larger side."""
    low, high = np.percentile(value, [5, 95])
    share = float(np.mean(value > (low + high) / 2))
    order = (Colour.WHITE, Colour.BLACK) if share >= 0.5 else (Colour.BLACK, Colour.WHITE)
    return order, min(1.0, abs(share - 0.5) * 3)
