"""The log read again from its beginning: it must give what live gave, firing for firing and case for case."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import psycopg
from django.conf import settings

from shoufu.kernel.cases.models import Case
from shoufu.kernel.observations import reader
from shoufu.kernel.rules import evaluation, outputs, selectors
from shoufu.kernel.rules.database import connect
from shoufu.kernel.rules.evaluation import Engine, to_datetime
from shoufu.kernel.rules.models import Firing, LateObservation
from shoufu.kernel.rules.timeline import Runner, Timeline, from_log

AT_ONCE = 500
SHOWN = 20
Identity = tuple[int, str, str]


@dataclass
class Comparison:
    """What replay and live made of the same batches; `equal` when nothing differs. Examples are cut to 20."""

    shards: int = 0
    batches: int = 0
    observations: int = 0
    firings: int = 0
    live_firings: int = 0
    cases: int = 0
    late: int = 0
    missing: list[dict[str, Any]] = field(default_factory=list)
    surplus: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    cases_missing: int = 0
    cases_surplus: int = 0
    late_differ: int = 0

    @property
    def equal(self) -> bool:
        differ = self.missing or self.surplus or self.changed
        return not (differ or self.cases_missing or self.cases_surplus or self.late_differ)

    def as_dict(self) -> dict[str, Any]:
        return {"equal": self.equal} | asdict(self)


def replay() -> Comparison:
    """Replay every shard up to where its live evaluator has come, and compare."""
    found = Comparison(shards=settings.SHARDS)
    made: dict[Identity, evaluation.Firing] = {}
    late: set[str] = set()
    timeline = Timeline.load()
    with connect() as connection:
        for shard in range(settings.SHARDS):
            _replay_shard(connection, shard, timeline, found, made, late)
    _compare_firings(found, made)
    _compare_cases(found, made, timeline)
    found.late = len(late)
    stored = {str(one) for one in LateObservation.objects.values_list("observation", flat=True)}
    found.late_differ = len(stored ^ late)
    return found


def _replay_shard(
    connection: psycopg.Connection[Any],
    shard: int,
    timeline: Timeline,
    found: Comparison,
    made: dict[Identity, evaluation.Firing],
    late: set[str],
) -> None:
    end = outputs.last_batch(shard)
    engine = Engine(selectors.kinds(), selectors.place_tree(), settings.LATENESS)
    runner = Runner(engine, timeline, shard)
    while engine.batch < end:
        batches = [from_log(one) for one in reader.batches(connection, engine.batch, AT_ONCE) if one.number <= end]
        if not batches:
            return
        output = runner.take(batches)
        found.batches += len(batches)
        found.observations += sum(len(runner.rows(batch)) for batch in batches)
        # The first of equal ones stays, as in the database.
        for firing in output.firings:
            made.setdefault(_identity(firing), firing)
        late |= {one.id for one in output.late}


def _identity(firing: evaluation.Firing) -> Identity:
    return firing.version, firing.key, to_datetime(firing.t).isoformat()


def _compare_firings(found: Comparison, made: dict[Identity, evaluation.Firing]) -> None:
    live = {(one.version_id, one.key, one.t.isoformat()): one for one in Firing.objects.iterator(2_000)}
    found.firings, found.live_firings = len(made), len(live)
    found.missing = [_shown(key) for key in sorted(live.keys() - made.keys())[:SHOWN]]
    found.surplus = [_shown(key) for key in sorted(made.keys() - live.keys())[:SHOWN]]
    for key in sorted(made.keys() & live.keys()):
        before, after = _facts(live[key]), _facts(made[key])
        if before != after and len(found.changed) < SHOWN:
            found.changed.append(_shown(key) | {"live": before, "replay": after})


def _facts(firing: Firing | evaluation.Firing) -> dict[str, Any]:
    place = firing.place_id if isinstance(firing, Firing) else firing.place
    return {
        "place": place,
        "observations": list(firing.observations),
        "batch": firing.batch,
        "suppressed": firing.suppressed,
        "late": firing.late,
    }


def _shown(key: Identity) -> dict[str, Any]:
    return {"version": key[0], "key": key[1], "t": key[2]}


def _compare_cases(found: Comparison, made: dict[Identity, evaluation.Firing], timeline: Timeline) -> None:
    """Every firing that is not suppressed, of a rule that raises cases, has its one case, and there are no others."""
    raising = {term.source.version for term in timeline.terms if term.source.spec.case is not None}
    wanted = {key for key, firing in made.items() if key[0] in raising and not firing.suppressed}
    rows = Case.objects.filter(firing__isnull=False).values_list("firing__version", "firing__key", "firing__t")
    live = {(version, key, t.isoformat()) for version, key, t in rows}
    found.cases = len(live)
    found.cases_missing, found.cases_surplus = len(wanted - live), len(live - wanted)
