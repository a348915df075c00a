from __future__ import annotations

import msgspec

from shoufu.kernel.rules.evaluation.patterns.base import Emit, Heap, Machine, both, either
from shoufu.kernel.rules.evaluation.rows import SECOND, Row
from shoufu.kernel.rules.evaluation.rule import CompiledRule
from shoufu.kernel.rules.spec import Sequence

Chain = list[tuple[int, str]]
"""Times and ids of the rows that matched the first steps."""


class Progress(msgspec.Struct, array_like=True, gc=False):
    """`chains[j]` is the chain of j + 1 steps that started last, or empty; `unless` when such a row was last seen."""

    chains: list[Chain]
    unless: int = -(1 << 62)


class SequenceMachine(Machine[Progress]):
    """Steps in order, the first less than `window` before the last, and no `unless` row in that window.

    Of all chains of j steps only the one that started last is kept: what another can complete, it can too.
    """

    state_type = Progress

    def __init__(self, rule: CompiledRule, heap: Heap, emit: Emit) -> None:
        super().__init__(rule, heap, emit)
        pattern = rule.spec.pattern
        assert isinstance(pattern, Sequence)
        self.window = round(pattern.window * SECOND)
        self.stages = [rule.condition(f"/pattern/steps/{index}") for index in range(len(pattern.steps))]
        self.unless = rule.condition("/pattern/unless") if pattern.unless is not None else None

    def decision(self) -> str:
        pattern = self.rule.spec.pattern
        assert isinstance(pattern, Sequence)
        excuses = () if pattern.unless is None else (pattern.unless,)
        return both(self.rule.spec.where, either(*pattern.steps, *excuses))

    def decide(self, t: int, row: Row) -> int:
        if not self.test(t, row):
            return False
        return any(step(t, row) for step in self.stages) or (self.unless is not None and self.unless(t, row))

    def on_match(self, t: int, row: Row) -> None:
        key = row.device_id if self.by_device else self.key(row)
        state = self.states.get(key) or Progress([[] for _ in self.stages])
        complete = self._advance(state, t, row)
        if self.unless is not None and self.unless(t, row):
            state.unless = t
        if self.is_forgotten(state, t):
            self.drop(key)
        else:
            self.put(key, state)
        if not complete or state.unless > t - self.window:
            return
        if not self.scheduled or self.rule.is_open(t, row.place_id):
            self.emit(t, key, row, complete)

    def _advance(self, state: Progress, t: int, row: Row) -> Chain:
        """Lengthen the chains that this row continues; the complete chain where there is one, then none is left."""
        start = t - self.window
        last = len(self.stages) - 1
        for index in range(last, -1, -1):
            before = state.chains[index - 1] if index else []
            # A step is looked at only where the one before it was taken, and not too long ago.
            if index and (not before or before[0][0] <= start):
                continue
            if not self.stages[index](t, row):
                continue
            chain = [*before, (t, row.id)]
            if index == last:
                state.chains = [[] for _ in self.stages]
                return chain
            state.chains[index] = chain
        return []

    def is_forgotten(self, state: Progress, t: int) -> bool:
        start = t - self.window
        if state.unless > start:
            return False
        for chain in state.chains:  # noqa: SIM110 (a generator costs more than all the rest)
            if chain and chain[0][0] > start:
                return False
        return True
