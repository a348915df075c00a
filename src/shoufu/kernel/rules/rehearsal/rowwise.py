"""One rule over frames row by row, by the machine that runs it live."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop

import numpy as np

from shoufu.kernel.rules.evaluation.patterns import Heap, MatchMachine, machine
from shoufu.kernel.rules.evaluation.rows import Firing
from shoufu.kernel.rules.evaluation.rule import CompiledRule
from shoufu.kernel.rules.rehearsal.frames import Frame
from shoufu.kernel.rules.rehearsal.result import Load, Progress, Run

CHUNK = 50_000


class RowRun:
    """The live machine of one rule, fed row by row in total order."""

    def __init__(self, rule: CompiledRule, since: int, until: int) -> None:
        self.rule = rule
        self.since, self.until = since, until
        self.heap: Heap = []
        self.found: list[Firing] = []
        self.machine = machine(rule, self.heap, self._keep)
        self.rows = 0

    def _keep(self, firing: Firing) -> None:
        if self.since <= firing.t < self.until:
            self.found.append(firing)

    def run(self, frames: Sequence[Load], progress: Progress | None) -> Run:
        for number, load in enumerate(frames):
            frame = load()
            self._feed(frame)
            self.machine.sweep(int(frame.t[-1]) if frame.count else 0)
            frame.release()
            if progress:
                progress(number + 1, len(frames))
        self._wake(self.until - 1)
        self.found.sort(key=lambda firing: firing.order)
        t = np.array([firing.t for firing in self.found], np.int64)
        suppressed = np.array([firing.suppressed for firing in self.found], np.bool_)
        late = np.array([firing.late for firing in self.found], np.bool_)
        return Run(
            self.rule, "rows", t, suppressed, late, self.rows, lambda chosen: [self.found[index] for index in chosen]
        )

    def _feed(self, frame: Frame) -> None:
        remembers = self.rule.uses_recent
        last = self.rule.recent.last
        kinds = frozenset(self.rule.spec.kinds)
        for start in range(0, frame.count, CHUNK):
            indices = np.arange(start, min(start + CHUNK, frame.count))
            rows = frame.rows(indices)
            late = frame.late[indices]
            for index, is_late in zip(indices.tolist(), late.tolist(), strict=True):
                t, row = rows[index]
                self.rows += 1
                if is_late:
                    if isinstance(self.machine, MatchMachine) and row.kind in kinds:
                        firing = self.machine.on_late(t, row)
                        if firing is not None:
                            self._keep(firing)
                    continue
                self._wake(t)
                if row.kind in kinds:
                    self.machine.on_row(t, row)
                if remembers:
                    last[row.place_id, row.kind] = t

    def _wake(self, until: int) -> None:
        while self.heap and self.heap[0][0] <= until:
            deadline, _, key = heappop(self.heap)
            self.machine.on_deadline(deadline, key)
