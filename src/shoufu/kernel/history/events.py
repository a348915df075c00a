"""What happened in a span: passages at doors, cars, alarms, movement; with both clocks, without who it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.history.facts import Facts, shown
from shoufu.kernel.observations import selectors as observations
from shoufu.kernel.observations.models import BatchLog

VIEW = observations.VIEW
MOST = 20_000
LATE = timedelta(days=1)
"""A row that came later than this after it happened is shown only with what was learned later."""


@dataclass(frozen=True, slots=True)
class Event:
    """An observation to show: happened at `t`, committed at `known`; `data` are the fields that may be shown."""

    t: datetime
    known: datetime
    kind: str
    device: int
    data: dict[str, Any]


def between(actor: Actor, path: str, since: datetime, until: datetime, known: Facts) -> list[Event]:
    """What happened in (since, until], and what happened up to a day before and became known in it; by time.

    The batch log's clock decides what was known. Three queries; at most 20,000 rows, the newest.
    """
    rows = observations.visible(actor).filter(place__path__startswith=path, kind__in=list(known.events))
    learned = BatchLog.objects.filter(known__gt=since, known__lte=until).values_list("key", flat=True)
    happened = rows.filter(t__gt=since, t__lte=until)
    late = rows.filter(t__gt=since - LATE, t__lte=since, batch__in=list(learned))
    values = ("t", "batch", "kind_id", "device_id", "result")
    found = [*late.order_by("-t").values_list(*values)[:MOST], *happened.order_by("-t").values_list(*values)[:MOST]]
    clocks = _clocks({row[1] for row in found})
    made = [_event(row, clocks, known) for row in found]
    return sorted(made, key=lambda event: (event.t, event.device, event.kind))


def _clocks(batches: set[int]) -> dict[int, datetime]:
    return dict(BatchLog.objects.filter(key__in=batches).values_list("key", "known"))


def _event(row: Sequence[Any], clocks: dict[int, datetime], known: Facts) -> Event:
    t, batch, kind, device, result = row
    code, fields = known.events[kind]
    return Event(t, clocks.get(batch, t), code, device, shown(result, fields))


def columns(rows: Sequence[Event], since: datetime) -> dict[str, list[Any]]:
    """As columns for JSON: milliseconds after `since`; what is said more than once stands once in `table`."""
    table: dict[str, int] = {}
    says: list[dict[str, Any]] = []
    index: list[int] = []
    for row in rows:
        key = repr((row.kind, row.device, row.data))
        if key not in table:
            table[key] = len(says)
            says.append({"kind": row.kind, "device": row.device, **row.data})
        index.append(table[key])
    return {
        "t": [offset(row.t, since) for row in rows],
        "known": [offset(row.known, since) for row in rows],
        "says": index,
        "table": says,
    }


def offset(at: datetime, since: datetime) -> int:
    """Milliseconds after `since`, rounded up: what is known at a moment is never shown before it."""
    micros = (at - since) // timedelta(microseconds=1)
    return -(-micros // 1000)


__all__ = ["VIEW", "Event", "between", "columns", "offset"]
