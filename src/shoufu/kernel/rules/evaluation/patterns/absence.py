from __future__ import annotations

import msgspec

from shoufu.kernel.rules.evaluation.patterns.base import Emit, Heap, Machine
from shoufu.kernel.rules.evaluation.rows import SECOND, Key, Row, pack, unpack
from shoufu.kernel.rules.evaluation.rule import CompiledRule
from shoufu.kernel.rules.spec import Absence


class Waiting(msgspec.Struct, array_like=True, gc=False):
    """The last matching row, when it was, and when its absence is complete."""

    deadline: int
    last: int
    row: msgspec.Raw


class AbsenceMachine(Machine[Waiting]):
    """No matching row for so long; the next matching row arms it again."""

    state_type = Waiting

    def __init__(self, rule: CompiledRule, heap: Heap, emit: Emit) -> None:
        super().__init__(rule, heap, emit)
        pattern = rule.spec.pattern
        assert isinstance(pattern, Absence)
        self.after = round(pattern.after * SECOND)

    def on_match(self, t: int, row: Row) -> None:
        key = row.device_id if self.by_device else self.key(row)
        deadline = t + self.after
        if self.scheduled:
            deadline = self.rule.next_open(deadline, row.place_id)
        state = self.states.get(key)
        self.dirty.add(key)
        if state is None:
            self.states[key] = Waiting(deadline, t, pack(row))
            self.arm(deadline, key)
            return
        # The heap has an entry for the deadline there was: only an earlier one needs another.
        if deadline < state.deadline:
            self.arm(deadline, key)
        state.deadline, state.last, state.row = deadline, t, pack(row)

    def complete(self, deadline: int, key: Key, state: Waiting) -> None:
        self.drop(key)
        row = unpack(state.row)
        self.emit(deadline, key, row, [(state.last, row.id)])

    def pending(self, state: Waiting) -> int | None:
        return state.deadline
