from __future__ import annotations

import msgspec

from shoufu.kernel.rules.evaluation.patterns.base import Emit, Heap, Machine, either
from shoufu.kernel.rules.evaluation.rows import SECOND, Key, Row
from shoufu.kernel.rules.evaluation.rule import CompiledRule
from shoufu.kernel.rules.spec import Dwell, Threshold


class Hold(msgspec.Struct, array_like=True, gc=False):
    """Since `row`, at `start`, the condition holds; `seen` was the last row to say so. `deadline` 0: has fired."""

    deadline: int
    seen: int
    start: int
    row: Row


class HoldMachine(Machine[Hold]):
    """Threshold and dwell: became true, was not cleared for so long, and the schedule is open."""

    state_type = Hold

    def __init__(self, rule: CompiledRule, heap: Heap, emit: Emit) -> None:
        super().__init__(rule, heap, emit)
        pattern = rule.spec.pattern
        assert isinstance(pattern, Threshold | Dwell)
        self.hold = round(pattern.hold * SECOND)
        text = pattern.clear if isinstance(pattern, Threshold) else pattern.until
        pointer = "/pattern/clear" if isinstance(pattern, Threshold) else "/pattern/until"
        self.clearing = text
        self.clears = rule.condition(pointer) if text is not None else None

    def concern(self) -> str | None:
        return either(self.rule.spec.where, self.clearing) if self.clearing is not None else None

    def concerns(self, t: int, row: Row) -> bool:
        return self.clears is None or self.test(t, row) or self.clears(t, row)

    def on_row(self, t: int, row: Row) -> None:
        if row.place_id not in self.scope:
            return
        key = row.device_id if self.by_device else self.key(row)
        state = self.states.get(key)
        matches = self.test(t, row)
        if state is None:
            if matches:
                self._start(t, key, row)
            return
        clears = not matches if self.clears is None else self.clears(t, row)
        if t - state.seen > self.forget and (matches or clears):
            self.drop(key)
            if matches:
                self._start(t, key, row)
        elif clears:
            self.drop(key)
        elif matches:
            state.seen = t
            self.dirty.add(key)

    def _start(self, t: int, key: Key, row: Row) -> None:
        deadline = t + self.hold
        if self.scheduled:
            deadline = self.rule.next_open(deadline, row.place_id)
        state = self.states[key] = Hold(deadline, t, t, row)
        self.dirty.add(key)
        if deadline == t:
            self.complete(deadline, key, state)
        elif key not in self.armed or deadline < self.armed[key]:
            self.arm(deadline, key)

    def complete(self, deadline: int, key: Key, state: Hold) -> None:
        state.deadline = 0
        self.dirty.add(key)
        self.emit(deadline, key, state.row, [(state.start, state.row.id)])

    def pending(self, state: Hold) -> int | None:
        return state.deadline or None

    def is_forgotten(self, state: Hold, t: int) -> bool:
        return not state.deadline and t - state.seen > self.forget
