from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db import connection

from shoufu.kernel.observations.limits import MAX_AGE, PARTITIONS_AHEAD
from shoufu.kernel.observations.models import ObservationKind


def make(now: datetime) -> int:
    """Make the missing day partitions, from the oldest day that may still come in to some days ahead; how many."""
    today = now.date()
    with connection.cursor() as cursor:
        first, last = today - MAX_AGE - timedelta(days=1), today + timedelta(days=PARTITIONS_AHEAD)
        cursor.execute("SELECT obs_make_partitions(%s, %s)", [first, last])
        return int(cursor.fetchone()[0])


def make_for(days: Iterable[date]) -> int:
    """Make partitions for further days, for loaders of old data."""
    wanted = sorted(set(days))
    if not wanted:
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT obs_make_partitions(%s, %s)", [wanted[0], wanted[-1]])
        return int(cursor.fetchone()[0])


def drop(now: datetime) -> list[str]:
    """Drop the partitions that are older than the retention of every kind; returns their names."""
    keep = max(ObservationKind.objects.values_list("retention_days", flat=True), default=0)
    if not keep:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT obs_drop_partitions(%s)", [now.date() - timedelta(days=keep)])
        return [row[0] for row in cursor.fetchall()]


def erase(now: datetime) -> dict[str, int]:
    """Delete rows past their own kind's retention; code → rows deleted."""
    erased: dict[str, int] = {}
    with connection.cursor() as cursor:
        for kind in ObservationKind.objects.all():
            before = now - timedelta(days=kind.retention_days)
            cursor.execute("DELETE FROM obs WHERE kind = %s AND t < %s", [kind.pk, before])
            if cursor.rowcount:
                erased[kind.code] = cursor.rowcount
    return erased
