from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base import registry
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Forbidden
from shoufu.kernel.observations import partitions
from shoufu.kernel.observations.models import ObservationKind

FIELDS = ("name", "name_en", "schema", "personal", "purpose", "retention_days", "state")


@dataclass(frozen=True)
class Refusals:
    """Refused items to add to the count of a device and reason; `sample` shows the last one."""

    device: str
    reason: str
    count: int
    sample: str = ""


def sync_kinds(actor: Actor) -> list[str]:
    """Bring the declared kinds of the kernel and all scenes into the database; returns the codes that changed."""
    _system_only(actor)
    wanted = {code: _fields(kind) for code, kind in registry.kinds().items()}
    with transaction.atomic():
        stored = {kind.code: {name: getattr(kind, name) for name in FIELDS} for kind in ObservationKind.objects.all()}
        changed = [code for code, fields in wanted.items() if stored.get(code) != fields]
        if not changed:
            return []
        ObservationKind.objects.bulk_create(
            [ObservationKind(code=code, declared=True, **wanted[code]) for code in changed],
            update_conflicts=True,
            unique_fields=["code"],
            update_fields=[*FIELDS, "declared"],
        )
        record(
            actor, Act("observations.sync_kinds", object_type="observations.observationkind", data={"codes": changed})
        )
    return changed


def make_partitions(actor: Actor, now: datetime | None = None) -> int:
    """Make the day partitions that are missing; returns how many. Run daily and at every start."""
    _system_only(actor)
    with transaction.atomic():
        made = partitions.make(now or timezone.now())
        if made:
            record(actor, Act("observations.make_partitions", object_type="obs", data={"made": made}))
    return made


def apply_retention(actor: Actor, now: datetime | None = None) -> dict[str, Any]:
    """Drop partitions and delete rows past their retention; what was removed stands in the audit log."""
    _system_only(actor)
    with transaction.atomic():
        moment = now or timezone.now()
        done = {"dropped": partitions.drop(moment), "erased": partitions.erase(moment)}
        if any(done.values()):
            record(actor, Act("observations.apply_retention", object_type="obs", data=done))
    return done


def count_rejections(actor: Actor, refusals: Iterable[Refusals], now: datetime | None = None) -> None:
    """Add to the counts of refused items (a statistic of the edge, so without an audit entry); one statement."""
    _system_only(actor)
    moment = now or timezone.now()
    rows = [(one.device[:64], one.reason[:32], moment.date(), one.count, moment, one.sample[:300]) for one in refusals]
    if not rows:
        return
    columns = list(zip(*rows, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(COUNT_REJECTIONS, [list(column) for column in columns])


COUNT_REJECTIONS = """
INSERT INTO observations_rejection (device_code, reason, day, count, last_at, sample)
SELECT device, reason, day, sum(count), max(last_at), max(sample)
FROM unnest(%s::text[], %s::text[], %s::date[], %s::bigint[], %s::timestamptz[], %s::text[])
    AS refused (device, reason, day, count, last_at, sample) GROUP BY device, reason, day
ON CONFLICT (device_code, reason, day) DO UPDATE SET
    count = observations_rejection.count + excluded.count, last_at = excluded.last_at, sample = excluded.sample
"""


def _fields(kind: registry.Kind) -> Mapping[str, Any]:
    return {name: dict(kind.schema) if name == "schema" else getattr(kind, name) for name in FIELDS}


def _system_only(actor: Actor) -> None:
    if not actor.is_system:
        raise Forbidden("Only the system itself may do this.")


@transaction.atomic
def forget_rows(actor: Actor, kind: str, devices: Iterable[int]) -> int:
    """Take the rows of one kind and some devices out of the log, as retention does; how many. For the system only:
    a scene calls it where a consent ended."""
    _system_only(actor)
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM obs USING observations_observationkind k "
            "WHERE k.id = obs.kind AND k.code = %s AND obs.device = ANY(%s)",
            [kind, list(devices)],
        )
        count = int(cursor.rowcount)
    if count:
        record(actor, Act("observations.forget", data={"kind": kind, "rows": count}))
    return count
