"""CenterNet on MobileNetV3 in ONNX Runtime: a picture in, people and vehicles out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from .boxes import Detections, Floats, Image, Label, intersection_over_smaller, intersection_over_union

_CELL = 4
_STRIDE = 32
_PADDING = 114
_SAME_BOX = 0.8

# Classes that one thing is taken for at once: of these only the best of overlapping boxes stays.
_FAMILY = np.array([0, 1, 2, 1, 2, 2])


class DetectorError(Exception):
    """The model cannot be loaded, or a picture is not one."""


@dataclass(frozen=True, slots=True)
class DetectorOptions:
    """`size`: longer side of what the network sees, pixels. `threshold`: lowest score returned. `overlap`: greatest
    intersection over union that two boxes of one family (person; two wheels; four wheels) may have."""

    size: int = 512
    threshold: float = 0.1
    overlap: float = 0.5
    threads: int = 1
    limit: int = 100


class Detector:
    """Finds people and vehicles. One instance a thread; creating one costs about 0.1 s and 60 MB."""

    def __init__(self, model: Path, options: DetectorOptions | None = None) -> None:
        import onnxruntime

        self.options = options or DetectorOptions()
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = self.options.threads
        settings.inter_op_num_threads = 1
        # Planning memory ahead saves no time here and costs 18 MB for every size of picture.
        settings.enable_mem_pattern = False
        # Threads that spin while they wait are worth nothing where other processes want the cores.
        settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
        settings.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(str(model), settings, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime raises its own unrelated types, all derived from Exception only
            raise DetectorError(f"cannot load the detector {model}: {error}") from error

    @property
    def size(self) -> int:
        """Longer side of what the network sees, pixels."""
        return self.options.size

    def detect(self, image: Image) -> Detections:
        """`image`: height x width x 3, uint8, RGB. Boxes in its pixels, best first. Raises `DetectorError`."""
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or min(image.shape) == 0:
            raise DetectorError(f"expected height x width x 3 of uint8, got {image.shape} of {image.dtype}")
        canvas, scale = letterbox(image, self.options.size)
        keypoints, extents = self._session.run(["keypoints", "wh"], {"image": canvas[None]})
        found = decode(keypoints[0], extents[0], self.options.threshold, self.options.limit)
        found = Detections(_clipped(found.boxes / scale, image), found.scores, found.labels)
        return suppress(found, self.options.overlap)


def letterbox(image: Image, size: int) -> tuple[Image, float]:
    """The picture scaled to `size` on its longer side, padded right and below to multiples of 32; and the scale."""
    height, width = image.shape[:2]
    scale = size / max(height, width)
    inner = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
    resized = image if inner == (width, height) else cv2.resize(image, inner, interpolation=method)
    canvas_height, canvas_width = (math.ceil(side / _STRIDE) * _STRIDE for side in (inner[1], inner[0]))
    if (canvas_width, canvas_height) == inner:
        return np.ascontiguousarray(resized, np.uint8), scale
    canvas = np.full((canvas_height, canvas_width, 3), _PADDING, np.uint8)
    canvas[: inner[1], : inner[0]] = resized
    return canvas, scale


def decode(keypoints: Floats, extents: Floats, threshold: float, limit: int) -> Detections:
    """Peaks of the heat maps as boxes in input pixels, best first, at most `limit`.

    `keypoints`: class x rows x columns, 0 to 1. `extents`: 4 x rows x columns, the distances left, top, right and
    bottom from the cell's corner in input pixels. A peak is a cell not lower than its eight neighbours.
    """
    best = np.stack([cv2.dilate(heat, np.ones((3, 3), np.uint8)) for heat in keypoints])
    labels, rows, columns = np.nonzero((keypoints >= threshold) & (keypoints >= best))
    scores = keypoints[labels, rows, columns]
    order = np.argsort(-scores, kind="stable")[:limit]
    labels, rows, columns, scores = labels[order], rows[order], columns[order], scores[order]
    left, top, right, bottom = extents[:, rows, columns]
    x, y = columns * _CELL, rows * _CELL
    boxes = np.stack([x - left, y - top, x + right, y + bottom], axis=1).astype(np.float32)
    return Detections(boxes, scores.astype(np.float32), labels.astype(np.int64))


def suppress(found: Detections, overlap: float) -> Detections:
    """Keep the best of boxes that overlap within a family; a car also found as a truck is one car.

    A rider and the bicycle are of different families and both stay, unless they are the very same box.
    """
    kept: list[int] = []
    overlaps = intersection_over_union(found.boxes, found.boxes)
    nested = intersection_over_smaller(found.boxes, found.boxes)
    families = _FAMILY[found.labels]
    for index in np.argsort(-found.scores, kind="stable").tolist():
        if any(overlaps[index, other] > _SAME_BOX for other in kept):
            continue
        rivals = [other for other in kept if families[other] == families[index]]
        if any(overlaps[index, other] > overlap or nested[index, other] > 0.85 for other in rivals):
            continue
        kept.append(index)
    return found.take(np.array(kept, np.int64))


def _clipped(boxes: Floats, image: Image) -> Floats:
    height, width = image.shape[:2]
    return np.clip(boxes, 0, np.array([width, height, width, height], np.float32)).astype(np.float32)


__all__ = ["Detector", "DetectorError", "DetectorOptions", "Label", "decode", "letterbox", "suppress"]
