from __future__ import annotations

from shoufu.kernel.rules.evaluation.patterns.base import Emit, Heap, Machine
from shoufu.kernel.rules.evaluation.rows import SECOND, Row
from shoufu.kernel.rules.evaluation.rule import CompiledRule
from shoufu.kernel.rules.spec import Count

Ring = list[tuple[int, str]]
"""Times and ids of the rows in the window, oldest first; at most n."""


class CountMachine(Machine[Ring]):
    """`n` matching rows of which the first is less than `window` before the last; then it starts anew."""

    state_type = Ring

    def __init__(self, rule: CompiledRule, heap: Heap, emit: Emit) -> None:
        super().__init__(rule, heap, emit)
        pattern = rule.spec.pattern
        assert isinstance(pattern, Count)
        self.n = pattern.n
        self.window = round(pattern.window * SECOND)

    def on_match(self, t: int, row: Row) -> None:
        key = row.device_id if self.by_device else self.key(row)
        start = t - self.window
        ring = [entry for entry in self.states.get(key, ()) if entry[0] > start]
        ring.append((t, row.id))
        if len(ring) < self.n:
            self.put(key, ring)
            return
        self.drop(key)
        if not self.scheduled or self.rule.is_open(t, row.place_id):
            self.emit(t, key, row, ring)

    def is_forgotten(self, state: Ring, t: int) -> bool:
        return state[-1][0] <= t - self.window
