"""One rule over frames of columns: conditions by NumPy, state by the kernels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoufu.engines.cel import Unsupported
from shoufu.kernel.rules.evaluation.patterns.occupancy import MOST
from shoufu.kernel.rules.evaluation.rows import SECOND
from shoufu.kernel.rules.evaluation.rule import CompiledRule
from shoufu.kernel.rules.rehearsal import kernels
from shoufu.kernel.rules.rehearsal.conditions import Columns, Conditions
from shoufu.kernel.rules.rehearsal.frames import Frame
from shoufu.kernel.rules.rehearsal.keys import KeyTable, grown
from shoufu.kernel.rules.rehearsal.result import Bools, Ints
from shoufu.kernel.rules.spec import Absence, Count, Dwell, Match, Occupancy, Sequence, Threshold
from shoufu.kernel.rules.spec.checking import DAY

ROW_BITS = 40
"""A row's number in a rehearsal: the frame's number above these bits, its place in the frame below."""
MOST_RING = 20_000_000


@dataclass(frozen=True)
class Raised:
    """Firings as columns: time, dense key, the rows that made each (2-D, oldest first), the sum of occupancy rules."""

    t: Ints
    key: Ints
    rows: Ints
    total: Ints

    def __len__(self) -> int:
        return len(self.t)


def raised(t: Ints, key: Ints, rows: Ints, count: int, total: Ints | None = None) -> Raised:
    """The first `count` of what a kernel wrote."""
    kept = rows[:count, None] if rows.ndim == 1 else rows[:count]
    sums = np.zeros(count, np.int64) if total is None else total[:count].copy()
    return Raised(t[:count].copy(), key[:count].copy(), kept.copy(), sums)


@dataclass(frozen=True)
class Opening:
    """The schedule as arrays for the kernels."""

    scheduled: bool
    opens: Ints
    closes: Ints

    def mask(self, t: Ints) -> Bools:
        if not self.scheduled:
            return np.ones(len(t), np.bool_)
        at = np.searchsorted(self.opens, t, side="right") - 1
        found: Bools = (at >= 0) & (t < self.closes[np.maximum(at, 0)])
        return found


def opening(rule: CompiledRule, zone: str, since: int, until: int) -> Opening:
    """Every span of the schedule that rows and deadlines between the two times can meet."""
    if rule.spec.schedule is None:
        return Opening(False, np.zeros(1, np.int64), np.zeros(1, np.int64))
    place = min(rule.scope, default=None)
    if place is None:
        return Opening(True, np.full(1, 1 << 62, np.int64), np.full(1, 1 << 62, np.int64))
    calendar = rule.calendar(place)
    assert calendar is not None
    opens, closes = calendar.spans(since, until + rule.forget)
    return Opening(True, np.array(opens, np.int64), np.array(closes, np.int64))


class VectorRule:
    """A rule that takes frames in the order of time and gives its firings as columns."""

    def __init__(self, rule: CompiledRule, since: int, until: int) -> None:
        self.rule = rule
        self.conditions = Conditions.of(rule)
        self.keys = KeyTable(rule.spec.key)
        earliest = since - round((rule.spec.span + 2 * DAY) * SECOND)
        self.opening = opening(rule, self.conditions.zone, earliest, until)
        self.scope = np.array(sorted(rule.scope), np.int64)
        self.pattern = PATTERNS[type(rule.spec.pattern)](self)

    def feed(self, frame: Frame, number: int, shared: Columns | None = None) -> Raised | None:
        """Take the next frame. `shared` are columns already made of it, where several rules read the same frame."""
        if not frame.count:
            return None
        columns = shared or Columns(frame, self.conditions.zone)
        applies = in_scope(frame.place, self.scope) & ~frame.late
        return self.pattern.feed(frame, columns, applies, number << ROW_BITS)

    def finish(self, until: int) -> Raised | None:
        """Let every deadline up to `until` happen."""
        return self.pattern.finish(until)

    def late(self, frame: Frame, shared: Columns | None = None) -> Ints:
        """Places in the frame of late rows that the rule still sees."""
        if not isinstance(self.rule.spec.pattern, Match) or not frame.late.any():
            return np.zeros(0, np.int64)
        columns = shared or Columns(frame, self.conditions.zone)
        applies = in_scope(frame.place, self.scope) & frame.late
        return np.flatnonzero(applies & self.conditions.mask("/where", columns) & self.opening.mask(frame.t))


def in_scope(place: Ints, scope: Ints) -> Bools:
    """Which rows lie in the scope (sorted place ids)."""
    if not len(scope):
        return np.zeros(len(place), np.bool_)
    top = int(scope[-1]) + 1
    if top <= 10_000_000:
        table = np.zeros(top + 1, np.bool_)
        table[scope] = True
        found: Bools = table[np.minimum(place, top)]
        return found
    return np.isin(place, scope)


class Pattern:
    """A pattern over columns: state arrays by dense key."""

    def __init__(self, owner: VectorRule) -> None:
        self.owner = owner
        self.rule = owner.rule
        self.conditions = owner.conditions

    def feed(self, frame: Frame, columns: Columns, applies: Bools, base: int) -> Raised | None:
        raise NotImplementedError

    def finish(self, until: int) -> Raised | None:
        return None

    def matching(self, frame: Frame, columns: Columns, applies: Bools) -> tuple[Ints, Ints, Ints]:
        """Time, dense key and place in the frame of the rows that match."""
        chosen = np.flatnonzero(applies & self.conditions.mask("/where", columns))
        return frame.t[chosen], self.owner.keys.of(frame, chosen), chosen


class MatchPattern(Pattern):
    def feed(self, frame: Frame, columns: Columns, applies: Bools, base: int) -> Raised | None:
        where = self.conditions.mask("/where", columns) & applies & self.owner.opening.mask(frame.t)
        chosen = np.flatnonzero(where)
        return raised(frame.t[chosen], self.owner.keys.of(frame, chosen), base + chosen, len(chosen))


class DeadlinePattern(Pattern):
    """What keeps a deadline and the row it started with, by key."""

    idle = kernels.NONE

    def __init__(self, owner: VectorRule) -> None:
        super().__init__(owner)
        self.deadline = kernels.filled(0, self.idle)
        self.origin = kernels.filled(0, kernels.NONE)

    def grow(self) -> int:
        size = self.owner.keys.size
        self.deadline = grown(self.deadline, size, self.idle)
        self.origin = grown(self.origin, size, kernels.NONE)
        return size

    def finish(self, until: int) -> Raised | None:
        out_t, out_key, out_row = (np.empty(len(self.deadline), np.int64) for _ in range(3))
        made = kernels.flush(until, self.deadline, self.origin, out_t, out_key, out_row)
        return self._flushed(out_t, out_key, out_row, made)

    def _flushed(self, t: Ints, key: Ints, row: Ints, made: int) -> Raised:
        return raised(t, key, row, made)


class HoldPattern(DeadlinePattern):
    def __init__(self, owner: VectorRule) -> None:
        super().__init__(owner)
        pattern = owner.rule.spec.pattern
        assert isinstance(pattern, Threshold | Dwell)
        self.span = round(pattern.hold * SECOND)
        clear = pattern.clear if isinstance(pattern, Threshold) else pattern.until
        pointer = "/pattern/clear" if isinstance(pattern, Threshold) else "/pattern/until"
        self.clear = pointer if clear is not None else None
        self.seen = kernels.filled(0, 0)

    def feed(self, frame: Frame, columns: Columns, applies: Bools, base: int) -> Raised | None:
        matches = self.conditions.mask("/where", columns) & applies
        clears = applies & ~matches if self.clear is None else self.conditions.mask(self.clear, columns) & applies
        chosen = np.flatnonzero(matches | clears)
        key = self.owner.keys.of(frame, chosen)
        size = self.grow()
        self.seen = grown(self.seen, size, 0)
        out_t, out_key, out_row = (np.empty(2 * len(chosen), np.int64) for _ in range(3))
        opening = self.owner.opening
        made = kernels.hold(
            frame.t[chosen], key, base + chosen, matches[chosen], clears[chosen], self.span, self.rule.forget,
            opening.scheduled, opening.opens, opening.closes, self.deadline, self.seen, self.origin,
            out_t, out_key, out_row,
        )  # fmt: skip
        return raised(out_t, out_key, out_row, made)


class AbsencePattern(DeadlinePattern):
    def __init__(self, owner: VectorRule) -> None:
        super().__init__(owner)
        pattern = owner.rule.spec.pattern
        assert isinstance(pattern, Absence)
        self.after = round(pattern.after * SECOND)

    def feed(self, frame: Frame, columns: Columns, applies: Bools, base: int) -> Raised | None:
        t, key, chosen = self.matching(frame, columns, applies)
        self.grow()
        out_t, out_key, out_row = (np.empty(len(t), np.int64) for _ in range(3))
        opening = self.owner.opening
        made = kernels.absence(
            t, key, base + chosen, self.after, opening.scheduled, opening.opens, opening.closes,
            self.deadline, self.origin, out_t, out_key, out_row,
        )  # fmt: skip
        return raised(out_t, out_key, out_row, made)


class CountPattern(Pattern):
    def __init__(self, owner: VectorRule) -> None:
        super().__init__(owner)
        pattern = owner.rule.spec.pattern
        assert isinstance(pattern, Count)
        self.n = pattern.n
        self.window = round(pattern.window * SECOND)
        self.ring_t = kernels.filled((0, self.n), 0)
        self.ring_row = kernels.filled((0, self.n), 0)
        self.length = kernels.filled(0, 0)

    def feed(self, frame: Frame, columns: Columns, applies: Bools, base: int) -> Raised | None:
        t, key, chosen = self.matching(frame, columns, applies)
        size = self.owner.keys.size
        if size * self.n > MOST_RING:
            raise Unsupported(f"{size} keys with {self.n} rows each are too many for columns")
        self.ring_t, self.ring_row = grown(self.ring_t, size, 0), grown(self.ring_row, size, 0)
        self.length = grown(self.length, size, 0)
        most = len(t) // self.n + size + 1
        out_t, out_key, out_rows = (
            np.empty(most, np.int64), np.empty(most, np.int64), np.empty((most, self.n), np.int64),
        )  # fmt: skip
        opening = self.owner.opening
        made = kernels.count(
            t, key, base + chosen, self.n, self.window, opening.scheduled, opening.opens, opening.closes,
            self.ring_t, self.ring_row, self.length, out_t, out_key, out_rows,
        )  # fmt: skip
        return raised(out_t, out_key, out_rows, made)


class SequencePattern(Pattern):
    def __init__(self, owner: VectorRule) -> None:
        super().__init__(owner)
        pattern = owner.rule.spec.pattern
        assert isinstance(pattern, Sequence)
        self.steps = len(pattern.steps)
        self.window = round(pattern.window * SECOND)
        self.has_unless = pattern.unless is not None
        self.start = kernels.filled((0, self.steps), kernels.LONG_AGO)
        self.chain = kernels.filled((0, self.steps, self.steps), kernels.NONE)
        self.unless = kernels.filled(0, kernels.LONG_AGO)

    def feed(self, frame: Frame, columns: Columns, applies: Bools, base: int) -> Raised | None:
        applies = applies & self.conditions.mask("/where", columns)
        hits = np.stack([self.conditions.mask(f"/pattern/steps/{step}", columns) for step in range(self.steps)], axis=1)
        excused = np.zeros(frame.count, np.bool_)
        if self.has_unless:
            excused = self.conditions.mask("/pattern/unless", columns)
        chosen = np.flatnonzero(applies & (hits.any(axis=1) | excused))
        key = self.owner.keys.of(frame, chosen)
        size = self.owner.keys.size
        self.start = grown(self.start, size, kernels.LONG_AGO)
        self.chain = grown(self.chain, size, kernels.NONE)
        self.unless = grown(self.unless, size, kernels.LONG_AGO)
        out_t, out_key = np.empty(len(chosen), np.int64), np.empty(len(chosen), np.int64)
        out_rows = np.empty((len(chosen), self.steps), np.int64)
        opening = self.owner.opening
        made = kernels.sequence(
            frame.t[chosen], key, base + chosen, hits[chosen], excused[chosen], self.window,
            opening.scheduled, opening.opens, opening.closes, self.start, self.chain, self.unless,
            out_t, out_key, out_rows,
        )  # fmt: skip
        return raised(out_t, out_key, out_rows, made)


class OccupancyPattern(DeadlinePattern):
    idle = kernels.FIRED

    def __init__(self, owner: VectorRule) -> None:
        super().__init__(owner)
        pattern = owner.rule.spec.pattern
        assert isinstance(pattern, Occupancy)
        self.limit = pattern.limit
        self.total, self.seen, self.peak = (kernels.filled(0, 0) for _ in range(3))

    def _flushed(self, t: Ints, key: Ints, row: Ints, made: int) -> Raised:
        return raised(t, key, row, made, self.peak[key[:made]])

    def feed(self, frame: Frame, columns: Columns, applies: Bools, base: int) -> Raised | None:
        delta, present = self.conditions.values("/pattern/delta", columns)
        chosen = np.flatnonzero(applies & present & self.conditions.mask("/where", columns))
        key = self.owner.keys.of(frame, chosen)
        size = self.grow()
        self.total, self.seen, self.peak = (grown(found, size, 0) for found in (self.total, self.seen, self.peak))
        out_t, out_key, out_row, out_peak = (np.empty(2 * len(chosen), np.int64) for _ in range(4))
        opening = self.owner.opening
        made = kernels.occupancy(
            frame.t[chosen], key, base + chosen, delta[chosen], self.limit, MOST, self.rule.forget,
            opening.scheduled, opening.opens, opening.closes,
            self.total, self.seen, self.deadline, self.origin, self.peak, out_t, out_key, out_row, out_peak,
        )  # fmt: skip
        return raised(out_t, out_key, out_row, made, out_peak)


PATTERNS: dict[type, type[Pattern]] = {
    Match: MatchPattern,
    Threshold: HoldPattern,
    Dwell: HoldPattern,
    Absence: AbsencePattern,
    Count: CountPattern,
    Sequence: SequencePattern,
    Occupancy: OccupancyPattern,
}
