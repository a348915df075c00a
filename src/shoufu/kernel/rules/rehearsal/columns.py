"""Rules over frames of columns: what each raises, and the firings made of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from shoufu.engines.cel import Unsupported
from shoufu.kernel.rules.evaluation.reasons import why
from shoufu.kernel.rules.evaluation.rows import SECOND, Firing, Row
from shoufu.kernel.rules.evaluation.rule import CompiledRule
from shoufu.kernel.rules.rehearsal import kernels
from shoufu.kernel.rules.rehearsal.conditions import Columns
from shoufu.kernel.rules.rehearsal.frames import Frame
from shoufu.kernel.rules.rehearsal.result import Bools, Ints, Load, Progress, Run
from shoufu.kernel.rules.rehearsal.vector import ROW_BITS, Raised, VectorRule
from shoufu.kernel.rules.spec import Occupancy


def run_columns(
    rules: Sequence[CompiledRule], frames: Sequence[Load], since: int, until: int, progress: Progress | None
) -> dict[int, Run]:
    """What the rules did, by version; without those that columns cannot run."""
    vectors: dict[int, _VectorRun] = {}
    for rule in rules:
        try:
            vectors[rule.version] = _VectorRun(rule, since, until, frames)
        except Unsupported:
            continue
    _feed(vectors, frames, until, progress)
    return {version: found.result() for version, found in vectors.items()}


def _feed(vectors: dict[int, _VectorRun], frames: Sequence[Load], until: int, progress: Progress | None) -> None:
    """Feed every frame to every rule; a rule that meets a column it cannot use leaves `vectors`."""
    if not vectors:
        return
    for number, load in enumerate(frames):
        frame = load()
        frame.preload(frozenset().union(*(found.vector.conditions.fields for found in vectors.values())))
        columns: dict[str, Columns] = {}
        for version, found in list(vectors.items()):
            zone = found.vector.conditions.zone
            shared = columns.setdefault(zone, Columns(frame, zone))
            try:
                found.feed(frame, number, shared)
            except Unsupported:
                del vectors[version]
        frame.release()
        if progress:
            progress(number + 1, len(frames))
    for found in vectors.values():
        found.finish(until)


class _VectorRun:
    def __init__(self, rule: CompiledRule, since: int, until: int, frames: Sequence[Load]) -> None:
        self.rule = rule
        self.vector = VectorRule(rule, since, until)
        self.since, self.until = since, until
        self.frames = frames
        self.raised: list[Raised] = []
        self.late: list[tuple[Ints, Ints, Ints]] = []
        self.rows = 0

    def feed(self, frame: Frame, number: int, shared: Columns) -> None:
        self.rows += frame.count
        found = self.vector.feed(frame, number, shared)
        if found is not None and len(found):
            self.raised.append(found)
        late = self.vector.late(frame, shared)
        if len(late):
            self.late.append((frame.t[late], self.vector.keys.of(frame, late), (number << ROW_BITS) + late))

    def finish(self, until: int) -> None:
        found = self.vector.finish(until - 1)
        if found is not None and len(found):
            self.raised.append(found)

    def result(self) -> Run:
        t, key, rows, total = self._joined()
        # By key and time, in the order they came: the first of equal ones is the firing.
        order = np.lexsort((np.arange(len(t)), t, key))
        t, key, rows, total = t[order], key[order], rows[order], total[order]
        fresh = np.ones(len(t), np.bool_)
        fresh[1:] = (t[1:] != t[:-1]) | (key[1:] != key[:-1])
        t, key, rows, total = t[fresh], key[fresh], rows[fresh], total[fresh]
        suppressed = self._suppressed(t, key)
        late = np.zeros(len(t), np.bool_)
        if self.late:
            late_t, late_key, late_rows = (np.concatenate(pieces) for pieces in zip(*self.late, strict=True))
            rest = self._late_suppressed(late_t, late_key, t[~suppressed], key[~suppressed])
            t, late = np.concatenate([t, late_t]), np.concatenate([late, np.ones(len(late_t), np.bool_)])
            suppressed = np.concatenate([suppressed, rest])
            padding = np.full((len(late_t), rows.shape[1] - 1), kernels.NONE, np.int64)
            rows = np.concatenate([rows, np.concatenate([late_rows[:, None], padding], axis=1)])
            total = np.concatenate([total, np.zeros(len(late_t), np.int64)])
        counted = np.flatnonzero((t >= self.since) & (t < self.until))
        kept = counted[np.argsort(t[counted], kind="stable")]
        t, rows, total, suppressed, late = t[kept], rows[kept], total[kept], suppressed[kept], late[kept]
        make = _Maker(self.rule, self.frames, t, rows, total, suppressed, late)
        return Run(self.rule, "columns", t, suppressed, late, self.rows, make)

    def _joined(self) -> tuple[Ints, Ints, Ints, Ints]:
        if not self.raised:
            empty = np.zeros(0, np.int64)
            return empty, empty, np.zeros((0, 1), np.int64), empty
        return (
            np.concatenate([found.t for found in self.raised]),
            np.concatenate([found.key for found in self.raised]),
            np.concatenate([found.rows for found in self.raised]),
            np.concatenate([found.total for found in self.raised]),
        )

    def _late_suppressed(self, late_t: Ints, late_key: Ints, t: Ints, key: Ints) -> Bools:
        """Late firings within the cool-down of another; here in the order of time, live in the order of arrival."""
        cooldown = round(self.rule.spec.cooldown * SECOND)
        heard: dict[int, list[int]] = {}
        for one, moment in zip(key.tolist(), t.tolist(), strict=True):
            heard.setdefault(one, []).append(moment)
        found = np.zeros(len(late_t), np.bool_)
        for place in np.argsort(late_t, kind="stable").tolist():
            moment, known = int(late_t[place]), heard.setdefault(int(late_key[place]), [])
            at = bisect_left(known, moment)
            if any(abs(moment - other) < cooldown for other in known[max(0, at - 1) : at + 1]):
                found[place] = True
            else:
                known.insert(at, moment)
        return found

    def _suppressed(self, t: Ints, key: Ints) -> Bools:
        cooldown = round(self.rule.spec.cooldown * SECOND)
        if not cooldown:
            return np.zeros(len(t), np.bool_)
        last = kernels.filled(self.vector.keys.size, kernels.LONG_AGO)
        return kernels.suppress(t, key, cooldown, last)


@dataclass
class _Maker:
    """Makes firings of columns: reads the rows that they name, and explains them."""

    rule: CompiledRule
    frames: Sequence[Load]
    t: Ints
    rows: Ints
    total: Ints
    suppressed: Bools
    late: Bools

    def __call__(self, indices: Sequence[int]) -> list[Firing]:
        chosen = np.asarray(list(indices), np.int64)
        wanted = np.unique(self.rows[chosen])
        rows = dict(self._read(wanted[wanted >= 0]))
        return [self._firing(index, rows) for index in chosen.tolist()]

    def _read(self, wanted: Ints) -> Iterator[tuple[int, tuple[int, Row]]]:
        for number in np.unique(wanted >> ROW_BITS).tolist():
            frame = self.frames[number]()
            base = number << ROW_BITS
            places = wanted[(wanted >> ROW_BITS) == number] - base
            for place, found in frame.rows(places).items():
                yield base + place, found
            frame.release()

    def _firing(self, index: int, rows: dict[int, tuple[int, Row]]) -> Firing:
        seen = [rows[row] for row in self.rows[index].tolist() if row >= 0]
        trigger, t = seen[-1][1], int(self.t[index])
        occupancy = isinstance(self.rule.spec.pattern, Occupancy)
        total = int(self.total[index]) if occupancy else None
        return Firing(
            version=self.rule.version,
            key=self.rule.key_text(trigger),
            t=t,
            place=trigger.place_id,
            device=trigger.device_id,
            observations=tuple(row.id for _, row in seen),
            why=why(self.rule, t, trigger, [time for time, _ in seen], total),
            suppressed=bool(self.suppressed[index]),
            late=bool(self.late[index]),
        )
