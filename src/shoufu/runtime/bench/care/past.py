"""Years of visits that were: rows with everything that hangs on them, by SQL, since the services would take hours."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from shoufu.runtime.bench.care.district import Made

DAY = """
create temporary table bench_patient as
select row_number() over (order by p.id) - 1 as n, p.id, p.person_id, p.place_id, a.id as assessment_id, k.vitals,
       k.record
from homecare_register_patient p
join unnest(%(people)s::bigint[], %(vitals)s::bytea[], %(records)s::bytea[]) as k(person, vitals, record)
  on k.person = p.person_id
left join homecare_assessment_assessment a on a.patient_id = p.id;
create temporary table bench_past as
select k as n, slot, %(midnight)s::timestamptz - make_interval(days => (k / %(visits)s + 1)::int) + make_interval(
         mins => (480 + 100 * (slot / %(nurses)s) + k * 7 %% 25)::int) as starts,
       (%(day)s::date - (k / %(visits)s + 1)::int) as day,
       p.id as patient, p.person_id as person, p.place_id as place, p.assessment_id as assessment, p.vitals, p.record,
       v.service_id as service, v.id as version, v.duration_minutes as minutes, v.price, v.insurance_share as share,
       v.needs_assessment as assessed, o.id as offering, o.current_id as terms, o.place_id as offered_at,
       (%(nurse_ids)s::bigint[])[slot %% %(nurses)s + 1] as nurse,
       case when k %% 33 = 5 then 'missed' when k %% 29 = 7 then 'cancelled' else 'done' end as state,
       make_interval(mins => (k * 13 %% 41 - 6)::int) as late,
       make_interval(mins => (k * 11 %% 21 - 8)::int) as longer
from (select k, k %% %(visits)s as slot from generate_series(0, %(past)s - 1) k) as numbered
join bench_patient p on p.n = (k * 17 + k / %(visits)s) %% %(patients)s
join homecare_register_serviceversion v on v.id = (%(versions)s::bigint[])[(k * 5 / 3) %% %(kinds)s + 1]
join booking_offering o on o.code = 'homecare-' || v.service_id;
analyze bench_past;
"""
ORDERS = """
insert into payments_order (id, number, place_id, institution_id, payer_id, title, source, currency,
  state, gross_minor, discount_minor, total_minor, insurance_minor, payer_minor, paid_minor, refunded_minor,
  insurance_refunded_minor, settled_minor, request_hash, created_by, created_at, paid_at, ended_at, version)
select %(orders)s + n, 'BENCH-' || n, offered_at, %(organisation)s, person, '居家护理', 'homecare.visit:' ||
  (%(visits_from)s + n), 'CNY', case state when 'done' then 'paid' when 'missed' then 'paid' else 'refunded' end,
  price, 0, price, price * share / 100, price - price * share / 100, price - price * share / 100,
  case state when 'cancelled' then price - price * share / 100 else 0 end,
  case state when 'cancelled' then price * share / 100 else 0 end,
  case when n / %(visits)s < 60 or state = 'cancelled' then 0 else price end, '', 'bench', starts - interval '3 days',
  starts - interval '71 hours', case state when 'cancelled' then starts - interval '1 day' end, 1
from bench_past
"""
BOOKINGS = """
insert into booking_booking (id, offering_id, terms_id, place_id, state, starts_at, ends_at, units, quantity, person_id,
  details, made_at, ended_at, charge, charge_reason, version)
select %(bookings)s + n, offering, terms, offered_at, case state when 'done' then 'completed' when 'missed' then
  'no_show' else 'cancelled' end, starts, starts + make_interval(mins => minutes), 1, 1, person,
  jsonb_build_object('patient', patient), starts - interval '3 days', starts, 0, '', 1
from bench_past
"""
VISITS = """
insert into homecare_visits_visit (id, patient_id, institution_id, service_id, version_id, assessment_id, place_id,
  booking_id, order_id, state, day, starts_at, latest_at, requested_at, consented_at, began_at, ended_at, end_cause,
  changed, pay_later, blocked)
select %(visits_from)s + n, patient, %(office)s, service, version, case when assessed then assessment end, place,
  %(bookings)s + n, %(orders)s + n, state, day, starts, starts + interval '30 minutes', starts - interval '3 days',
  starts - interval '3 days', case state when 'done' then starts + late end,
  case state when 'done' then starts + late + longer + make_interval(mins => minutes) when 'missed' then starts
    else starts - interval '1 day' end,
  case state when 'missed' then 'nobody_home' when 'cancelled' then 'booker' else '' end, 4, false, '{}'
from bench_past
"""
STOPS = """
insert into homecare_visits_stop (visit_id, task, practitioner_id, span, live, pinned)
select %(visits_from)s + n, 0, nurse, tstzrange(starts + late, starts + late + make_interval(mins => minutes)), false,
  false from bench_past where state <> 'cancelled'
"""
EVENTS = """
insert into homecare_visits_visitevent (visit_id, at, kind, data)
select %(visits_from)s + n, starts + told.at, told.kind, '{}'
from bench_past cross join (values (interval '-72 hours', 'hold'), (interval '-72 hours', 'consent'),
  (interval '-71 hours', 'book'), (interval '5 minutes', 'begin'), (interval '45 minutes', 'finish')) told(at, kind)
where state = 'done' or told.at < interval '0'
"""
ENCOUNTERS = """
insert into homecare_encounters_encounter (id, visit_id, practitioner_id, patient_id, place_id, state, checklist,
  opened_at, in_at, in_known, in_distance, in_reason, out_at, out_known, out_reason, end_cause, clock_error, contested)
select %(encounters)s + n, %(visits_from)s + n, nurse, patient, place, 'finished', '', starts + late, starts + late,
  starts + late, 20, '', starts + late + longer + make_interval(mins => minutes),
  starts + late + longer + make_interval(mins => minutes), '', '', 0, false
from bench_past where state = 'done'
"""
ENTRIES = """
insert into homecare_encounters_entry (encounter_id, kind, number, at, known_at, author_id, content)
select %(encounters)s + n, told.kind, 1, starts + late, starts + late, nurse,
  case told.kind when 'vitals' then vitals else record end
from bench_past cross join (values ('vitals'), ('record')) told(kind) where state = 'done'
"""
RATINGS = """
insert into homecare_quality_rating (visit_id, stars, tags, made_at)
select %(visits_from)s + n, 5 - (n %% 17) / 6, array['kind', 'punctual'], starts + interval '1 day'
from bench_past where state = 'done'
"""
PLANS = """
insert into homecare_planning_dayplan (institution_id, day, number, "order", starts, changed_at)
select %(office)s, day, count(*), '[]', '{}', min(starts) from bench_past group by day;
insert into homecare_planning_planevent (plan_id, number, at, kind, reason, moved, data)
select p.id, slot + 1, b.starts - interval '3 days', 'booked', '', jsonb_build_array(%(visits_from)s + n),
  jsonb_build_object('visit', %(visits_from)s + n)
from bench_past b join homecare_planning_dayplan p on p.institution_id = %(office)s and p.day = b.day
"""
TABLES = {
    "orders": "payments_order",
    "bookings": "booking_booking",
    "visits_from": "homecare_visits_visit",
    "encounters": "homecare_encounters_encounter",
}


def make(made: Made, count: int, a_day: int, say: Callable[[str], None]) -> None:
    """So many visits of the days before today, `a_day` on each, with stops, histories, encounters, entries, ratings,
    bookings, orders and changes of the plans; and complaints, adverse events and refusals about some of them."""
    from django.db import connection, transaction

    say(f"Making {count:,} visits that were …")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")  # no look at each row's foreign keys
        values = _values(made, count, a_day)
        for name, table in TABLES.items():
            cursor.execute(f"select coalesce(max(id), 0) + 1 from {table}")
            values[name] = cursor.fetchone()[0]
        texts = (DAY, ORDERS, BOOKINGS, VISITS, STOPS, EVENTS, ENCOUNTERS, ENTRIES, RATINGS, PLANS)
        for statement in (one for text in texts for one in text.split(";")):
            if statement.strip():
                cursor.execute(statement, values)
        for table in TABLES.values():
            cursor.execute(f"select setval(pg_get_serial_sequence('{table}', 'id'), (select max(id) from {table}))")
    _said(made, values["visits_from"], count)


def _values(made: Made, count: int, a_day: int) -> dict[str, Any]:
    from shoufu.scenes.homecare.register.models import ServiceVersion

    zone = ZoneInfo(made.office.place.time_zone)
    singles = ServiceVersion.objects.filter(service__institution=made.office, second="none").order_by("pk")
    versions = list(singles.values_list("pk", flat=True))
    people = [one.person_id for one in made.patients]
    vitals, records = _written(people)
    return {
        "day": made.day,
        "midnight": datetime.combine(made.day, time(), zone),
        "visits": a_day,
        "past": count,
        "nurses": len(made.nurses),
        "nurse_ids": [one.pk for one in made.nurses],
        "patients": len(people),
        "people": people,
        "vitals": vitals,
        "records": records,
        "versions": versions,
        "kinds": len(versions),
        "office": made.office.pk,
        "organisation": made.office.organisation_id,
    }


def _written(people: Sequence[int]) -> tuple[list[bytes], list[bytes]]:
    """Of each person: vital signs and a record as a phone writes them, encrypted with their key."""
    import msgspec

    from shoufu.kernel.audit import subjects
    from shoufu.scenes.homecare.encounters import documents
    from shoufu.scenes.homecare.encounters.services.common import LINE

    keys = subjects.keys_for(people)
    written = (
        msgspec.to_builtins(documents.Vitals({"systolic": 132.0, "diastolic": 81.0, "pulse": 72.0})),
        msgspec.to_builtins(documents.Record(findings="伤口清洁，愈合良好。" * 8)),
    )
    found: tuple[list[bytes], list[bytes]] = ([], [])
    for person in people:
        key = keys[person]
        assert key is not None
        for kept, document in zip(found, written, strict=True):
            kept.append(subjects.seal_text(key, json.dumps({"": document}, ensure_ascii=False), person, LINE))
    return found


def _said(made: Made, first: int, count: int) -> None:
    """Complaints about one visit in fifty, adverse events at one in a hundred, a refusal at one in five hundred."""
    from shoufu.scenes.homecare.quality.models import Complaint, Incident, Refusal
    from shoufu.scenes.homecare.quality.services.common import needed
    from shoufu.scenes.homecare.visits.models import Visit

    draw = random.Random(9)
    wanted = sorted(draw.sample(range(first, first + count), count // 50))
    rows = list(Visit.objects.filter(pk__in=wanted).select_related("patient").order_by("pk"))
    plain = {"institution": made.office}
    people = {row.patient.person_id for row in rows}
    words = {person: needed(person, "护士来得太晚，老人等了很久。" * 2) for person in people}
    Complaint.objects.bulk_create(
        _complaint(n, row, plain | {"what": words[row.patient.person_id]}) for n, row in enumerate(rows)
    )
    Incident.objects.bulk_create(
        Incident(
            **plain, place_id=row.place_id, visit=row, patient_id=row.patient_id, subject_id=row.patient.person_id,
            kind=("needle", "fall", "infection", "other")[n % 4], grade=n % 4 + 1, happened_at=row.starts_at,
            reported_at=row.starts_at, what=words[row.patient.person_id], state="closed",
            closed_at=row.starts_at + timedelta(days=3),
        )
        for n, row in enumerate(rows[::2])
    )  # fmt: skip
    pairs = {(row.patient_id, made.nurses[n % len(made.nurses)].pk): row for n, row in enumerate(rows[::10])}
    Refusal.objects.bulk_create(
        Refusal(
            patient_id=patient, practitioner_id=nurse, place_id=row.place_id, side="patient", code="conflict",
            made_at=row.starts_at, ended_at=row.starts_at + timedelta(days=9) if nurse % 4 else None,
        )
        for (patient, nurse), row in pairs.items()
    )  # fmt: skip


def _complaint(n: int, row: Any, plain: dict[str, Any]) -> Any:
    from shoufu.scenes.homecare.quality.models import Complaint

    at, open_ = row.starts_at + timedelta(days=1), n % 40 == 0
    return Complaint(
        **plain, patient_id=row.patient_id, place_id=row.place_id, visit=row, kind=("care", "manner", "time")[n % 3],
        state="received" if open_ else "closed", made_at=at, acknowledge_by=at + timedelta(days=1),
        answer_by=at + timedelta(days=7), acknowledged_at=None if open_ else at + timedelta(hours=6),
        answered_at=None if open_ else at + timedelta(hours=60 + n % 90),
        escalated_at=at + timedelta(days=2) if n % 20 == 0 else None, escalation="asked" if n % 20 == 0 else "",
        ended_at=None if open_ else at + timedelta(days=9),
    )  # fmt: skip
