"""How large a wound is on a picture with a ruler beside it: two points on the ruler and the length between them give
the scale, the outline gives area, length and width. Good to some per cent where ruler and wound lie in one plane that
the camera looks at straight on; a slanted or bent surface comes out too small."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

Point = tuple[float, float]
LEAST_PIXELS = 20.0
"""A scale from points that are closer together says nothing."""


@dataclass(frozen=True)
class Measured:
    """`scale` in millimetres a pixel; `length` (longest way across) and `width` (at right angles to it) in centimetres;
    `area` in square centimetres. None without an outline."""

    scale: float
    length: float | None = None
    width: float | None = None
    area: float | None = None


def scale(ends: tuple[Point, Point], millimetres: float) -> float | None:
    """Millimetres a pixel; None where the two points are too close together."""
    (x0, y0), (x1, y1) = ends
    pixels = hypot(x1 - x0, y1 - y0)
    return millimetres / pixels if pixels >= LEAST_PIXELS else None


def measure(ends: tuple[Point, Point], millimetres: float, outline: Sequence[Point] = ()) -> Measured | None:
    """What the points say; None without a scale."""
    per_pixel = scale(ends, millimetres)
    if per_pixel is None:
        return None
    if len(outline) < 3:
        return Measured(per_pixel)
    centimetres = per_pixel / 10
    length, width = _extent(outline)
    return Measured(
        per_pixel,
        round(length * centimetres, 2),
        round(width * centimetres, 2),
        round(_area(outline) * centimetres * centimetres, 2),
    )


def _area(outline: Sequence[Point]) -> float:
    """Of a closed outline, in square pixels (shoelace formula)."""
    following = [*outline[1:], outline[0]]
    return abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(outline, following, strict=True))) / 2


def _extent(outline: Sequence[Point]) -> tuple[float, float]:
    """The longest way across, and how wide the outline is at right angles to it, in pixels."""
    pairs = ((a, b) for n, a in enumerate(outline) for b in outline[n + 1 :])
    (ax, ay), (bx, by) = max(pairs, key=lambda pair: hypot(pair[1][0] - pair[0][0], pair[1][1] - pair[0][1]))
    length = hypot(bx - ax, by - ay)
    if length == 0:
        return 0.0, 0.0
    across = [((x - ax) * (by - ay) - (y - ay) * (bx - ax)) / length for x, y in outline]
    return length, max(across) - min(across)
