"""What the tables say of the visits of some days, read without making rows of models: a question for free times reads
a thousand visits, and making their rows took ten times as long as planning with them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

from shoufu.scenes.homecare.visits.models import Visit

VISITS = """
select visit.id, visit.day, visit.patient_id, visit.place_id, place.path, visit.version_id,
  extract(epoch from visit.starts_at)::float8, extract(epoch from visit.latest_at)::float8,
  extract(epoch from visit.began_at)::float8, extract(epoch from visit.ended_at)::float8
from homecare_visits_visit visit
join places_place place on place.id = visit.place_id
left join booking_booking booking on booking.id = visit.booking_id
where visit.institution_id = %(office)s and visit.day = any(%(days)s) and visit.state = any(%(states)s)
  and visit.id <> %(without)s and not (visit.state = 'held' and coalesce(booking.held_until <= %(now)s, false))
order by visit.id
"""
STOPS = """
select visit_id, task, practitioner_id, extract(epoch from lower(span))::float8, pinned
from homecare_visits_stop where visit_id = any(%s) order by visit_id, task
"""
NURSES = "select patient_id, practitioner_id from homecare_register_patient_nurses where patient_id = any(%s)"


@dataclass(frozen=True, slots=True)
class Sent:
    """Who is sent for a task, and the second (of the epoch) at which they are to begin."""

    task: int
    practitioner: int
    begin: float
    pinned: bool


@dataclass(frozen=True, slots=True)
class Known:
    """A visit as planning needs it; moments are seconds of the epoch. `usual` are ids of who cares for the patient."""

    pk: int
    day: date
    patient: int
    place: int
    version: int
    starts: float
    latest: float
    began: float | None
    ended: float | None
    stops: tuple[Sent, ...]
    usual: frozenset[int]


@dataclass(frozen=True)
class Read:
    """Visits of some days by the day, the path of each of their places by its id, and who cares for each patient."""

    by_day: dict[date, list[Known]]
    paths: dict[int, str]
    usual: Mapping[int, frozenset[int]]


def visits(office: int, days: Sequence[date], now: datetime, without: int | None, patients: Iterable[int] = ()) -> Read:
    """The visits of an institution that are planned on these days: three statements. Holds that ran out count no more,
    nor does the visit `without`. Who cares for `patients` is told besides."""
    values: dict[str, Any] = {
        "office": office,
        "days": list(days),
        "states": [str(one) for one in Visit.PLANNED],
        "now": now,
        "without": without or 0,
    }
    with connection.cursor() as cursor:
        cursor.execute(VISITS, values)
        rows = cursor.fetchall()
        stops = _stops(cursor, [row[0] for row in rows])
        usual = _usual(cursor, {row[2] for row in rows}.union(patients))
    by_day: dict[date, list[Known]] = {day: [] for day in days}
    for pk, day, patient, place, _path, version, starts, latest, began, ended in rows:
        known = Known(pk, day, patient, place, version, starts, latest, began, ended, tuple(stops[pk]), usual[patient])
        by_day[day].append(known)
    return Read(by_day, {row[3]: row[4] for row in rows}, usual)


def _stops(cursor: Any, ids: Sequence[int]) -> dict[int, list[Sent]]:
    found: dict[int, list[Sent]] = defaultdict(list)
    if ids:
        cursor.execute(STOPS, [ids])
        for visit, task, practitioner, begin, pinned in cursor.fetchall():
            found[visit].append(Sent(task, practitioner, begin, pinned))
    return found


def _usual(cursor: Any, patients: Iterable[int]) -> dict[int, frozenset[int]]:
    found: dict[int, list[int]] = {pk: [] for pk in patients}
    cursor.execute(NURSES, [list(found)])
    for patient, practitioner in cursor.fetchall():
        found[patient].append(practitioner)
    return {pk: frozenset(nurses) for pk, nurses in found.items()}
