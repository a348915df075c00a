"""Detections and motion into tracks: two-stage association, motion prediction, foreground support, re-linking."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..vision.boxes import Detections, Floats, Image, Label, area, intersection_over_smaller, intersection_over_union
from ..vision.motion import Foreground
from .appearance import Descriptor, describe, likeness
from .association import match, widened
from .kalman import BoxFilter
from .track import State, Track

_INSTANT = 1e-6
_YOUTH = 1.5
_OVERLAP = 0.3
_BLOB_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class TrackerOptions:
    """Scores are 0 to 1, times in seconds, movement in an object's own sizes.

    `sure`: score that stands by itself. `faint`: lowest score that may carry a track on. `patience`: how long an
    object may be out of sight. `gap`: how long it is still drawn where it is predicted. `evidence`: sum of scores and
    `hits` and `conviction` (best score) that make a track believed. `likeness`: least resemblance (0 to 1) by which an
    object is recognised. `keep`: points of the path that stay.
    """

    sure: float = 0.35
    faint: float = 0.1
    start: float = 0.4
    patience: float = 4.0
    gap: float = 0.5
    evidence: float = 0.9
    conviction: float = 0.28
    hits: int = 3
    likeness: float = 0.5
    keep: int = 4000


@dataclass(slots=True)
class _Candidate:
    box: Floats
    score: float
    label: Label | None
    support: float
    descriptor: Descriptor | None


class Tracker:
    """Tracks of one camera. Feed it pictures in order of time; not to be shared between threads."""

    def __init__(self, options: TrackerOptions | None = None) -> None:
        self.options = options or TrackerOptions()
        self.tracks: list[Track] = []
        self.ended: list[Track] = []
        self._time: float | None = None
        self._next = 1

    def update(
        self, time: float, detections: Detections | None, foreground: Foreground, image: Image | None = None
    ) -> list[Track]:
        """Take in one picture; the tracks believed and seen now (the objects themselves, not copies).

        `detections` None: the detector did not look, the objects are carried on by what moves.
        `image` (RGB, same pixels as the boxes) lets an object be recognised after an occlusion.
        """
        if foreground.cut:
            self.finish()
        elapsed = 0.0 if self._time is None else max(0.0, time - self._time)
        self._time = time
        if detections is None and not foreground.active:
            return self._rest(time, elapsed, foreground)
        for track in self.tracks:
            track.filter.predict(elapsed, blind=track.seen < time - elapsed - _INSTANT)
        candidates = self._candidates(detections or Detections.empty(), foreground)
        self._associate(time, candidates, foreground, image, looked=detections is not None)
        self._merge_twins()
        self._retire(time, foreground)
        return [track for track in self.tracks if track.state is State.ACTIVE]

    def _rest(self, time: float, elapsed: float, foreground: Foreground) -> list[Track]:
        """Nothing moves and the detector did not look: what was in sight still is, what was not stays hidden."""
        for track in self.tracks:
            if track.seen >= time - elapsed - _INSTANT:
                track.seen = time
        self._retire(time, foreground)
        return [track for track in self.tracks if track.state is State.ACTIVE]

    def take_ended(self) -> list[Track]:
        """Believed tracks that ended since the last call; they are forgotten here."""
        ended, self.ended = self.ended, []
        return ended

    def finish(self) -> list[Track]:
        """End every track (the footage is over, or another shot begins); all believed tracks so far."""
        for track in self.tracks:
            track.state = State.ENDED
        self.ended += [track for track in self.tracks if track.confirmed]
        self.tracks = []
        return self.ended

    def _candidates(self, detections: Detections, foreground: Foreground) -> list[_Candidate]:
        wanted = detections.take(detections.scores >= self.options.faint)
        support = foreground.cover(wanted.boxes)
        return [
            _Candidate(wanted.boxes[index], float(wanted.scores[index]), Label(int(wanted.labels[index])), cover, None)
            for index, cover in enumerate(support.tolist())
        ]

    def _associate(
        self, time: float, candidates: list[_Candidate], foreground: Foreground, image: Image | None, *, looked: bool
    ) -> None:
        options = self.options
        near = [track for track in self.tracks if track.state is not State.LOST]
        lost = [track for track in self.tracks if track.state is State.LOST]
        sure = [candidate for candidate in candidates if candidate.score >= options.sure]
        faint = [candidate for candidate in candidates if candidate.score < options.sure]
        near, sure = self._pair(time, near, sure, image, least=0.25, widen=0.15)
        near, faint = self._pair(time, near, faint, image, least=0.3, widen=0.1)
        lost, sure = self._pair(time, lost, sure, image, least=0.3, widen=0.1)
        near = self._follow_blobs(time, near, foreground)
        sure = self._recognise(time, near + lost, sure, image)
        if looked:
            self._start(time, sure, [c for c in faint if c.support > 0.4], image)
        self._start_from_blobs(time, foreground)
        self._link(time)

    def _pair(
        self,
        time: float,
        tracks: list[Track],
        candidates: list[_Candidate],
        image: Image | None,
        *,
        least: float,
        widen: float,
    ) -> tuple[list[Track], list[_Candidate]]:
        """Give candidates to the tracks that they overlap best; the tracks and candidates left over."""
        if not tracks or not candidates:
            return tracks, candidates
        boxes = np.stack([candidate.box for candidate in candidates])
        scores = intersection_over_union(widened(_boxes(tracks), widen), widened(boxes, widen))
        for row, track in enumerate(tracks):
            for column, candidate in enumerate(candidates):
                scores[row, column] *= _agreement(track, candidate)
        pairs, rows, columns = match(scores, least)
        for row, column in pairs:
            self._take(time, tracks[row], candidates[column], image)
        return [tracks[row] for row in rows], [candidates[column] for column in columns]

    def _take(self, time: float, track: Track, candidate: _Candidate, image: Image | None) -> None:
        options = self.options
        track.filter.correct(candidate.box.astype(np.float64), trust=1.0 if candidate.score >= options.sure else 0.7)
        track.hits += 1
        track.support += candidate.support
        if candidate.label is not None:
            track.votes[candidate.label] += candidate.score
            track.best = max(track.best, candidate.score)
        if image is not None and candidate.score >= options.sure:
            seen = candidate.descriptor if candidate.descriptor is not None else describe(image, candidate.box)
            known = track.descriptor.any()
            track.descriptor = 0.9 * track.descriptor + 0.1 * seen if known else seen
        self._saw(time, track)

    def _saw(self, time: float, track: Track) -> None:
        options = self.options
        track.seen = time
        track.steps += 1
        track.place(time, options.keep)
        if not track.confirmed:
            track.confirmed = (
                track.hits >= options.hits and track.evidence >= options.evidence and track.best >= options.conviction
            )
        track.state = State.ACTIVE if track.confirmed else State.TENTATIVE

    def _follow_blobs(self, time: float, tracks: list[Track], foreground: Foreground) -> list[Track]:
        """Tracks without a detection go with the moving blob that is all theirs; the tracks left over."""
        if not tracks or not len(foreground.blobs):
            return tracks
        taken = [track for track in self.tracks if track.seen >= time]
        blobs = foreground.blobs
        if taken:
            explained = intersection_over_smaller(blobs, _boxes(taken)).max(axis=1)
            blobs = blobs[explained < 0.5]
        if not len(blobs):
            return tracks
        scores = intersection_over_union(_boxes(tracks), blobs)
        pairs, rows, _ = match(scores, 0.35)
        for row, column in pairs:
            tracks[row].filter.correct(blobs[column].astype(np.float64), trust=0.5)
            self._saw(time, tracks[row])
        return [tracks[row] for row in rows]

    def _recognise(
        self, time: float, lost: list[Track], candidates: list[_Candidate], image: Image | None
    ) -> list[_Candidate]:
        """Objects that come out of an occlusion: like before, of a like size, where they can have got to."""
        lost = [track for track in lost if track.confirmed and not track.bordered]
        if not lost or not candidates or image is None:
            return candidates
        scores = np.zeros((len(lost), len(candidates)), np.float32)
        for column, candidate in enumerate(candidates):
            candidate.descriptor = describe(image, candidate.box)
            for row, track in enumerate(lost):
                if _agreement(track, candidate) == 1:
                    scores[row, column] = _resemblance(track, candidate.box, candidate.descriptor, time)
        pairs, _, columns = match(scores, self.options.likeness)
        for row, column in pairs:
            track, candidate = lost[row], candidates[column]
            track.filter = BoxFilter(candidate.box.astype(np.float64))
            self._take(time, track, candidate, image)
        return [candidates[column] for column in columns]

    def _link(self, time: float) -> None:
        """A young track that is an old one come out of hiding, seen too faintly at first to be recognised."""
        young = [t for t in self.tracks if t.confirmed and t.seen >= time and time - t.started <= _YOUTH]
        hidden = [t for t in self.tracks if t.confirmed and t.seen < time and not t.bordered]
        if not young or not hidden:
            return
        scores = np.zeros((len(hidden), len(young)), np.float32)
        for row, old in enumerate(hidden):
            for column, new in enumerate(young):
                if old.seen <= new.started + _OVERLAP and old.label.is_vehicle == new.label.is_vehicle:
                    scores[row, column] = _resemblance(old, _boxes([new])[0], new.descriptor, time)
        for row, column in match(scores, self.options.likeness)[0]:
            hidden[row].absorb(young[column])
            self.tracks.remove(young[column])

    def _start(self, time: float, sure: list[_Candidate], faint: list[_Candidate], image: Image | None) -> None:
        """New tracks for what no track explains."""
        for candidate in [c for c in sure if c.score >= self.options.start or c.support > 0.2] + faint:
            rivals = [track for track in self.tracks if track.seen >= time and _agreement(track, candidate) == 1]
            if rivals:
                boxes = _boxes(rivals)
                overlap = intersection_over_union(candidate.box[None], boxes).max()
                nested = intersection_over_smaller(candidate.box[None], boxes).max()
                if overlap > 0.4 or nested > (0.75 if candidate.score < self.options.sure else 0.9):
                    continue
            track = Track(self._next, BoxFilter(candidate.box.astype(np.float64)), time, time)
            self._next += 1
            self.tracks.append(track)
            self._take(time, track, candidate, image)

    def _start_from_blobs(self, time: float, foreground: Foreground) -> None:
        """Something large moves that the detector does not know yet: follow it, so that its way is known if it ever
        says what it is (cars from above are recognised only now and then)."""
        least = _BLOB_SHARE * foreground.size[0] * foreground.size[1]
        blobs = foreground.blobs[area(foreground.blobs) >= least]
        if len(blobs) and self.tracks:
            blobs = blobs[intersection_over_smaller(blobs, _boxes(self.tracks)).max(axis=1) < 0.3]
        for blob in blobs:
            track = Track(self._next, BoxFilter(blob.astype(np.float64)), time, time)
            self._next += 1
            self.tracks.append(track)
            self._saw(time, track)

    def _merge_twins(self) -> None:
        """Of two tracks on one object the one with less behind it goes."""
        live = [track for track in self.tracks if track.state in {State.ACTIVE, State.TENTATIVE}]
        if len(live) < 2:
            return
        boxes = _boxes(live)
        overlaps = intersection_over_union(boxes, boxes)
        for first, second in zip(*np.nonzero(np.triu(overlaps > 0.7, 1)), strict=True):
            one, other = live[first], live[second]
            if State.ENDED in (one.state, other.state) or one.label.is_vehicle != other.label.is_vehicle:
                continue
            weaker = min(one, other, key=lambda track: (track.confirmed, track.hits))
            weaker.state, weaker.confirmed = State.ENDED, False

    def _retire(self, time: float, foreground: Foreground) -> None:
        options = self.options
        width, height = foreground.size
        kept = []
        for track in self.tracks:
            if track.state is State.ENDED:
                continue
            silent = time - track.seen
            limit = options.patience if track.confirmed else options.gap
            if silent > options.gap and track.confirmed:
                track.state = State.LOST
            if silent > 0:
                left, top, right, bottom = track.box
                margin = 0.1 * track.filter.size
                outside = left < margin or top < margin or right > width - margin or bottom > height - margin
                track.bordered = outside
            if silent > (min(limit, 1.0) if track.bordered else limit):
                track.state = State.ENDED
                if track.confirmed:
                    self.ended.append(track)
                continue
            kept.append(track)
        self.tracks = kept


def _boxes(tracks: list[Track]) -> Floats:
    return np.stack([track.filter.box for track in tracks]).astype(np.float32)


def _resemblance(track: Track, box: Floats, descriptor: Descriptor, time: float) -> float:
    """How likely (0 to 1) a hidden track is what is seen in `box` now: its colours, its size, its way."""
    # Going behind something cuts a box down at one side: go by the usual size, and by the nearer of head and middle.
    size = track.typical
    found = float(np.sqrt(max((box[2] - box[0]) * (box[3] - box[1]), 1.0)))
    if not 0.6 < found / size < 1.7:
        return 0.0
    hidden = track.filter.box
    sideways = (hidden[0] + hidden[2] - box[0] - box[2]) / 2
    middle, head = (hidden[1] + hidden[3] - box[1] - box[3]) / 2, hidden[1] - box[1]
    distance = float(np.hypot(sideways, min(abs(middle), abs(head)))) / size
    if distance > 1.0 + 1.0 * (time - track.seen):
        return 0.0
    return likeness(track.descriptor, descriptor) * (1.0 - 0.05 * distance)


def _agreement(track: Track, candidate: _Candidate) -> float:
    """1 where both are persons or both vehicles, or one is not known yet; less the surer the contradiction is."""
    if candidate.label is None or track.evidence < 0.3 or track.label.is_vehicle == candidate.label.is_vehicle:
        return 1.0
    return 0.4 if candidate.score >= 0.35 and track.best >= 0.35 else 0.8
