"""What moves: a background model on a small grey picture, which gates the detector and supports the tracker."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from .boxes import Booleans, Floats, Image

_NOISE_FLOOR = 14.0
_COLOUR_FLOOR = 16.0
_CUT_SHARE = 0.75
_SHADOW_VARIANCE = 0.04**2


@dataclass(frozen=True, slots=True)
class MotionOptions:
    """`width`: of the small grey picture, pixels. `absorb`: seconds until what stands still becomes background.
    `smallest`: share of the picture that a moving blob must have. `gate`: share that must move to call it motion."""

    width: int = 192
    settle: float = 2.0
    absorb: float = 30.0
    smallest: float = 0.0006
    gate: float = 0.0006


@dataclass(frozen=True, slots=True)
class Foreground:
    """What moves in one picture. `mask`: rows x columns of the small picture. `blobs`: N x 4 boxes (left, top, right,
    bottom) in pixels of the full picture. `share`: moving part 0 to 1. `active`: worth looking at. `cut`: the picture
    changed as a whole (another shot, a knocked camera), so that nothing before it can be compared."""

    mask: Booleans
    blobs: Floats
    share: float
    active: bool
    cut: bool
    size: tuple[int, int]
    _sums: Floats = field(repr=False)

    def cover(self, boxes: Floats) -> Floats:
        """Share 0 to 1 of each box (N x 4, full picture pixels) that moves."""
        rows, columns = self.mask.shape
        factor = np.array([columns / self.size[0], rows / self.size[1]] * 2, np.float32)
        scaled = boxes * factor
        left, top = np.floor(scaled[:, 0]).astype(int), np.floor(scaled[:, 1]).astype(int)
        right, bottom = np.ceil(scaled[:, 2]).astype(int), np.ceil(scaled[:, 3]).astype(int)
        left, right = np.clip(left, 0, columns), np.clip(right, 0, columns)
        top, bottom = np.clip(top, 0, rows), np.clip(bottom, 0, rows)
        sums = self._sums
        inside = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
        return np.asarray(inside / np.maximum((right - left) * (bottom - top), 1), np.float32)


@dataclass(slots=True)
class _Background:
    """What stands still: mean and mean deviation of every pixel's brightness, mean of its colour (at half the size);
    since when, and until when, it was learnt."""

    level: Floats
    noise: Floats
    colour: Floats | None
    started: float
    time: float


class MotionGate:
    """Background of one camera. Feed it pictures in order of time."""

    def __init__(self, options: MotionOptions | None = None) -> None:
        self.options = options or MotionOptions()
        self._background: _Background | None = None

    def update(self, image: Image, time: float, size: tuple[int, int]) -> Foreground:
        """`image`: small (see `small_size`), uint8, rows x columns of brightness or rows x columns x 3 of YUV, which
        also shows what is as bright as the ground. `time`: seconds. `size`: full width and height."""
        picture, colour = _planes(image)
        known = self._background
        if known is None or known.level.shape != picture.shape or (known.colour is None) != (colour is None):
            return self._restart(picture, colour, time, size, cut=False)
        level = picture * np.float32(_gain(picture, known.level))
        difference = np.abs(level - known.level)
        changed = difference > np.maximum(_NOISE_FLOOR, 4 * known.noise)
        if changed.mean() > _CUT_SHARE:
            return self._restart(picture, colour, time, size, cut=True)
        moved = changed & ~_shadow(level, known.level)
        if colour is not None and known.colour is not None:
            moved |= _recoloured(colour, known.colour, moved.shape)
        mask = _cleaned(moved)
        still, moving = self._rates(known, time)
        rate = np.where(mask, np.float32(moving), np.float32(still))
        known.level += rate * (level - known.level)
        known.noise += np.where(mask, np.float32(0), np.float32(still)) * (difference - known.noise)
        if colour is not None and known.colour is not None:
            known.colour += _half(rate)[..., None] * (colour - known.colour)
        return _foreground(mask, self.options, size, cut=False)

    def _rates(self, known: _Background, time: float) -> tuple[float, float]:
        """Shares by which still and moving pixels are learnt from this picture."""
        elapsed = min(max(time - known.time, 0.0), 1.0)
        known.time = time
        # Right after a start everything is learnt quickly, so that what stood in the first picture fades.
        young = time - known.started < self.options.settle
        moving = elapsed / (self.options.settle * 2 if young else self.options.absorb)
        return min(1.0, elapsed / self.options.settle), moving

    def _restart(
        self, picture: Floats, colour: Floats | None, time: float, size: tuple[int, int], *, cut: bool
    ) -> Foreground:
        self._background = _Background(picture.copy(), np.full_like(picture, 2.0), colour, time, time)
        return _foreground(np.zeros(picture.shape, np.bool_), self.options, size, cut=cut)


def small_size(width: int, height: int, options: MotionOptions | None = None) -> tuple[int, int]:
    """Width and height of the small grey picture for a full picture of this size."""
    wanted = (options or MotionOptions()).width
    scale = min(1.0, wanted / max(width, height))
    return max(2, round(width * scale)), max(2, round(height * scale))


def _planes(image: Image) -> tuple[Floats, Floats | None]:
    """Brightness, softened, and colour (U and V, at half the size) where the picture has it."""
    if image.ndim == 2:
        return np.asarray(cv2.GaussianBlur(image, (3, 3), 0), np.float32), None
    brightness = np.asarray(cv2.GaussianBlur(image[..., 0], (3, 3), 0), np.float32)
    return brightness, _half(np.asarray(image[..., 1:], np.float32))


def _half(plane: Floats) -> Floats:
    rows, columns = plane.shape[:2]
    return np.asarray(cv2.resize(plane, (columns // 2, rows // 2), interpolation=cv2.INTER_AREA), np.float32)


def _recoloured(colour: Floats, known: Floats, shape: tuple[int, ...]) -> Booleans:
    """Where the colour is another than the background's, as a mask of this shape."""
    # What the whole picture does, the camera's white balance did.
    difference = colour - known
    difference -= np.median(difference[::2, ::2], axis=(0, 1))
    changed = (np.abs(difference).max(axis=2) > _COLOUR_FLOOR).astype(np.uint8)
    return np.asarray(cv2.resize(changed, (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST), np.bool_)


def _gain(picture: Floats, background: Floats) -> float:
    """What the camera's exposure changed since the background was learnt, as a factor for `picture`."""
    ratio = (background[::2, ::2] + 4.0) / (picture[::2, ::2] + 4.0)
    return float(np.clip(np.median(ratio), 0.4, 2.5))


def _shadow(level: Floats, background: Floats) -> Booleans:
    """Where the picture is evenly darker than the background: a shadow, or the dark rim that cameras draw around
    what is bright. The ground's own texture shines through, so the ratio hardly varies from pixel to pixel."""
    ratio = (level + 2.0) / (background + 2.0)
    mean = cv2.blur(ratio, (5, 5))
    variance = cv2.blur(ratio * ratio, (5, 5)) - mean * mean
    return np.asarray((mean > 0.5) & (mean < 1.0) & (variance < _SHADOW_VARIANCE), np.bool_)


def _cleaned(raw: Booleans) -> Booleans:
    opened = cv2.morphologyEx(raw.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5)))
    return np.asarray(closed, np.bool_)


def _foreground(mask: Booleans, options: MotionOptions, size: tuple[int, int], *, cut: bool) -> Foreground:
    rows, columns = mask.shape
    share = float(mask.mean())
    blobs = np.empty((0, 4), np.float32)
    if share > 0:
        _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
        stats = stats[1:]
        stats = stats[stats[:, cv2.CC_STAT_AREA] >= max(4, options.smallest * mask.size)]
        left, top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
        right, bottom = left + stats[:, cv2.CC_STAT_WIDTH], top + stats[:, cv2.CC_STAT_HEIGHT]
        factor = np.array([size[0] / columns, size[1] / rows] * 2)
        blobs = (np.stack([left, top, right, bottom], axis=1) * factor).astype(np.float32)
    sums = cv2.integral(mask.astype(np.uint8)).astype(np.float32)
    return Foreground(mask, blobs, share, cut or share >= options.gate, cut, size, sums)
