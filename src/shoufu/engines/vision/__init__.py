"""Vision: pictures in, people, vehicles and motion out."""

from .boxes import Detection, Detections, Label
from .detector import Detector, DetectorError, DetectorOptions
from .motion import Foreground, MotionGate, MotionOptions, small_size

__all__ = [
    "Detection",
    "Detections",
    "Detector",
    "DetectorError",
    "DetectorOptions",
    "Foreground",
    "Label",
    "MotionGate",
    "MotionOptions",
    "small_size",
]
