"""Tracking: detections and motion in, objects through time, counts, crossings and stays out."""

from .counting import Count, Crossing, Direction, Line, Visit, count, counts, crossings, inside, visits
from .track import Point, State, Track
from .tracker import Tracker, TrackerOptions

__all__ = [
    "Count",
    "Crossing",
    "Direction",
    "Line",
    "Point",
    "State",
    "Track",
    "Tracker",
    "TrackerOptions",
    "Visit",
    "count",
    "counts",
    "crossings",
    "inside",
    "visits",
]
