"""The evaluator: batches of the log in, firings out; the same for live, replay and restart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop
from typing import Any

from shoufu.engines.cel import CelError
from shoufu.kernel.rules.evaluation.buffer import Entry, LatenessBuffer
from shoufu.kernel.rules.evaluation.dispatch import Pick, Steps, picks
from shoufu.kernel.rules.evaluation.patterns import Machine, MatchMachine, machine
from shoufu.kernel.rules.evaluation.rows import SECOND, Batch, Firing, Key, Late, Output, Row
from shoufu.kernel.rules.evaluation.rule import CompiledRule, Places, RuleSource, compile_rule
from shoufu.kernel.rules.spec import KindLike

NEVER = 1 << 62


class Engine:
    """All rules of one shard.

    Deterministic: what comes out depends on the rows, their batches' order and commit times, and the rules with the
    batch each came into force; not on how batches were grouped into calls, nor on restarts. Bounded: state lives for
    the rules' own windows, and keys that fell silent are swept.
    """

    def __init__(self, kinds: Mapping[str, KindLike], places: Places, lateness: float = 2.0) -> None:
        self.kinds = kinds
        self.places = places
        self.buffer = LatenessBuffer(round(lateness * SECOND))
        self.machines: dict[int, Machine[Any]] = {}
        self.heap: list[tuple[int, int, Key]] = []
        self.last: dict[tuple[int, str], int] = {}
        self.batch = 0
        self.broken: dict[int, str] = {}
        self.late_rows = 0
        self.encoded_at = 0
        self._by_kind: dict[str, tuple[Machine[Any], ...]] = {}
        self._remembers = False
        self._firings: list[Firing] = []

    @property
    def rules(self) -> list[CompiledRule]:
        return [found.rule for found in self.machines.values()]

    def set_rules(self, sources: Iterable[RuleSource]) -> None:
        """The rules from the next batch on; kept versions keep their state, new ones start empty.

        A rule that no longer compiles (its kind changed) is left out and named in `broken`.
        """
        wanted = {source.version: source for source in sources}
        self.broken = {}
        for version in [version for version in self.machines if version not in wanted]:
            del self.machines[version]
        for version, source in wanted.items():
            if version in self.machines:
                continue
            try:
                rule = compile_rule(source, self.kinds, self.places, self.last)
            except (CelError, KeyError) as error:
                self.broken[version] = f"unknown kind {error}" if isinstance(error, KeyError) else str(error)
                continue
            self.machines[version] = machine(rule, self.heap, self._firings.append)
        self.machines = dict(sorted(self.machines.items()))
        self._by_kind = {
            kind: tuple(found for found in self.machines.values() if kind in found.rule.spec.kinds)
            for kind in {kind for found in self.machines.values() for kind in found.rule.spec.kinds}
        }
        self._remembers = any(rule.uses_recent for rule in self.rules)
        if not self._remembers:
            self.last.clear()
        self.buffer.picks = self._picks(None)
        self._revise()

    def _picks(self, batch: int | None) -> Mapping[str, Pick]:
        """What rows concern; those of an earlier batch only rules that had begun by then."""
        found = [one for one in self.machines.values() if batch is None or one.rule.source.begin <= batch]
        remembers = any(one.rule.uses_recent for one in found)
        return picks(found, None if remembers else frozenset())

    def _revise(self) -> None:
        """Ask again of the rows that wait: rules ended, and those that begin see nothing from before."""
        by_batch: dict[int, Mapping[str, Pick]] = {}

        def steps_of(batch: int, t: int, row: Row) -> Steps | None:
            if batch not in by_batch:
                by_batch[batch] = self._picks(batch)
            pick = by_batch[batch].get(row.kind)
            return None if pick is None else pick(t, row)

        self.buffer.revise(steps_of)

    def refill(self, batch: Batch, rows: Sequence[Row]) -> None:
        """Take again what a batch from before the checkpoint left waiting."""
        current, self.buffer.picks = self.buffer.picks, self._picks(batch.number)
        self.buffer.refill(batch, rows)
        self.buffer.picks = current

    def move(self, places: Places) -> None:
        """Take a new place tree."""
        self.places = places
        for found in self.machines.values():
            found.rule.move(places)
            found.move()
        self.buffer.picks = self._picks(None)
        self._revise()

    def process(self, batches: Iterable[tuple[Batch, Sequence[Row]]]) -> Output:
        """Take batches in the order of their numbers, each with the rows of this shard in the order of the log."""
        output = Output()
        for batch, rows in batches:
            self._take(batch, rows, output)
        output.firings.sort(key=lambda firing: firing.order)
        return output

    def _take(self, batch: Batch, rows: Sequence[Row], output: Output) -> None:
        late = self.buffer.add(batch, rows)
        if late:
            self._judge_late(late, rows, output)
        output.rows += len(rows) - len(late)
        for entries in self.buffer.release():
            self._run(entries)
        if self.heap and self.heap[0][0] <= self.buffer.watermark:
            self._wake(self.buffer.watermark)
        self.batch = batch.number
        if self._firings:
            for firing in self._firings:
                firing.batch = batch.number
            output.firings += self._firings
            self._firings.clear()

    def _judge_late(self, late: list[Late], rows: Sequence[Row], output: Output) -> None:
        """A late row changes no state, but a rule that looks at single rows still sees what happened."""
        self.late_rows += len(late)
        output.late += late
        times = {one.id: one.t for one in late}
        for row in rows:
            t = times.get(row.id)
            if t is None:
                continue
            for found in self._by_kind.get(row.kind, ()):
                if isinstance(found, MatchMachine) and (firing := found.on_late(t, row)) is not None:
                    self._firings.append(firing)

    def _run(self, entries: list[Entry]) -> None:
        heap, remembers = self.heap, self._remembers
        for t, _, kind, _, _, row, steps in entries:
            if heap and heap[0][0] <= t:
                self._wake(t)
            for step in steps:
                step(t, row)
            if remembers:
                self.last[row.place_id, kind] = t

    def _wake(self, until: int) -> None:
        """Let every deadline up to `until` happen, in order."""
        heap = self.heap
        while heap and heap[0][0] <= until:
            deadline, version, key = heappop(heap)
            found = self.machines.get(version)
            if found is not None:
                found.on_deadline(deadline, key)

    def sweep(self) -> None:
        """Forget what no later row can notice; call it now and then."""
        for found in self.machines.values():
            found.sweep(self.buffer.watermark)

    @property
    def next_due(self) -> int | None:
        """What the watermark must reach for something to happen: the oldest waiting row, or the next deadline."""
        times = [time for time in (self.buffer.next_due, self.heap[0][0] if self.heap else None) if time is not None]
        return min(times, default=None)

    @property
    def keys(self) -> int:
        return sum(len(found.states) for found in self.machines.values())
