"""Flat pictures of a plate from its four corners, and two-row plates laid out in one row."""

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]

SINGLE_ROW_ASPECT = 440 / 140
TWO_ROW_ASPECT = 440 / 220
LARGEST_HEIGHT = 128
GOOD_CONTRAST = 110
SMALLEST_HEIGHT = 48

UPPER_ROW = (0.03, 0.4)
LOWER_ROW = (0.37, 0.98)
UPPER_ROW_SIDES = (0.14, 0.86)
UPPER_ROW_SHARE = 0.52
"""Width of the upper row, beside the lower one, when both are put in one line (2 wide characters before 5)."""


def edge_lengths(corners: Floats) -> tuple[float, float]:
    """Mean width and mean height in pixels of a quadrilateral given clockwise from its top left."""
    top, right, bottom, left = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    return float(top + bottom) / 2, float(left + right) / 2


def aspect(corners: Floats) -> float:
    """Width over height of a quadrilateral."""
    width, height = edge_lengths(corners)
    return width / max(height, 1e-3)


def flatten(image: Image, corners: Floats, ratio: float, margin: tuple[float, float] = (0.0, 0.0)) -> Image:
    """The quadrilateral as an upright rectangle of width/height `ratio`, at about the photo's own resolution.

    `margin`: how far beyond the corners to look, as parts of the plate's width and height (negative: inside).
    """
    _, tall = edge_lengths(corners)
    height = int(np.clip(tall * (1 + 2 * margin[1]), SMALLEST_HEIGHT, LARGEST_HEIGHT))
    width = round(height * ratio)
    inset_x = margin[0] / (1 + 2 * margin[0]) * width
    inset_y = margin[1] / (1 + 2 * margin[1]) * height
    target = np.array(
        [
            [inset_x, inset_y],
            [width - inset_x, inset_y],
            [width - inset_x, height - inset_y],
            [inset_x, height - inset_y],
        ],
        dtype=np.float32,
    )
    flat, _ = warp(image, corners, target, (width, height))
    return flat


def warp(
    image: Image,
    corners: Floats,
    target: Floats,
    size: tuple[int, int],
    rim: tuple[float, float, float] | None = None,
) -> tuple[Image, NDArray[np.float64]]:
    """A view of `size` (width, height) in which `corners` lie at `target`; and its 3×3 matrix, image to view.

    `rim`: BGR colour shown beyond the picture; None repeats its outermost pixels.
    """
    start, end = (np.ascontiguousarray(points, dtype=np.float32) for points in (corners, target))
    matrix = np.asarray(cv2.getPerspectiveTransform(start, end), dtype=np.float64)
    factor = edge_lengths(target)[0] / max(edge_lengths(corners)[0], 1.0)
    source, source_matrix = _shrunk(image, corners, matrix, factor, size)
    border = cv2.BORDER_REPLICATE if rim is None else cv2.BORDER_CONSTANT
    view = cv2.warpPerspective(
        source, source_matrix, size, flags=cv2.INTER_CUBIC, borderMode=border, borderValue=rim or (0.0, 0.0, 0.0)
    )
    return np.asarray(view, dtype=np.uint8), matrix


def _shrunk(
    image: Image, corners: Floats, matrix: NDArray[np.float64], factor: float, size: tuple[int, int]
) -> tuple[Image, NDArray[np.float64]]:
    """The part of `image` that the view shows, made smaller when it is far larger, so that warping does not alias."""
    if factor > 0.7:
        return image, matrix
    reach = max(size) / factor / 2
    middle = corners.mean(axis=0)
    height, width = image.shape[:2]
    left, top = np.clip(np.floor(middle - reach), 0, [width - 1, height - 1]).astype(int)
    right, bottom = np.clip(np.ceil(middle + reach), [left + 1, top + 1], [width, height]).astype(int)
    small = cv2.resize(image[top:bottom, left:right], None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    back = np.array([[1 / factor, 0, left], [0, 1 / factor, top], [0, 0, 1]])
    return np.asarray(small, dtype=np.uint8), matrix @ back


def raised(corners: Floats, share: float) -> Floats:
    """The quadrilateral with its top edge moved up by a part of its height."""
    lifted = corners.copy()
    lifted[:2] += (corners[:2] - corners[[3, 2]]) * np.float32(share)
    return lifted


def even_light(plate: Image) -> Image:
    """A dim or washed-out plate stretched to the full range of brightness; others as they are."""
    low, high = np.percentile(plate, [1.0, 99.0])
    if high - low > GOOD_CONTRAST or high - low < 4:
        return plate
    stretched = (plate.astype(np.float32) - np.float32(low)) * np.float32(255 / (high - low))
    return np.asarray(np.clip(stretched, 0, 255), dtype=np.uint8)


def join_rows(plate: Image) -> Image:
    """A two-row plate (flat, about 2:1) as one row: the upper row, squeezed, before the lower one."""
    height, width = plate.shape[:2]
    lower = plate[round(height * LOWER_ROW[0]) : round(height * LOWER_ROW[1])]
    upper = plate[
        round(height * UPPER_ROW[0]) : round(height * UPPER_ROW[1]),
        round(width * UPPER_ROW_SIDES[0]) : round(width * UPPER_ROW_SIDES[1]),
    ]
    scaled = cv2.resize(upper, (round(width * UPPER_ROW_SHARE), lower.shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.hstack([np.asarray(scaled, dtype=np.uint8), lower])
