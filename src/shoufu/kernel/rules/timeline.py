"""Which rules are in force at which batch of the log, and running an engine along it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.observations.wire import Batch as LogBatch
from shoufu.kernel.rules.evaluation import Batch, Engine, Output, Row, RuleSource
from shoufu.kernel.rules.models import RuleVersion
from shoufu.kernel.rules.spec import parse

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Term:
    """A version is in force from batch `begin` to before batch `end` (None: until further notice)."""

    source: RuleSource
    begin: int
    end: int | None

    def holds(self, batch: int) -> bool:
        return self.begin <= batch and (self.end is None or batch < self.end)


@dataclass(frozen=True)
class Timeline:
    """Every version that was ever live."""

    terms: tuple[Term, ...] = ()

    @property
    def changes(self) -> frozenset[int]:
        """The batches at which the rules in force change."""
        ends = {term.end for term in self.terms if term.end is not None}
        return frozenset({term.begin for term in self.terms} | ends)

    def in_force(self, batch: int) -> list[RuleSource]:
        return [term.source for term in self.terms if term.holds(batch)]

    @staticmethod
    def load() -> Timeline:
        """As the database knows it now; one query."""
        rows = RuleVersion.objects.filter(from_batch__isnull=False).order_by("pk")
        terms = []
        for pk, place, spec, begin, end in rows.values_list(
            "pk", "rule__place_id", "spec", "from_batch", "until_batch"
        ):
            try:
                terms.append(Term(RuleSource(pk, place, parse(spec), begin or 0), begin or 0, end))
            except Invalid as error:
                log.error("rule version %s is no rule document and was left out: %s", pk, error)
        return Timeline(tuple(terms))


class Runner:
    """An engine that follows the timeline: batches in, firings out."""

    def __init__(self, engine: Engine, timeline: Timeline, shard: int) -> None:
        self.engine = engine
        self.shard = shard
        self.timeline = timeline
        self._changes = timeline.changes
        engine.set_rules(timeline.in_force(engine.batch))

    def update(self, timeline: Timeline) -> None:
        """Take a newer timeline; what changes in it lies in the future of this engine."""
        if timeline != self.timeline:
            self.timeline, self._changes = timeline, timeline.changes

    def take(self, batches: Iterable[Batch]) -> Output:
        """Process batches in the order of their numbers."""
        return self.engine.process(self._with_rules(batches))

    def _with_rules(self, batches: Iterable[Batch]) -> Iterable[tuple[Batch, Sequence[Row]]]:
        for batch in batches:
            if batch.number in self._changes:
                self.engine.set_rules(self.timeline.in_force(batch.number))
            yield batch, self.rows(batch)

    def rows(self, batch: Batch) -> list[Row]:
        """The rows of this shard, in the order of the log."""
        return [row for row in batch.rows if row.shard == self.shard]


def from_log(batch: LogBatch) -> Batch:
    """A batch read from the database, as the engine takes it."""
    rows = [
        Row(
            str(row.id), row.t, row.kind, row.device, row.device_id, row.place_id, row.shard, row.foi, row.result,
            row.ix,
        )
        for row in batch.rows
    ]  # fmt: skip
    return Batch(batch.number, batch.known, rows)
