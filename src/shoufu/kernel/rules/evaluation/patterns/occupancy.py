from __future__ import annotations

import msgspec

from shoufu.kernel.rules.evaluation.patterns.base import Emit, Heap, Machine
from shoufu.kernel.rules.evaluation.rows import Key, Origin, Row, origin
from shoufu.kernel.rules.evaluation.rule import CompiledRule
from shoufu.kernel.rules.spec import Occupancy

MOST = 1_000_000_000
"""Deltas and sums are cut to this, so that both engines agree on absurd ones."""


class Sum(msgspec.Struct, array_like=True):
    """The running sum; while it is over the limit, the row that took it there and when that fires (0: has fired)."""

    value: int
    seen: int
    deadline: int = 0
    origin: Origin | None = None
    peak: int = 0


class OccupancyMachine(Machine[Sum]):
    """The running sum went over the limit; fires again only after it came back to it."""

    state_type = Sum

    def __init__(self, rule: CompiledRule, heap: Heap, emit: Emit) -> None:
        super().__init__(rule, heap, emit)
        pattern = rule.spec.pattern
        assert isinstance(pattern, Occupancy)
        self.limit = pattern.limit
        self.delta = rule.value("/pattern/delta")

    def on_row(self, t: int, row: Row) -> None:
        if row.place_id not in self.scope or not self.test(t, row):
            return
        delta = self.delta(t, row)
        if type(delta) is not int:
            return
        key = self.key(row)
        state = self.states.get(key)
        if state is None or t - state.seen > self.forget:
            state = Sum(0, t)
        state.value = min(max(0, state.value + max(-MOST, min(MOST, delta))), MOST)
        state.seen = t
        self.put(key, state)
        if state.value <= self.limit:
            state.origin, state.deadline = None, 0
            if not state.value:
                self.drop(key)
        elif state.origin is None:
            self._start(t, key, state, row)

    def _start(self, t: int, key: Key, state: Sum, row: Row) -> None:
        state.origin, state.peak = origin(t, row), state.value
        state.deadline = self.rule.next_open(t, row.place_id)
        if state.deadline == t:
            self._fire(key, state)
        else:
            self.arm(state.deadline, key)

    def complete(self, deadline: int, key: Key, state: Sum) -> None:
        self._fire(key, state)

    def _fire(self, key: Key, state: Sum) -> None:
        start, t, state.deadline = state.origin, state.deadline, 0
        assert start is not None
        self.dirty.add(key)
        self.emit(t, key, start, [(start.t, start.id)], state.peak)

    def pending(self, state: Sum) -> int | None:
        return state.deadline or None

    def is_forgotten(self, state: Sum, t: int) -> bool:
        return not state.deadline and t - state.seen > self.forget
