from __future__ import annotations

import msgspec

from shoufu.kernel.rules.evaluation.patterns.base import Emit, Heap, Machine
from shoufu.kernel.rules.evaluation.rows import NOTHING, Key, Row, pack, unpack
from shoufu.kernel.rules.evaluation.rule import CompiledRule
from shoufu.kernel.rules.spec import Occupancy

MOST = 1_000_000_000
"""Deltas and sums are cut to this, so that both engines agree on absurd ones."""


class Sum(msgspec.Struct, array_like=True, gc=False):
    """The running sum, `seen` when it last changed.

    While it is over the limit: the row that took it there, when, to what sum, and when that fires (0: has fired).
    """

    value: int
    seen: int
    deadline: int = 0
    start: int = 0
    peak: int = 0
    row: msgspec.Raw = NOTHING


class OccupancyMachine(Machine[Sum]):
    """The running sum went over the limit; fires again only after it came back to it."""

    state_type = Sum

    def __init__(self, rule: CompiledRule, heap: Heap, emit: Emit) -> None:
        super().__init__(rule, heap, emit)
        pattern = rule.spec.pattern
        assert isinstance(pattern, Occupancy)
        self.limit = pattern.limit
        self.delta = rule.value("/pattern/delta")

    def on_match(self, t: int, row: Row) -> None:
        delta = self.delta(t, row)
        if type(delta) is not int:
            return
        key = row.device_id if self.by_device else self.key(row)
        state = self.states.get(key)
        if state is None or t - state.seen > self.forget:
            state = self.states[key] = Sum(0, t)
        value = state.value + (delta if -MOST < delta < MOST else MOST if delta > 0 else -MOST)
        state.value = value = 0 if value < 0 else value if value < MOST else MOST
        state.seen = t
        self.dirty.add(key)
        if value > self.limit:
            if state.row == NOTHING:
                self._start(t, key, state, row)
        elif value:
            state.row, state.deadline = NOTHING, 0
        else:
            del self.states[key]

    def _start(self, t: int, key: Key, state: Sum, row: Row) -> None:
        state.row, state.start, state.peak = pack(row), t, state.value
        state.deadline = self.rule.next_open(t, row.place_id)
        if state.deadline == t:
            self.complete(t, key, state)
        else:
            self.arm(state.deadline, key)

    def complete(self, deadline: int, key: Key, state: Sum) -> None:
        state.deadline = 0
        self.dirty.add(key)
        row = unpack(state.row)
        self.emit(deadline, key, row, [(state.start, row.id)], state.peak)

    def pending(self, state: Sum) -> int | None:
        return state.deadline or None

    def is_forgotten(self, state: Sum, t: int) -> bool:
        return not state.deadline and t - state.seen > self.forget
