from __future__ import annotations

from functools import cached_property

import msgspec

from shoufu.kernel.rules.evaluation.patterns.base import Emit, Heap, Machine, Step
from shoufu.kernel.rules.evaluation.rows import SECOND, Key, Row, pack, unpack
from shoufu.kernel.rules.evaluation.rule import CompiledRule
from shoufu.kernel.rules.spec import Dwell, Threshold


class Hold(msgspec.Struct, array_like=True, gc=False):
    """Since `row`, at `start`, the condition holds; `seen` was the last row to say so. `deadline` 0: has fired."""

    deadline: int
    seen: int
    start: int
    row: msgspec.Raw


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

    @cached_property
    def steps(self) -> tuple[Step | None, ...]:
        if self.clears is None:
            return self.on_clear, self.on_match
        return None, self.on_match, self.on_clear, self.on_both

    def decision(self) -> str:
        where, clear = self.rule.spec.where, self.clearing
        if clear is None:
            return where
        return f"({where}\n) ? (({clear}\n) ? 3 : 1) : (({clear}\n) ? 2 : 0)"

    def decide(self, t: int, row: Row) -> int:
        matches = self.test(t, row)
        return matches if self.clears is None else matches + 2 * self.clears(t, row)

    def on_match(self, t: int, row: Row) -> None:
        key = row.device_id if self.by_device else self.key(row)
        state = self.states.get(key)
        if state is None:
            self._start(t, key, row)
        elif t - state.seen > self.forget:
            self.drop(key)
            self._start(t, key, row)
        else:
            state.seen = t
            self.dirty.add(key)

    def on_clear(self, t: int, row: Row) -> None:
        """`where` is false, and the condition is over."""
        key = row.device_id if self.by_device else self.key(row)
        if self.states.pop(key, None) is not None:
            self.dirty.add(key)

    def on_both(self, t: int, row: Row) -> None:
        """`where` and `clear` are both true: what held is over, and what was forgotten or not there begins."""
        key = row.device_id if self.by_device else self.key(row)
        state = self.states.get(key)
        self.drop(key)
        if state is None or t - state.seen > self.forget:
            self._start(t, key, row)

    def _start(self, t: int, key: Key, row: Row) -> None:
        deadline = t + self.hold
        if self.scheduled:
            deadline = self.rule.next_open(deadline, row.place_id)
        state = self.states[key] = Hold(deadline, t, t, pack(row))
        self.dirty.add(key)
        if deadline == t:
            self.complete(deadline, key, state)
        elif key not in self.armed or deadline < self.armed[key]:
            self.arm(deadline, key)

    def complete(self, deadline: int, key: Key, state: Hold) -> None:
        state.deadline = 0
        self.dirty.add(key)
        row = unpack(state.row)
        self.emit(deadline, key, row, [(state.start, row.id)])

    def pending(self, state: Hold) -> int | None:
        return state.deadline or None

    def is_forgotten(self, state: Hold, t: int) -> bool:
        return not state.deadline and t - state.seen > self.forget
