"""Where somebody checked in and out around a home, as a drawing without a map: metres, north up."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians

from shoufu.scenes.homecare.encounters.models import Encounter
from shoufu.scenes.homecare.register import selectors as register

METRES = 111_195.0
SIZE = 220.0


@dataclass(frozen=True)
class Spot:
    """A point in the drawing; `inside` of the radius, `ring` is its accuracy."""

    code: str
    x: float
    y: float
    ring: float
    metres: int


@dataclass(frozen=True)
class Sketch:
    """The home in the middle, the radius around it, and the points; `size` of the square drawing."""

    size: float
    middle: float
    radius: float
    metres: int
    spots: Sequence[Spot]
    way: str = ""


def around(row: Encounter, radius: int, way: Sequence[tuple[float, float]] = ()) -> Sketch | None:
    """The drawing of an encounter; None where the home or every point is unknown."""
    home = register.position(row.place)
    if home is None:
        return None
    points = [
        (code, getattr(row, f"{code}_longitude"), getattr(row, f"{code}_latitude"), getattr(row, f"{code}_accuracy"))
        for code in ("in", "out")
    ]
    known = [(code, *_metres(home, (x, y)), a or 0.0) for code, x, y, a in points if x is not None and y is not None]
    gone = [_metres(home, at) for at in way]
    if not known and not gone:
        return None
    far = max([radius * 1.15, *(max(abs(x), abs(y)) + a for _c, x, y, a in known), *(max(map(abs, p)) for p in gone)])
    scale, middle = SIZE / 2 / far, SIZE / 2
    spots = [
        Spot(code, middle + x * scale, middle - y * scale, a * scale, round((x * x + y * y) ** 0.5))
        for code, x, y, a in known
    ]
    line = " ".join(f"{middle + x * scale:.1f},{middle - y * scale:.1f}" for x, y in gone)
    return Sketch(SIZE, middle, radius * scale, radius, spots, line)


def _metres(home: tuple[float, float], at: tuple[float, float]) -> tuple[float, float]:
    """East and north of the home."""
    return (at[0] - home[0]) * METRES * cos(radians(home[1])), (at[1] - home[1]) * METRES
