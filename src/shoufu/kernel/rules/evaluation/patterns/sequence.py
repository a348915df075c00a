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
        excused = self.unless is not None and self.unless(t, row)
        hits = [step(t, row) for step in self.stages]
        key = row.device_id if self.by_device else self.key(row)
        state = self.states.get(key)
        if state is None:
            state = Progress([[] for _ in self.stages])
        if excused:
            state.unless = t
        complete = self._advance(state, t, row, hits)
        if self.is_forgotten(state, t):
            self.drop(key)
        else:
            self.put(key, state)
        if not complete or state.unless > t - self.window:
            return
        if not self.scheduled or self.rule.is_open(t, row.place_id):
            self.emit(t, key, row, complete)

    def _advance(self, state: Progress, t: int, row: Row, hits: list[bool]) -> Chain:
        """Lengthen the chains that this row continues; the complete chain where there is one, then none is left."""
        start = t - self.window
        for index in range(len(hits) - 1, -1, -1):
            if not hits[index]:
                continue
            before = state.chains[index - 1] if index else []
            if index and (not before or before[0][0] <= start):
                continue
            chain = [*before, (t, row.id)]
            if index == len(hits) - 1:
                state.chains = [[] for _ in hits]
                return chain
            state.chains[index] = chain
        return []

    def is_forgotten(self, state: Progress, t: int) -> bool:
        start = t - self.window
        return state.unless <= start and all(not chain or chain[0][0] <= start for chain in state.chains)
