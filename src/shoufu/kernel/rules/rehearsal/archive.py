"""Bringing closed days into the archive, and days that late rows came to once more."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings
from django.db import connection

from shoufu.kernel.rules import outputs, selectors
from shoufu.kernel.rules.database import uri
from shoufu.kernel.rules.models import HistoryDay, LateObservation
from shoufu.kernel.rules.rehearsal import database
from shoufu.kernel.rules.rehearsal.history import History

DAY = timedelta(days=1)
LOOK_BACK = timedelta(days=35)
"""Older days cannot get late rows any more: the log takes rows of at most 30 days."""


def history() -> History:
    return History(settings.HISTORY_ROOT)


def bounds(day: date) -> tuple[datetime, datetime]:
    """A UTC day as [start, end)."""
    start = datetime.combine(day, time(), UTC)
    return start, start + DAY


def archive_day(shard: int, day: date) -> HistoryDay | None:
    """Write a day of a shard as Parquet, one file a kind, in place of an older archive of it; None for an empty day."""
    batch = outputs.last_batch(shard)
    since, until = bounds(day)
    known = selectors.kinds()
    rows = 0
    tables = []
    for code in database.kinds_between(uri(), shard, since, until):
        if code in known:
            table = database.read_table(uri(), code, known[code], shard, since, until)
            rows += table.num_rows
            tables.append((code, table))
    if not tables:
        return None
    size = history().write(shard, day, tables)
    made, _created = HistoryDay.objects.update_or_create(
        shard=shard, day=day, defaults={"batch": batch, "rows": rows, "size": size}
    )
    return made


def archive_due(shard: int, now: datetime) -> list[HistoryDay]:
    """Archive what is due at `now`: days that ended and that the evaluator has passed, and days with new late rows."""
    today = now.astimezone(UTC).date()
    first = _first_day(shard, today)
    archived = {one.day: one for one in HistoryDay.objects.filter(shard=shard, day__gte=first)}
    made = []
    day = first
    while day < today:
        if day not in archived or _has_news(shard, archived[day]):
            found = archive_day(shard, day)
            made += [found] if found else []
        day += DAY
    return made


def _first_day(shard: int, today: date) -> date:
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(t) FROM obs WHERE shard = %s", [shard])
        oldest = cursor.fetchone()[0]
    return max(oldest.astimezone(UTC).date(), today - LOOK_BACK) if oldest else today


def _has_news(shard: int, archived: HistoryDay) -> bool:
    since, until = bounds(archived.day)
    return LateObservation.objects.filter(shard=shard, t__gte=since, t__lt=until, batch__gt=archived.batch).exists()
