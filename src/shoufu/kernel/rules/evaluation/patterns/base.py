"""What all patterns share: emitting with cool-down, deadlines in a lazily re-armed heap, dirty keys for checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from heapq import heappush
from typing import Any, Generic, TypeVar

from shoufu.kernel.rules.evaluation.reasons import why
from shoufu.kernel.rules.evaluation.rows import SECOND, Firing, Key, Row
from shoufu.kernel.rules.evaluation.rule import CompiledRule

S = TypeVar("S")
Heap = list[tuple[int, int, Key]]
Emit = Callable[[Firing], None]
Step = Callable[[int, Row], None]


class Machine(Generic[S]):
    """The state of one rule by key, and the step that a row or a deadline makes it take.

    Equal rows in equal order give equal firings whatever the batches: nothing here reads a clock. `dirty` collects the
    keys changed since the last checkpoint; a changed key without a state was forgotten.
    """

    state_type: Any = None

    def __init__(self, rule: CompiledRule, heap: Heap, emit: Emit) -> None:
        self.rule = rule
        self.heap = heap
        self.out = emit
        self.states: dict[Key, S] = {}
        self.dirty: set[Key] = set()
        self.fired: dict[Key, int] = {}
        self.heard: dict[Key, int] = {}
        self.armed: dict[Key, int] = {}
        self.cooldown = round(rule.spec.cooldown * SECOND)
        self.forget = rule.forget
        self.scope = rule.scope
        self.scheduled = rule.spec.schedule is not None
        self.key = rule.key_of()
        self.by_device = rule.spec.key == "device"
        self.test = rule.condition("/where")
        self._last_t = -1
        self._last_keys: set[Key] = set()

    def on_row(self, t: int, row: Row) -> None:
        """Decide about a row and take the step: where the decision could not be taken when the row arrived."""
        step = self.steps[self.decide(t, row)] if row.place_id in self.scope else None
        if step is not None:
            step(t, row)

    def on_match(self, t: int, row: Row) -> None:
        """A row in the scope, of which `where` is true."""
        raise NotImplementedError

    @cached_property
    def steps(self) -> tuple[Step | None, ...]:
        """The step for each value that `decide` can have; None: the row changes nothing here."""
        return None, self.on_match

    def decision(self) -> str:
        """`decide` as one CEL expression, a bool or an int."""
        return self.rule.spec.where

    def decide(self, t: int, row: Row) -> int:
        """Which of `steps` a row in the scope takes; an error in a condition counts as "no"."""
        return self.test(t, row)

    def complete(self, deadline: int, key: Key, state: S) -> None:
        """The deadline that the state waited for has come."""
        raise NotImplementedError

    def pending(self, state: S) -> int | None:
        """The deadline of a state that waits for one, for filling the heap after a restart."""
        return None

    def is_forgotten(self, state: S, t: int) -> bool:
        """Whether a row at `t` or later would find this state as good as none."""
        return False

    def move(self) -> None:
        """The rule's scope changed with the place tree."""
        self.scope = self.rule.scope

    def arm(self, deadline: int, key: Key) -> None:
        """See to it that the heap wakes `key` by the deadline; one entry a key, armed anew when it comes early."""
        entry = self.armed.get(key)
        if entry is None or deadline < entry:
            self.armed[key] = deadline
            heappush(self.heap, (deadline, self.rule.version, key))

    def on_deadline(self, deadline: int, key: Key) -> None:
        """The heap's entry came up: the state is due, waits longer by now, or waits no more."""
        if self.armed.get(key) != deadline:
            return
        del self.armed[key]
        state = self.states.get(key)
        due = None if state is None else self.pending(state)
        if state is None or due is None:
            return
        if due > deadline:
            self.arm(due, key)
        else:
            self.complete(due, key, state)

    def put(self, key: Key, state: S) -> None:
        self.states[key] = state
        self.dirty.add(key)

    def drop(self, key: Key) -> None:
        if self.states.pop(key, None) is not None:
            self.dirty.add(key)

    def sweep(self, t: int) -> None:
        """Drop what no later row can notice; `t` is the watermark."""
        for key in [key for key, state in self.states.items() if self.is_forgotten(state, t)]:
            self.drop(key)
        for key in [key for key, last in self.fired.items() if last + self.cooldown <= t]:
            del self.fired[key]
            self.dirty.add(key)

    def emit(self, t: int, key: Key, row: Row, seen: Sequence[tuple[int, str]], total: int | None = None) -> None:
        """One firing; a second one of the same key at the same `t` is the same firing.

        `row` triggered it, `seen` are times and ids of the rows that made it, `total` the sum of an occupancy rule.
        """
        if t == self._last_t:
            if key in self._last_keys:
                return
            self._last_keys.add(key)
        else:
            self._last_t, self._last_keys = t, {key}
        last = self.fired.get(key)
        suppressed = bool(self.cooldown) and last is not None and t < last + self.cooldown
        if self.cooldown and not suppressed:
            self.fired[key] = t
            self.dirty.add(key)
        self.out(
            Firing(
                version=self.rule.version,
                key=self.rule.key_text(row),
                t=t,
                place=row.place_id,
                device=row.device_id,
                observations=tuple(id for _, id in seen),
                why=why(self.rule, t, row, [time for time, _ in seen], total),
                suppressed=suppressed,
            )
        )


def either(*texts: str) -> str:
    """CEL conditions as one; the line ends keep a comment in one text from swallowing the next."""
    return " || ".join(f"({text}\n)" for text in texts)


def both(*texts: str) -> str:
    return " && ".join(f"({text}\n)" for text in texts)
