"""One camera's pipeline: motion gate, detector, tracker. No clock, no network: pictures in, tracks out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from shoufu.engines.tracking import Track, Tracker, TrackerOptions
from shoufu.engines.vision import Detections, Foreground, MotionGate, MotionOptions, small_size

from .costs import Costs
from .video import Image, Picture

_FAST = 2.0


class Finder(Protocol):
    """What finds objects: the detector, or one that several cameras share. `size`: longest side that it looks at."""

    @property
    def size(self) -> int: ...

    def detect(self, image: Image) -> Detections: ...


@dataclass(frozen=True, slots=True)
class PipelineOptions:
    """`rate`: pictures a second that are analysed; of a faster stream whole pictures are skipped. Twice as many are
    while something moves fast for its size. `idle`: seconds between looks of the detector while nothing moves."""

    rate: float = 6.0
    idle: float = 1.0


@dataclass(frozen=True, slots=True)
class Sight:
    """What one analysed picture gave. Boxes are in pixels of the scaled picture, `size` wide and high; `image` is that
    picture in RGB where the detector looked at it."""

    time: float
    size: tuple[int, int]
    image: Image | None
    tracks: list[Track]
    foreground: Foreground
    detections: Detections | None


class Pipeline:
    """State of one camera between pictures. Feed it every picture; it decides itself which to look at."""

    def __init__(self, detector: Finder, costs: Costs | None = None, options: PipelineOptions | None = None) -> None:
        self.costs = costs or Costs()
        self.options = options or PipelineOptions()
        self._detector = detector
        self._gate = MotionGate(MotionOptions())
        self.tracker = Tracker(TrackerOptions())
        self._analysed: float | None = None
        self._looked: float | None = None
        self._hurried = False

    def process(self, picture: Picture) -> Sight | None:
        """None where the picture comes too soon after the last one analysed."""
        if not self.due(picture.time):
            return None
        self._analysed = picture.time
        width, height = scaled_size(picture.frame.width, picture.frame.height, self._detector.size)
        with self.costs.measure("scale"):
            small = picture.yuv(*small_size(width, height))
        with self.costs.measure("motion"):
            foreground = self._gate.update(small, picture.time, (width, height))
        image = self._image(picture, foreground, width, height)
        detections = None
        if image is not None:
            with self.costs.measure("detect"):
                detections = self._detector.detect(image)
        with self.costs.measure("track"):
            tracks = self.tracker.update(picture.time, detections, foreground, image)
        self._hurried = any(track.speed > _FAST for track in self.tracker.tracks)
        return Sight(picture.time, (width, height), image, tracks, foreground, detections)

    def seam(self) -> None:
        """Another piece of footage begins (a loop's start, a stream taken up again): no object goes on across it."""
        self.tracker.finish()
        self.tracker.take_ended()

    def due(self, time: float) -> bool:
        """Whether a picture of this time would be analysed."""
        if self._analysed is None or time < self._analysed:
            return True
        rate = self.options.rate * (2 if self._hurried else 1)
        # A quarter of a period of tolerance: of 12.5 pictures a second every second one is near enough to a rate of 6.
        return time - self._analysed >= 0.75 / rate

    def _image(self, picture: Picture, foreground: Foreground, width: int, height: int) -> Image | None:
        """The picture for the detector, or None where a look would tell nothing new."""
        idle = self._looked is not None and 0 <= picture.time - self._looked < self.options.idle
        if idle and not foreground.active:
            return None
        self._looked = picture.time
        with self.costs.measure("scale"):
            return picture.rgb(width, height)


def scaled_size(width: int, height: int, longest: int) -> tuple[int, int]:
    """Even width and height of a picture scaled to `longest` on its longer side, larger or smaller."""
    scale = longest / max(width, height)
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)
