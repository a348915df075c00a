"""Plates in a photo: found, flattened, read by several networks from several crops, voted character by character."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .colour import ColourGuess, ground_colour
from .detect import Floats, Image, PlateDetector, Region
from .finder import Candidate, candidate_rounds, likeness, overlap
from .grammar import Colour
from .recognise import Recogniser
from .rectify import SINGLE_ROW_ASPECT, TWO_ROW_ASPECT, aspect, even_light, flatten, join_rows, raised
from .vote import Ballot, Reading, View

TWO_ROWS_BELOW = 2.6
ENOUGH = 0.72
CLEAR = 0.5
READABLE = 0.15
SAME_OUTLINE = 0.85
ACCEPT = 0.03
HOPELESS = 0.003
FAINT = 0.3
MARGINS = ((0.01, -0.04), (0.04, 0.06), (-0.02, 0.02), (0.08, 0.12))
TWO_ROW_RAISES = (0.13, 0.0, 0.24)
"""The detector, taught on single rows, tends to cut through the upper row: how far its top edge is moved up."""


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
        plates: list[Plate] = []
        tried: list[Region] = []
        for candidates in candidate_rounds(self._detector, image):
            for candidate in candidates:
                region = Region(candidate.outlines[0], candidate.score)
                if any(likeness(region, other) > SAME_OUTLINE for other in tried):
                    continue
                tried.append(region)
                plate = self.read_candidate(image, candidate)
                plates += [] if plate is None else [plate]
            if any(plate.score >= READABLE for plate in plates):
                break
        return _distinct(plates)

    def read_candidate(self, image: Image, candidate: Candidate) -> Plate | None:
        """The plate at a place in the image; None when what is there is not a plate's text."""
        corners = candidate.outlines[0]
        colour = ground_colour(flatten(image, corners, SINGLE_ROW_ASPECT))
        reading = self._read_single_row(image, candidate, colour)
        if reading.score < CLEAR:
            tall = [outline for outline in candidate.outlines if aspect(outline) < TWO_ROWS_BELOW]
            joined = [self._vote(Ballot(colour), _two_row_crops(image, outline)) for outline in tall]
            reading = max([reading, *joined], key=lambda r: r.score)
        if reading.score < ACCEPT:
            return None
        ground = colour.among(reading.form.colours)
        return Plate(reading.text, reading.score, corners, ground, reading.form.name, reading.certainty)

    def _read_single_row(self, image: Image, candidate: Candidate, colour: ColourGuess) -> Reading:
        """Each outline for itself, since one may be quite wrong; then all together and with wider margins."""
        readings: list[Reading] = []
        views: list[View] = []
        for outline in candidate.outlines:
            seen = self._views(_crop(image, outline, MARGINS[0]))
            readings.append(Ballot(colour).add(seen))
            if readings[-1].score >= ENOUGH:
                return readings[-1]
            views += seen
        if all(_settled(reading) for reading in readings):
            return readings[0]
        ballot = Ballot(colour)
        ballot.add(views)
        readings.append(self._vote(ballot, (_crop(image, candidate.outlines[0], m) for m in MARGINS[1:])))
        return max(readings, key=lambda r: r.score)

    def _vote(self, ballot: Ballot, crops: Iterator[Image]) -> Reading:
        """Reads crop after crop until the text is sure, or surely none; at least one crop."""
        reading = ballot.add(self._views(next(crops)))
        for crop in crops:
            if _settled(reading):
                break
            reading = ballot.add(self._views(crop))
        return reading

    def _views(self, crop: Image) -> list[View]:
        seen = [(recogniser, recogniser.frames([crop])) for recogniser in self._recognisers]
        return [View(frames[0], peaks[0], recogniser.known, recogniser.open) for recogniser, (frames, peaks) in seen]


def _settled(reading: Reading) -> bool:
    return reading.score >= ENOUGH or (reading.score < HOPELESS and reading.presence < FAINT)


def _crop(image: Image, outline: Floats, margin: tuple[float, float]) -> Image:
    return even_light(flatten(image, outline, SINGLE_ROW_ASPECT, margin))


def _two_row_crops(image: Image, outline: Floats) -> Iterator[Image]:
    for share in TWO_ROW_RAISES:
        yield even_light(join_rows(flatten(image, raised(outline, share), TWO_ROW_ASPECT, (0.01, 0.0))))


def _distinct(plates: list[Plate]) -> list[Plate]:
    kept: list[Plate] = []
    for plate in sorted(plates, key=lambda p: -p.score):
        region = Region(plate.corners, plate.score)
        if all(overlap(region, Region(other.corners, other.score)) < 0.5 for other in kept):
            kept.append(plate)
    return kept
