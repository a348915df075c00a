"""How long people are on the way between homes, without a street map: the way is the straight line times a detour.

Speeds and times are those of dense old districts with their doors and stairs, in data so that an institution's
integrator can see and change them in one place. A detour of 1.3 is what street networks have on average (Boscoe, Henry
and Zdeb 2012 found 1.42 between homes and hospitals; grids have 1.27).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shoufu.kernel.places.distances import between

DETOUR = 1.3


@dataclass(frozen=True)
class Mode:
    """A means of transport: metres a minute on the way, and minutes that each way takes besides (parking, waiting)."""

    metres_a_minute: float
    minutes_besides: float


MODES = {
    "walk": Mode(75.0, 0.0),
    "bicycle": Mode(200.0, 2.0),
    "ebike": Mode(300.0, 2.0),
    "transit": Mode(250.0, 8.0),
    "car": Mode(350.0, 5.0),
}


def matrices(at: Sequence[tuple[float, float]], modes: Iterable[str]) -> dict[str, NDArray[np.float64]]:
    """Of each mode: [n, n] minutes between the positions (longitude, latitude in degrees, WGS-84).

    Who stays at the same position needs no time.
    """
    metres = distances(at)
    return {name: minutes(metres, name) for name in sorted(set(modes))}


def minutes(metres: NDArray[np.float64], mode: str) -> NDArray[np.float64]:
    """Minutes for straight lines of so many metres; somebody without a known means of transport walks."""
    way, means = metres * DETOUR, MODES.get(mode, MODES["walk"])
    return np.where(way < 1.0, 0.0, way / means.metres_a_minute + means.minutes_besides)


def distances(at: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    """[n, n] great-circle metres between positions (longitude, latitude in degrees)."""
    known = np.asarray(at, np.float64).reshape(-1, 2)
    return between(known[:, None], known)
