"""Distances of many positions at once; `datum.distance` is the same for two."""

import numpy as np
from numpy.typing import NDArray

from shoufu.kernel.places.datum import EARTH_RADIUS


def between(starts: NDArray[np.float64], ends: NDArray[np.float64]) -> NDArray[np.float64]:
    """Great-circle metres from starts to ends: [..., 2] longitude and latitude in degrees, of shapes that broadcast."""
    a, b = np.radians(starts), np.radians(ends)
    half = np.sin((a[..., 1] - b[..., 1]) / 2) ** 2
    half += np.cos(a[..., 1]) * np.cos(b[..., 1]) * np.sin((a[..., 0] - b[..., 0]) / 2) ** 2
    found: NDArray[np.float64] = 2 * EARTH_RADIUS * np.arcsin(np.sqrt(np.minimum(half, 1.0)))
    return found
