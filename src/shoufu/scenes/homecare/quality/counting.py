"""Counts of visits, ratings, adverse events and complaints by month, service, institution or nurse, in SQL.

One statement for the visits of a span of time, however many: the cells come from grouping sets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import subtree
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Forbidden, Invalid, NotFound
from shoufu.scenes.homecare.quality import selectors
from shoufu.scenes.homecare.quality.figures import Cell, Counts
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.models import Institution

MOST_DAYS = 1100
DIMENSIONS = ("total", "month", "service", "institution", "practitioner")


@dataclass(frozen=True)
class Span:
    """Which visits: of days within [since, until), of these institutions, below one of `paths` (None: wherever they
    are), of one service, by these practitioners (None: whoever came)."""

    since: date
    until: date
    offices: tuple[int, ...]
    paths: tuple[str, ...] | None = None
    service: int | None = None
    practitioners: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Asked:
    """What somebody wants to see; days as said, the last one counts."""

    since: date
    last: date
    institution: int | None = None
    service: int | None = None


def offices(actor: Actor, *permissions: str) -> list[Institution]:
    """The institutions of whose quality the actor may see something: at or around the places of these rights."""
    paths = [path for right in permissions for path in actor.paths(right)]
    rows = Institution.objects.select_related("organisation", "place")
    if actor.is_system:
        return list(rows)
    around = {"/" + "/".join(parts[:end]) + "/" for parts in map(_parts, paths) for end in range(1, len(parts) + 1)}
    here = subtree(paths, "place__path")
    found = rows.filter(register.of_offices(actor, "pk")) if paths else rows.none()
    return [one for one in found if one.place.path in around] + list(found.filter(here).exclude(place__path__in=around))


def _parts(path: str) -> list[str]:
    return path.strip("/").split("/")


def span(actor: Actor, asked: Asked) -> Span:
    """What of it the actor may see: staff their institution and the regulator every one in their places, else a
    practitioner their own visits. Invalid for days that make no span, Forbidden for others."""
    if asked.last < asked.since or (asked.last - asked.since).days > MOST_DAYS:
        raise Invalid.one("last", _("From the first day on, at most three years."))
    until = asked.last + timedelta(days=1)
    wide = tuple(right for right in (selectors.QUALITY, selectors.REGULATE) if actor.may_anywhere(right))
    if actor.is_system or wide:
        seen = offices(actor, *wide)
        chosen = [one for one in seen if asked.institution in (None, one.pk)]
        if asked.institution is not None and not chosen:
            raise NotFound(_("There is no institution %(id)s that you may see.") % {"id": asked.institution})
        paths = tuple(path for right in wide for path in actor.paths(right))
        whole = actor.is_system or all(any(one.place.path.startswith(path) for path in paths) for one in chosen)
        ids = tuple(one.pk for one in chosen)
        return Span(asked.since, until, ids, None if whole else paths, asked.service)
    mine = list(register.practices(actor)) if actor.may_anywhere(selectors.CARE) else []
    if not mine:
        raise Forbidden(_("You need the right “%(right)s”.") % {"right": selectors.QUALITY})
    ids = tuple({one.institution_id for one in mine})
    return Span(asked.since, until, ids, None, asked.service, tuple(one.pk for one in mine))


KEYS = {"month": "month", "service": "service_id", "institution": "institution_id", "practitioner": "practitioner_id"}
AFTER = timedelta(days=30)


def _visits(span: Span) -> tuple[str, list[Any]]:
    """The visits of a span, and those of 30 days after it (only to see what came after), as the table `v`."""
    wanted: list[str] = ["v.day >= %s", "v.day < %s", "v.institution_id = any(%s)"]
    values: list[Any] = [span.since, span.until + AFTER, list(span.offices)]
    joins = ""
    if span.service is not None:
        wanted.append("v.service_id = %s")
        values.append(span.service)
    if span.paths is not None:
        joins += " join places_place p on p.id = v.place_id"
        wanted.append("p.path like any(%s)")
        values.append([f"{path}%" for path in span.paths])
    if span.practitioners is not None:
        wanted.append("v.id in (select s.visit_id from homecare_visits_stop s where s.practitioner_id = any(%s))")
        values.append(list(span.practitioners))
    return f"{joins} where {' and '.join(wanted)}", values


VISITS = """
with v as materialized (
  select v.id, v.patient_id, v.service_id, v.institution_id, v.state, v.day, v.starts_at, v.latest_at,
         v.began_at, v.ended_at, version.duration_minutes as planned,
         lead(v.began_at) over w - v.ended_at as gap,
         lead(v.requested_at) over w > v.ended_at as asked_after
  from homecare_visits_visit v
  join homecare_register_serviceversion version on version.id = v.version_id
  {where}
  window w as (partition by v.patient_id, v.service_id, v.state = 'done' order by v.began_at)
)
select {keys}, grouping({sets_all}),
  count(*) filter (where state = 'done'),
  {people},
  count(*) filter (where state = 'done' and began_at is not null),
  count(*) filter (where state = 'done' and began_at between starts_at - interval '10 minutes' and latest_at),
  count(*) filter (where state = 'done' and ended_at is not null),
  coalesce(sum(planned) filter (where state = 'done' and ended_at is not null), 0),
  coalesce(sum(extract(epoch from ended_at - began_at)) filter (where state = 'done'), 0) / 60,
  count(*) filter (where state = 'missed'),
  count(*) filter (where state = 'cancelled'),
  count(*) filter (where state in ('done', 'missed', 'cancelled')),
  count(*) filter (where state = 'done' and ended_at <= %s),
  count(*) filter (where state = 'done' and ended_at <= %s and gap <= interval '7 days' and asked_after),
  count(*) filter (where state = 'done' and ended_at <= %s),
  count(*) filter (where state = 'done' and ended_at <= %s and gap <= interval '30 days' and asked_after),
  count(stars),
  coalesce(sum(stars), 0)
from (
  select v.*, date_trunc('month', v.day)::date as month, r.stars{nurse}
  from v left join homecare_quality_rating r on r.visit_id = v.id{stops}
  where v.day < %s{only}
) as counted
group by grouping sets ({sets})
"""
NAMES = (
    "done", "people", "promised", "punctual", "timed", "planned_minutes", "spent_minutes", "missed", "cancelled",
    "settled", "aged7", "again7", "aged30", "again30", "ratings", "stars",
)  # fmt: skip


def counted(
    span: Span,
    dimensions: Sequence[str] = ("total", "month", "service"),
    *,
    people: bool = False,
    now: datetime | None = None,
) -> dict[str, dict[str, Cell]]:
    """The visits of each dimension's cells, by key, counted now. `people` counts patients too, which what is published
    needs."""
    if not span.offices:
        return {name: {} for name in dimensions}
    now = now or timezone.now()
    nurses = "practitioner" in dimensions
    columns = [KEYS[name] for name in dimensions if name in KEYS]
    where, values = _visits(span)
    only, more = "", []
    if nurses and span.practitioners is not None:
        only, more = " and s.practitioner_id = any(%s)", [list(span.practitioners)]
    keys = ", ".join(columns) or "1"
    sql = VISITS.format(
        where=where,
        keys=keys,
        sets_all=keys if columns else "()",
        people="count(distinct patient_id) filter (where state = 'done')" if people else "0",
        nurse=", s.practitioner_id" if nurses else "",
        stops=" join homecare_visits_stop s on s.visit_id = v.id" if nurses else "",
        only=only,
        sets=", ".join(f"({KEYS[name]})" if name in KEYS else "()" for name in dimensions),
    )
    week, month = now - timedelta(days=7), now - timedelta(days=30)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*values, week, week, month, month, span.until, *more])
        rows = cursor.fetchall()
    return _cells(rows, columns, dimensions)


def _cells(rows: Sequence[Any], columns: Sequence[str], dimensions: Sequence[str]) -> dict[str, dict[str, Cell]]:
    names = {KEYS[name]: name for name in dimensions if name in KEYS}
    found: dict[str, dict[str, Cell]] = {name: {} for name in dimensions}
    width = max(len(columns), 1)
    for row in rows:
        mask = row[width]
        grouped = [n for n in range(len(columns)) if not mask >> (len(columns) - 1 - n) & 1]
        name = names[columns[grouped[0]]] if grouped else "total"
        key = str(row[grouped[0]]) if grouped else ""
        counts = {field: _number(value) for field, value in zip(NAMES, row[width + 1 :], strict=True)}
        found[name][key] = Cell(key, Counts(**counts))
    return found


def _number(value: Any) -> Any:
    return value if isinstance(value, int) else float(value)


def add_events(cells: dict[str, dict[str, Cell]], span: Span, dimensions: Sequence[str]) -> None:
    """Add adverse events and complaints to the cells; a cell is made where there were no visits."""
    for name in dimensions:
        for key, values in _events(span, name).items():
            cell = cells[name].get(key) or Cell(key, Counts())
            cells[name][key] = replace(cell, counts=replace(cell.counts, **values))


def _events(span: Span, dimension: str) -> Mapping[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for sql, names in (
        (INCIDENTS, ("incidents", "infections", "serious")),
        (COMPLAINTS, ("complaints", "answered", "answer_hours")),
    ):
        moment = "happened_at" if names[0] == "incidents" else "made_at"
        key, joins = _event_key(dimension, moment)
        wanted, values = _event_filter(span, moment, names[0] == "incidents")
        with connection.cursor() as cursor:
            cursor.execute(sql.format(key=key, joins=joins, where=wanted), values)
            for row in cursor.fetchall():
                if row[0] is not None:
                    place = found.setdefault(str(row[0]), {})
                    place.update(dict(zip(names, (_number(one) for one in row[1:]), strict=True)))
    return found


INCIDENTS = """
select {key}, count(distinct e.id), count(distinct e.id) filter (where e.kind = 'infection'),
       count(distinct e.id) filter (where e.grade <= 2)
from homecare_quality_incident e
join homecare_register_institution i on i.id = e.institution_id
join places_place o on o.id = i.place_id
left join homecare_visits_visit v on v.id = e.visit_id{joins}
where {where} group by 1
"""
COMPLAINTS = """
select {key}, count(distinct e.id), count(distinct e.id) filter (where e.answered_at is not null),
       coalesce(sum(extract(epoch from e.answered_at - e.made_at)), 0) / 3600
from homecare_quality_complaint e
join homecare_register_institution i on i.id = e.institution_id
join places_place o on o.id = i.place_id
left join homecare_visits_visit v on v.id = e.visit_id{joins}
where {where} group by 1
"""


def _event_key(dimension: str, moment: str) -> tuple[str, str]:
    stops = " left join homecare_visits_stop s on s.visit_id = v.id"
    return {
        "total": ("''", ""),
        "month": (f"date_trunc('month', e.{moment} at time zone o.time_zone)::date", ""),
        "service": ("v.service_id", ""),
        "institution": ("e.institution_id", ""),
        "practitioner": ("s.practitioner_id", stops),
    }[dimension]


def _event_filter(span: Span, moment: str, incidents: bool) -> tuple[str, list[Any]]:
    day = f"(e.{moment} at time zone o.time_zone)::date"
    wanted = [f"{day} >= %s", f"{day} < %s", "e.institution_id = any(%s)"]
    values: list[Any] = [span.since, span.until, list(span.offices)]
    if span.service is not None:
        wanted.append("v.service_id = %s")
        values.append(span.service)
    if span.paths is not None:
        wanted.append("exists (select 1 from places_place p where p.id = e.place_id and p.path like any(%s))")
        values.append([f"{path}%" for path in span.paths])
    if span.practitioners is not None:
        own = "exists (select 1 from homecare_visits_stop z where z.visit_id = v.id and z.practitioner_id = any(%s))"
        wanted.append(f"({own} or e.practitioner_id = any(%s))" if incidents else own)
        values += [list(span.practitioners)] * (2 if incidents else 1)
    return " and ".join(wanted), values


CAUSES = """
select v.service_id, v.state, v.end_cause, count(*) from homecare_visits_visit v{where} and v.day < %s
  and v.state in ('missed', 'cancelled', 'expired') group by 1, 2, 3
"""


def causes_by_service(span: Span) -> dict[tuple[int, str, str], int]:
    """How many visits were missed, cancelled or not paid in time, by service, state and cause."""
    if not span.offices:
        return {}
    where, values = _visits(span)
    with connection.cursor() as cursor:
        cursor.execute(CAUSES.format(where=where), [*values, span.until])
        return {(service, state, cause): count for service, state, cause, count in cursor.fetchall()}


def causes(span: Span) -> list[tuple[str, str, int]]:
    """The same of all services, the most frequent first."""
    found: dict[tuple[str, str], int] = {}
    for (_service, state, cause), count in causes_by_service(span).items():
        found[state, cause] = found.get((state, cause), 0) + count
    listed = [(state, cause, count) for (state, cause), count in found.items()]
    return sorted(listed, key=lambda one: (-one[2], one[0], one[1]))
