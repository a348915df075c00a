"""Looking for plates in pictures of any size: streets, close-ups and crops that are nothing but the plate."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from .detect import Floats, Image, PlateDetector, Region
from .rectify import aspect, even_light, warp

COMMON_SIDE = 960
NEAR_SIDE = 320
LARGE_SIDE = 1760
CLOSE_WIDTH = 150.0
CLOSE_CANVAS = (256, 352)
CLOSE_ASPECTS = (1.3, 3.4)
SURE = 0.6
CLEAR = 0.9
LEAST = 0.25
SAME_PLACE = 0.35
GREY = (104.0, 117.0, 123.0)
BRIGHTER = (255 * np.sqrt(np.arange(256) / 255)).astype(np.uint8)
CROP_ASPECTS = (0.9, 8.0)
CROP_PIXELS = 640


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place to read. `outlines`: possible corners of the plate (4×2 each), the most trusted first."""

    score: float
    outlines: tuple[Floats, ...]


def candidate_rounds(detector: PlateDetector, image: Image) -> Iterator[list[Candidate]]:
    """Places in a BGR image of any size that should be read, best first; later rounds, each from a costlier or rarer
    look, are worth asking for only while no plate could be read.
    """
    yield _first_round(detector, image)
    if max(image.shape[:2]) > NEAR_SIDE:
        yield _plain(_placed(detector, image, _look(detector, image, NEAR_SIDE)))
    if max(image.shape[:2]) > NEAR_SIDE * 2:
        # Plates that are missed at first are small, or lie in the dark beside headlights.
        yield _plain(_placed(detector, image, _look(detector, image, LARGE_SIDE, brightened=True)))


def _first_round(detector: PlateDetector, image: Image) -> list[Candidate]:
    """What a look at the common size shows; a picture that may be a crop of one plate is also offered whole."""
    regions = _placed(detector, image, _look(detector, image, COMMON_SIDE))
    if not could_be_crop(image):
        return _plain(regions)
    everything = whole(image)
    if not regions:
        closer = close_up(detector, image, everything)
        regions = [] if closer is None or _share(closer, everything) < 0.3 else [closer]
    candidates = [_candidate(region, everything) for region in regions]
    if all(len(candidate.outlines) == 1 and candidate.score < CLEAR for candidate in candidates):
        candidates.append(Candidate(0.0, (everything.corners,)))
    return candidates


def _plain(regions: list[Region]) -> list[Candidate]:
    return [Candidate(region.score, (region.corners,)) for region in regions]


def _candidate(region: Region, everything: Region) -> Candidate:
    if _share(region, everything) <= 0.4:
        return Candidate(region.score, (region.corners,))
    # Nothing of the plate lies outside its own crop; corners found there are extrapolated.
    inside = np.clip(region.corners, everything.corners[0], everything.corners[2])
    return Candidate(region.score, (inside.astype(np.float32), everything.corners))


def _placed(detector: PlateDetector, image: Image, coarse: list[Region]) -> list[Region]:
    """Regions with their corners from a close second look, best first, one for each place."""
    placed = [_look_closer(detector, image, region) for region in coarse]
    return _merged([region for region in placed if region is not None])


def could_be_crop(image: Image) -> bool:
    """Whether the whole picture may be one plate: small, and wide as plates are."""
    height, width = image.shape[:2]
    return bool(CROP_ASPECTS[0] <= width / height <= CROP_ASPECTS[1]) and max(height, width) <= CROP_PIXELS


def whole(image: Image) -> Region:
    """The whole picture as a region that nobody has found."""
    height, width = image.shape[:2]
    return Region(np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32), 0.0)


def overlap(one: Region, other: Region) -> float:
    """Intersection over the smaller of two upright boxes, 0–1."""
    return _common(one, other) / max(min(_area(one), _area(other)), 1e-6)


def likeness(one: Region, other: Region) -> float:
    """Intersection over union of two upright boxes, 0–1."""
    common = _common(one, other)
    return common / max(_area(one) + _area(other) - common, 1e-6)


def _common(one: Region, other: Region) -> float:
    a, b = one.box, other.box
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return max(0.0, width) * max(0.0, height)


def _area(region: Region) -> float:
    left, top, right, bottom = region.box
    return (right - left) * (bottom - top)


def _share(region: Region, everything: Region) -> float:
    """How much of the picture the region's box covers, 0–1."""
    left, top, right, bottom = region.box
    _, _, width, height = everything.box
    across = min(right, width) - max(left, 0.0)
    down = min(bottom, height) - max(top, 0.0)
    return max(0.0, across) * max(0.0, down) / max(width * height, 1.0)


def _look(detector: PlateDetector, image: Image, side: int, *, brightened: bool = False) -> list[Region]:
    longest = max(image.shape[:2])
    scale = min(side / longest, 3.0)
    # A rim lets the network see a plate that touches the border; its priors expect ground around it.
    rim = 32
    scaled = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    if brightened:
        scaled = cv2.LUT(scaled, BRIGHTER)
    framed = cv2.copyMakeBorder(scaled, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=GREY)
    found = detector.find(np.asarray(framed, dtype=np.uint8), threshold=LEAST)
    return [replace(region, corners=(region.corners - rim) / np.float32(scale)) for region in found]


def _look_closer(detector: PlateDetector, image: Image, region: Region) -> Region | None:
    """The same plate found again at a comfortable size; None when nothing is there on a closer look."""
    closer = close_up(detector, image, region)
    if closer is not None and overlap(closer, region) > 0.5:
        return replace(closer, score=max(closer.score, region.score))
    return region if region.score >= SURE else None


def close_up(detector: PlateDetector, image: Image, region: Region) -> Region | None:
    """The best plate seen around `region` when the view is turned so that the region stands upright at an easy size.

    The network places the corners of upright plates best, so this also straightens what it had only roughly.
    """
    rows, columns = CLOSE_CANVAS
    shape = float(np.clip(aspect(region.corners), *CLOSE_ASPECTS))
    half = np.array([CLOSE_WIDTH / 2, CLOSE_WIDTH / shape / 2])
    target = (np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half + [columns / 2, rows / 2]).astype(np.float32)
    view, turn = warp(image, region.corners, target, (columns, rows), rim=GREY)
    found = detector.find(even_light(view), threshold=LEAST)
    if not found:
        return None
    middle = Region(target, 1.0)
    best = max(found, key=lambda seen: seen.score * overlap(seen, middle))
    back = cv2.perspectiveTransform(best.corners[None].astype(np.float64), np.linalg.inv(turn))[0]
    return Region(back.astype(np.float32), best.score)


def _merged(regions: list[Region]) -> list[Region]:
    """Best first, one for each place; a plate inside a larger region stays, reading will tell which of them is one."""
    kept: list[Region] = []
    for region in sorted(regions, key=lambda r: -r.score):
        if all(likeness(region, other) < SAME_PLACE for other in kept):
            kept.append(region)
    return kept
