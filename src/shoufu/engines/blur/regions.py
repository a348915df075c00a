from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..vision.boxes import Detections, Floats, Label, intersection_over_union


@dataclass(frozen=True, slots=True)
class BlurOptions:
    """`threshold`: lowest score of a person that is blurred; low, because a miss costs more than a blurred bush.
    `rate`: pictures a second that are searched. `hold`: seconds that a region stays before its first and after its last
    sighting. `link`: least overlap of one person in two pictures. `cells`: what is left of a head, per side."""

    threshold: float = 0.12
    rate: float = 8.0
    hold: float = 0.8
    link: float = 0.15
    cells: int = 4


@dataclass(frozen=True, slots=True)
class Subject:
    """Who stays sharp: `box` (left, top, right, bottom) in shares of the picture at `time`, seconds of the clip."""

    box: tuple[float, float, float, float]
    time: float = 0.0


@dataclass(slots=True, eq=False)
class Region:
    """One person through the clip: times in seconds, whole boxes N x 4 in pixels; `sharp` is left as it is."""

    times: list[float] = field(default_factory=list)
    boxes: list[Floats] = field(default_factory=list)
    sharp: bool = False

    def at(self, time: float, hold: float) -> Floats | None:
        """The box at a time, between sightings on a straight line; None before and after the hold."""
        if not self.times[0] - hold <= time <= self.times[-1] + hold:
            return None
        columns = np.stack(self.boxes)
        return np.array([np.interp(time, self.times, columns[:, side]) for side in range(4)], np.float32)


def people(found: Detections, threshold: float) -> Floats:
    """Boxes of people."""
    chosen = (found.labels == int(Label.PERSON)) & (found.scores >= threshold)
    return np.asarray(found.boxes[chosen], np.float32)


def heads(boxes: Floats, width: int, height: int) -> Floats:
    """Where the heads of people (N x 4) are: the upper 30 % of an upright box and a tenth above it; of one as wide as
    tall (near the camera, sitting, cut off) the upper 60 %. Clipped to the picture."""
    tall = boxes[:, 3] - boxes[:, 1]
    wide = boxes[:, 2] - boxes[:, 0]
    share = np.where(wide > 0.75 * tall, 0.6, 0.3)
    margin = 0.05 * wide
    found = np.stack(
        [boxes[:, 0] - margin, boxes[:, 1] - 0.1 * tall, boxes[:, 2] + margin, boxes[:, 1] + share * tall], axis=1
    )
    return np.asarray(np.clip(found, 0, np.array([width, height, width, height])), np.float32)


def link(times: Sequence[float], found: Sequence[Floats], options: BlurOptions) -> list[Region]:
    """Boxes of pictures in order of time, joined to people by overlap; a box that fits nobody begins a new one.

    Two people who are taken for one keep both their boxes only while both are seen; so gaps longer than twice the hold
    end a region.
    """
    done: list[Region] = []
    alive: list[Region] = []
    for time, boxes in zip(times, found, strict=True):
        ended = [region for region in alive if time - region.times[-1] > 2 * options.hold]
        done += ended
        alive = [region for region in alive if region not in ended]
        left = list(range(len(boxes)))
        if alive and left:
            overlaps = intersection_over_union(np.stack([region.boxes[-1] for region in alive]), boxes)
            for row, column in _greedy(overlaps, options.link):
                alive[row].times.append(time)
                alive[row].boxes.append(boxes[column])
                left.remove(column)
        alive += [Region([time], [boxes[column]]) for column in left]
    return done + alive


def _greedy(overlaps: Floats, least: float) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    order = np.dstack(np.unravel_index(np.argsort(-overlaps, axis=None), overlaps.shape))[0]
    rows: set[int] = set()
    columns: set[int] = set()
    for row, column in order.tolist():
        if overlaps[row, column] < least:
            break
        if row in rows or column in columns:
            continue
        rows.add(row)
        columns.add(column)
        pairs.append((row, column))
    return pairs


def spare(regions: Sequence[Region], subject: Subject | None, width: int, height: int, hold: float) -> None:
    """Mark the region that fits the subject best as sharp; none where nobody overlaps it by a fifth."""
    if subject is None:
        return
    wanted = np.array([subject.box], np.float32) * np.array([width, height, width, height], np.float32)
    best, chosen = 0.2, None
    for region in regions:
        box = region.at(subject.time, hold)
        if box is not None and (overlap := float(intersection_over_union(box[None], wanted)[0, 0])) >= best:
            best, chosen = overlap, region
    if chosen is not None:
        chosen.sharp = True
