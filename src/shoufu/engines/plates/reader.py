"""Plates in a photo: found, flattened, read by several networks from several crops, and voted character by character."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .colour import ground_colour
from .detect import Floats, Image, PlateDetector, Region
from .finder import Candidate, find_candidates, overlap
from .grammar import Colour
from .recognise import Recogniser
from .rectify import SINGLE_ROW_ASPECT, TWO_ROW_ASPECT, aspect, even_light, flatten, join_rows
from .vote import Ballot, Reading, View

TWO_ROW_BELOW = 2.75
ENOUGH = 0.8
ACCEPT = 0.12
HOPELESS = 0.04
FAINT = 0.3
MARGINS = ((0.01, -0.04), (0.04, 0.06), (-0.02, 0.02), (0.08, 0.12))


@dataclass(frozen=True, slots=True)
class Plate:
    """A plate that was read.

    `text`: canonical characters without separators. `score`: 0–1, how sure the whole text is.
    `corners`: float32 4×2, pixels [x, y] of the image, clockwise from the plate's top left.
    `certainty`: one probability per character. `form`: name in `grammar.FORMS`.
    """

    text: str
    score: float
    corners: Floats
    colour: Colour
    form: str
    certainty: tuple[float, ...]


class PlateReader:
    """Finds and reads plates; holds the networks, so make one and keep it. May be shared between threads."""

    def __init__(self, detector: PlateDetector, recognisers: Sequence[Recogniser]) -> None:
        if not recognisers:
            raise ValueError("PlateReader needs at least one recogniser.")
        self._detector = detector
        self._recognisers = tuple(recognisers)

    def read(self, image: Image) -> list[Plate]:
        """Plates in a BGR uint8 image (H×W×3), best first; empty when there is none that can be read."""
        read = [self.read_candidate(image, candidate) for candidate in find_candidates(self._detector, image)]
        return _distinct([plate for plate in read if plate is not None])

    def read_candidate(self, image: Image, candidate: Candidate) -> Plate | None:
        """The plate at a place in the image; None when what is there is not a plate's text."""
        corners = candidate.outlines[0]
        ballot = Ballot(colour := ground_colour(flatten(image, corners, SINGLE_ROW_ASPECT)))
        reading: Reading | None = None
        for crop in _crops(image, candidate):
            reading = ballot.add([self._view(recogniser, crop) for recogniser in self._recognisers])
            if reading.score >= ENOUGH or (reading.score < HOPELESS and reading.presence < FAINT):
                break
        if reading is None or reading.score < ACCEPT:
            return None
        return Plate(reading.text, reading.score, corners, colour.colour, reading.form.name, reading.certainty)

    def _view(self, recogniser: Recogniser, crop: Image) -> View:
        frames, peaks = recogniser.frames([crop])
        return View(frames[0], peaks[0], recogniser.habits, recogniser.open)


def _crops(image: Image, candidate: Candidate) -> Iterator[Image]:
    """Flat pictures of the plate, the most promising first."""
    for turn, margin in enumerate(MARGINS):
        for outline in candidate.outlines if turn == 0 else candidate.outlines[:1]:
            yield even_light(flatten(image, outline, SINGLE_ROW_ASPECT, margin))
            if aspect(outline) < TWO_ROW_BELOW:
                yield even_light(join_rows(flatten(image, outline, TWO_ROW_ASPECT, margin)))


def _distinct(plates: list[Plate]) -> list[Plate]:
    kept: list[Plate] = []
    for plate in sorted(plates, key=lambda p: -p.score):
        region = Region(plate.corners, plate.score)
        if all(overlap(region, Region(other.corners, other.score)) < 0.5 for other in kept):
            kept.append(plate)
    return kept
