"""Figures of institutions with many visits come from summaries by month; those of the others are counted when asked.

A month is settled two months after its end: until then visits are still rated and come again. The task refreshes what
is not settled; a reader refreshes what is older than an hour, so that figures are right without a worker too.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from shoufu.scenes.homecare.quality import counting
from shoufu.scenes.homecare.quality.counting import Span
from shoufu.scenes.homecare.quality.figures import Cell, Counts
from shoufu.scenes.homecare.quality.models import MonthSummary
from shoufu.scenes.homecare.visits.models import Visit

LIVE_MOST = 8000
"""So many visits are counted when asked (about 50 ms); of more, summaries are kept."""
FRESH = timedelta(hours=1)
SETTLED = timedelta(days=62)


def cells(
    span: Span, dimensions: Sequence[str] = ("total", "month", "service"), *, people: bool = False
) -> dict[str, list[Cell]]:
    """The cells of each dimension, sorted by key, with visits, ratings, adverse events and complaints; none where
    nothing was counted."""
    now = timezone.now()
    visits = (
        _summed(span, dimensions, now) if kept(span) else counting.counted(span, dimensions, people=people, now=now)
    )
    counting.add_events(visits, span, dimensions)
    nothing = Counts()
    return {
        name: sorted((one for one in found.values() if one.counts != nothing), key=lambda cell: cell.key)
        for name, found in visits.items()
    }


def causes(span: Span) -> list[tuple[str, str, int]]:
    """Why visits did not take place: state, cause, how many; the most frequent first."""
    if not kept(span):
        return counting.causes(span)
    found: dict[str, int] = defaultdict(int)
    for row in _rows(span, timezone.now()):
        if _chosen(row, span):
            for key, count in row.causes.items():
                found[key] += count
    listed = [(*key.split(":", 1), count) for key, count in found.items()]
    return sorted(((state, cause, count) for state, cause, count in listed), key=lambda one: (-one[2], one[0], one[1]))  # type: ignore[misc]


def kept(span: Span) -> bool:
    """Whether a span is read from summaries: whole months of whole institutions with many visits."""
    if span.paths is not None or span.practitioners is not None or not span.offices:
        return False
    if span.since.day != 1 or span.until.day != 1:
        return False
    sql = (
        "select count(*) from (select 1 from homecare_visits_visit "
        "where institution_id = any(%s) and day >= %s and day < %s limit %s) as counted"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(span.offices), span.since, span.until, LIVE_MOST + 1])
        return bool(cursor.fetchone()[0] > LIVE_MOST)


def months(since: date, until: date) -> list[date]:
    """The first days of the months from one first day until before another."""
    found = []
    while since < until:
        found.append(since)
        since = after(since)
    return found


def after(month: date) -> date:
    """The first day of the next month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


@dataclass(frozen=True)
class _Row:
    """A summary as it is read here."""

    office: int
    month: date
    service: int | None
    practitioner: int | None
    counts: Mapping[str, Any]
    causes: Mapping[str, int]


def _rows(span: Span, now: datetime, *, people: bool = False) -> list[_Row]:
    wanted = {(office, month) for office in span.offices for month in months(span.since, span.until)}
    rows = MonthSummary.objects.filter(institution__in=span.offices, month__gte=span.since, month__lt=span.until)
    rows = rows.order_by()
    known = rows.filter(service__isnull=True, practitioner__isnull=True)
    fresh = known.filter(Q(settled=True) | Q(made_at__gt=now - FRESH)).values_list("institution", "month")
    late = {pair for pair in wanted - set(fresh) if pair[1] <= now.date() + timedelta(days=45)}
    for office, month in sorted(late):
        refresh(office, month, now)
    if not people:
        rows = rows.filter(practitioner__isnull=True)
    listed = rows.values_list("institution", "month", "service", "practitioner", "counts", "causes")
    return [_Row(*one) for one in listed]


def _chosen(row: _Row, span: Span) -> bool:
    """Whether a row counts for the span as a whole: the month's own, or that of the service asked for."""
    return row.practitioner is None and row.service == span.service


def _summed(span: Span, dimensions: Sequence[str], now: datetime) -> dict[str, dict[str, Cell]]:
    found: dict[str, dict[str, Counts]] = {name: {} for name in dimensions}
    for row in _rows(span, now, people="practitioner" in dimensions):
        counts = Counts(**row.counts)
        for name in dimensions:
            key = _key(row, span, name)
            if key is not None:
                found[name][key] = found[name][key] + counts if key in found[name] else counts
    return {name: {key: Cell(key, counts) for key, counts in some.items()} for name, some in found.items()}


def _key(row: _Row, span: Span, dimension: str) -> str | None:
    """The cell of a dimension to which a row belongs; None where it counts for none."""
    if dimension == "practitioner":
        own = row.practitioner is not None and span.service is None
        return str(row.practitioner) if own else None
    if dimension == "service":
        wanted = row.service is not None and span.service in (None, row.service)
        return str(row.service) if wanted else None
    if not _chosen(row, span):
        return None
    return {"total": "", "month": row.month.isoformat(), "institution": str(row.office)}[dimension]


@transaction.atomic
def refresh(office: int, month: date, now: datetime) -> int:
    """Count a month of an institution anew; how many rows."""
    span = Span(month, after(month), (office,))
    found = counting.counted(span, ("total", "service"), people=True, now=now)
    found |= counting.counted(span, ("practitioner",), now=now)
    why = counting.causes_by_service(span)
    settled = now.date() > after(month) + SETTLED
    rows = []
    for name, some in found.items():
        for key, cell in some.items():
            number = int(key) if key else None
            rows.append(
                MonthSummary(
                    institution_id=office,
                    month=month,
                    service_id=number if name == "service" else None,
                    practitioner_id=number if name == "practitioner" else None,
                    counts=vars(cell.counts),
                    causes=_causes(why, number) if name != "practitioner" else {},
                    made_at=now,
                    settled=settled,
                )
            )
    MonthSummary.objects.filter(institution=office, month=month).delete()
    MonthSummary.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _causes(found: Mapping[tuple[int, str, str], int], service: int | None) -> dict[str, int]:
    summed: dict[str, int] = defaultdict(int)
    for (about, state, cause), count in found.items():
        if service in (None, about):
            summed[f"{state}:{cause}"] += count
    return dict(summed)


def refresh_all(now: datetime) -> int:
    """Count anew what is not settled of the institutions that have summaries; how many months."""
    rows = MonthSummary.objects.filter(settled=False).values_list("institution", "month").distinct()
    wanted = set(rows)
    this = now.date().replace(day=1)
    wanted |= {(office, this) for office in MonthSummary.objects.values_list("institution", flat=True).distinct()}
    for office, month in sorted(wanted):
        refresh(office, month, now)
    return len(wanted)


def last_made(span: Span) -> datetime | None:
    """How old the oldest figure of a span is; None where they were counted now."""
    rows = MonthSummary.objects.filter(institution__in=span.offices, month__gte=span.since, month__lt=span.until)
    return rows.filter(settled=False).order_by("made_at").values_list("made_at", flat=True).first()


def first_month() -> date | None:
    """The month of the first visit that there is; for choosing months."""
    day = Visit.objects.order_by("day").values_list("day", flat=True).first()
    return day.replace(day=1) if day is not None else None
