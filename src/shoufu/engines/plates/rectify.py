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

UPPER_ROW = (0.02, 0.43)
LOWER_ROW = (0.37, 1.0)
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
    matrix = cv2.getPerspectiveTransform(np.ascontiguousarray(corners, dtype=np.float32), target)
    source, matrix = _shrunk(image, corners, matrix, height)
    flat = cv2.warpPerspective(source, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(flat, dtype=np.uint8)


def _shrunk(image: Image, corners: Floats, matrix: NDArray[np.float64], height: int) -> tuple[Image, NDArray[np.float64]]:
    """A part of `image`, made smaller when the plate is far larger than the output, so that warping does not alias."""
    _, tall = edge_lengths(corners)
    factor = height / max(tall, 1.0)
    if factor > 0.7:
        return image, matrix
    left, top = np.floor(corners.min(axis=0) - tall).astype(int).clip(min=0)
    right, bottom = np.ceil(corners.max(axis=0) + tall).astype(int)
    part = image[top:bottom, left:right]
    small = cv2.resize(part, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    back = np.array([[1 / factor, 0, left], [0, 1 / factor, top], [0, 0, 1]])
    return np.asarray(small, dtype=np.uint8), matrix @ back


def even_light(plate: Image) -> Image:
    """A dim or washed-out plate stretched to the full range of brightness; others as they are."""
    low, high = np.percentile(plate, [1.0, 99.0])
    if high - low > GOOD_CONTRAST or high - low < 4:
        return plate
    stretched = (plate.astype(np.float32) - np.float32(low)) * np.float32(255 / (high - low))
    return np.clip(stretched, 0, 255).astype(np.uint8)


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
