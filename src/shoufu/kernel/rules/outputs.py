"""What the evaluator makes, written in one transaction: firings, cases, late rows, checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import connection, transaction
from django.utils import timezone

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.cases.models import Case
from shoufu.kernel.cases.raising import RaisedCase
from shoufu.kernel.cases.services import raise_cases
from shoufu.kernel.rules import evaluation
from shoufu.kernel.rules.evaluation import Late, to_datetime
from shoufu.kernel.rules.models import Checkpoint, Firing, LateObservation
from shoufu.kernel.rules.spec import RuleSpec

OLD_NEWS = timedelta(minutes=10)
"""A late row that is older than this may open a case, but wakes nobody."""
INSERT = """
INSERT INTO rules_firing (version_id, key, t, place_id, device_id, observations, why, batch, suppressed, late)
SELECT u.version, u.key, u.t, p.id, d.id, u.observations, u.why, u.batch, u.suppressed, u.late
FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::bigint[], %s::bigint[], %s::jsonb[], %s::jsonb[],
            %s::bigint[], %s::bool[], %s::bool[])
    WITH ORDINALITY AS u(version, key, t, place, device, observations, why, batch, suppressed, late, number)
JOIN places_place p ON p.id = u.place LEFT JOIN devices_device d ON d.id = u.device
ORDER BY u.number
ON CONFLICT (version_id, key, t) DO NOTHING
RETURNING id, version_id, key, t
"""


@transaction.atomic
def write(
    shard: int,
    firings: Sequence[evaluation.Firing],
    late: Sequence[Late],
    specs: dict[int, RuleSpec],
    checkpoint: tuple[int, bytes, bool] | None,
) -> list[Case]:
    """Store what some batches made; `checkpoint` is (batch, state, full). Safe to repeat: nothing is raised twice.

    Returns the cases made; the live screens hear of them after the commit.
    """
    stored = _insert(firings) if firings else []
    raised = [one for firing in stored if (one := _raised(firing, specs.get(firing.version_id))) is not None]
    cases = raise_cases(SYSTEM, raised) if raised else []
    LateObservation.objects.bulk_create(
        [LateObservation(shard=shard, t=to_datetime(one.t), observation=one.id, batch=one.batch) for one in late],
        batch_size=5_000,
        ignore_conflicts=True,
    )
    if checkpoint is not None:
        _keep(shard, *checkpoint)
    return cases


def _insert(firings: Sequence[evaluation.Firing]) -> list[Firing]:
    """The firings that were not there yet, as rows."""
    columns: tuple[list[Any], ...] = (
        [one.version for one in firings],
        [one.key for one in firings],
        [to_datetime(one.t) for one in firings],
        [one.place for one in firings],
        [one.device for one in firings],
        [msgspec.json.encode(one.observations).decode() for one in firings],
        [msgspec.json.encode(one.why).decode() for one in firings],
        [one.batch for one in firings],
        [one.suppressed for one in firings],
        [one.late for one in firings],
    )
    with connection.cursor() as cursor:
        cursor.execute(INSERT, columns)
        ids = {(version, key, t): pk for pk, version, key, t in cursor.fetchall()}
    made: list[Firing] = []
    for one in firings:
        t = to_datetime(one.t)
        pk = ids.pop((one.version, one.key, t), None)
        if pk is not None:
            made.append(_row(pk, one, t))
    return made


def _row(pk: int, one: evaluation.Firing, t: datetime) -> Firing:
    return Firing(
        pk=pk,
        version_id=one.version,
        key=one.key,
        t=t,
        place_id=one.place,
        device_id=one.device,
        observations=list(one.observations),
        why=one.why,
        batch=one.batch,
        suppressed=one.suppressed,
        late=one.late,
    )


def _raised(firing: Firing, spec: RuleSpec | None) -> RaisedCase | None:
    if spec is None or spec.case is None:
        return None
    quiet = firing.late and timezone.now() - firing.t > OLD_NEWS
    return RaisedCase(
        firing=firing,
        kind=spec.case.kind,
        severity=spec.severity,
        title=spec.case.title,
        title_en=spec.case.title_en,
        role=spec.notify[0] if spec.notify else "",
        notify=() if quiet else spec.notify,
    )


def _keep(shard: int, batch: int, state: bytes, full: bool) -> None:
    """Add a checkpoint; a full one makes all before it superfluous."""
    last = Checkpoint.objects.filter(shard=shard).order_by("-sequence").values_list("sequence", flat=True).first()
    sequence = (last or 0) + 1
    Checkpoint.objects.create(shard=shard, sequence=sequence, batch=batch, full=full, state=state)
    if full:
        Checkpoint.objects.filter(shard=shard, sequence__lt=sequence).delete()


def checkpoints(shard: int) -> list[bytes]:
    """The last full checkpoint of a shard and the deltas after it; empty when there is none."""
    rows = list(Checkpoint.objects.filter(shard=shard).order_by("sequence").values_list("full", "state"))
    starts = [index for index, (full, _state) in enumerate(rows) if full]
    return [bytes(state) for _full, state in rows[starts[-1] :]] if starts else []


def last_batch(shard: int) -> int:
    """The batch after which the newest checkpoint was made; 0 when there is none."""
    found = Checkpoint.objects.filter(shard=shard).order_by("-sequence").values_list("batch", flat=True).first()
    return found or 0
