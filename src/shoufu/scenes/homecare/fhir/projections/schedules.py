"""Schedule: a practitioner's time. Slot: when they are there and free, or taken, by their shifts and bookings."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from shoufu.engines.fhir.rest import Search
from shoufu.engines.fhir.rest.parameters import Criterion
from shoufu.engines.fhir.rest.values import Span as Asked
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.booking import slots
from shoufu.kernel.booking.calendar import Span
from shoufu.scenes.homecare.fhir.kept import instant
from shoufu.scenes.homecare.fhir.sources import Computed, Made, Narrowed, Projection
from shoufu.scenes.homecare.fhir.vocabulary import changes, coded, filled, pointed, to
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.codes import Skill
from shoufu.scenes.homecare.register.models import Practitioner

AHEAD, MOST_DAYS = timedelta(days=14), timedelta(days=62)


def _rows(actor: Actor) -> QuerySet[Practitioner]:
    rows = register.practitioners(actor).filter(person__erased_at__isnull=True, resource__isnull=False)
    return rows.filter(resource__retired_at__isnull=True)


def _make(rows: Sequence[Practitioner]) -> Iterator[tuple[int, Made]]:
    changed = changes(Practitioner, [row.pk for row in rows])
    for row in rows:
        content = filled(
            active=row.suspended_at is None and row.verified_at is not None,
            serviceType=[coded("skill", skill, str(Skill(skill).label)) for skill in row.skills],
            actor=[to("Practitioner", row.pk, row.person.name), to("PractitionerRole", row.pk)],
        )
        updated = max(filter(None, (row.verified_at, row.person.updated_at, changed.get(row.pk))))
        yield row.pk, Made(content, updated, place=row.institution.place_id)


def _narrow(criterion: Criterion) -> Narrowed | None:
    if criterion.parameter.code == "actor" and (keys := pointed(criterion, "Practitioner")):
        return Narrowed(Q(pk__in=keys), exact=False)
    return None


def _slots(actor: Actor, search: Search | None, logical_id: str) -> Iterator[tuple[str, Made]]:
    rows, within = _rows(actor), _within(search)
    if search is None:
        parts = logical_id.split("-")
        if len(parts) != 4 or not all(part.isascii() and part.isdigit() and len(part) < 13 for part in parts[1:]):
            return
        start = datetime.fromtimestamp(int(parts[2]), UTC)
        rows, within = rows.filter(pk=int(parts[1])), Span(start - timedelta(days=1), start + timedelta(days=2))
    for criterion in search.criteria if search is not None else ():
        if criterion.parameter.code == "schedule" and (keys := pointed(criterion, "Schedule")) is not None:
            rows = rows.filter(pk__in=keys)
    listed = list(rows.order_by("pk"))
    taken: dict[int, list[Span]] = {}
    for one in slots.busy([row.resource_id for row in listed if row.resource_id is not None], within):
        taken.setdefault(one.resource_id, []).append(Span(one.span.lower, one.span.upper))
    for row in listed:
        yield from _of(row, within, sorted(taken.get(row.resource_id or 0, ())))


def _within(search: Search | None) -> Span:
    """The time that a search asks for, by its `start`; from now for two weeks where it does not say."""
    begin = timezone.now().replace(minute=0, second=0, microsecond=0)
    end = begin + AHEAD
    for criterion in search.criteria if search is not None else ():
        if criterion.parameter.code != "start" or len(criterion.values) != 1:
            continue
        match criterion.values[0]:
            case Asked("ge" | "gt" | "sa", start=start):
                begin, end = start, max(end, start + AHEAD)
            case Asked("le" | "lt" | "eb", end=last):
                end = last
            case Asked("eq", start=start, end=last):
                begin, end = start, last
    return Span(begin, min(max(end, begin), begin + MOST_DAYS))


def _of(row: Practitioner, within: Span, taken: Sequence[Span]) -> Iterator[tuple[str, Made]]:
    assert row.resource_id is not None
    there = slots.diary(row.resource_id, within).there
    found = [("busy", one) for one in taken] + [("free", one) for span in there for one in _free(span, taken)]
    for status, span in sorted(found, key=lambda one: one[1]):
        if not span.overlaps(within):
            continue
        minutes = int((span.end - span.start).total_seconds() // 60)
        content = {
            "schedule": to("Schedule", row.pk),
            "status": status,
            "start": instant(span.start),
            "end": instant(span.end),
        }
        updated = row.verified_at or row.person.updated_at
        yield (
            f"slot-{row.pk}-{int(span.start.timestamp())}-{minutes}",
            Made(content, updated, place=row.institution.place_id),
        )


def _free(there: Span, taken: Sequence[Span]) -> Iterator[Span]:
    start = there.start
    for one in taken:
        if one.start < there.end and one.end > start:
            if one.start > start:
                yield Span(start, one.start)
            start = max(start, one.end)
    if start < there.end:
        yield Span(start, there.end)


projections = (Projection("Schedule", _rows, _make, _narrow), Computed("Slot", _slots))
