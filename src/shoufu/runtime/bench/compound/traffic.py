"""A year of a compound, day by day: people and cars by the hour at which they pass, counts, cases, late reports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from shoufu.runtime.bench.bulk import bare
from shoufu.runtime.bench.compound.register import Made

HOURS = (3, 2, 1, 1, 2, 10, 34, 78, 70, 42, 38, 46, 52, 40, 36, 40, 56, 84, 92, 74, 56, 38, 20, 8)
"""How much of a day's movement falls into each hour at the place: out in the morning, home in the evening."""
PASSAGES = 9.0
"""Passages at doors a household and day: 2.6 people who leave and come home 1.7 times, by unit door or gate."""
CAR_TRIPS = 2.0
"""Passages of cars a household and day."""
CROSSINGS = 1_000
"""People and vehicles that cross the line of one camera in a day."""
COUNT_SECONDS = 300
LATE_SHARE = 0.01
CASES = 12
ZONE = timedelta(hours=8)


@dataclass(frozen=True)
class Span:
    """Which days are made: `days` in all, the last `log_days` of them as rows of the log too."""

    days: int
    log_days: int
    now: datetime


# A batch is ten seconds of the whole compound; one row in a hundred comes up to an hour later, in another batch.
# A passage: the decision, the door opening a second later, and closing after some seconds (one in 500 stands open).
DAY = """
create temporary table made on commit drop as
with passage as (
    select s, case when random() < 0.7
            then (%(doors)s::bigint[])[1 + floor(random() * cardinality(%(doors)s::bigint[]))::int]
            else (%(gates)s::bigint[])[1 + floor(random() * cardinality(%(gates)s::bigint[]))::int] end as device,
        %(since)s::timestamptz + make_interval(secs =>
            3600 * (%(hours)s::int[])[1 + floor(random() * cardinality(%(hours)s::int[]))::int] + random() * 3600) as t,
        random() as luck, floor(random() * %(people)s)::int as person,
        case when random() < 0.002 then 40 + random() * 300 else 3 + random() * 9 end as stands
    from generate_series(1, %(passages)s) s
), car as (
    select s, (%(lanes)s::bigint[])[1 + s %% cardinality(%(lanes)s::bigint[])] as device,
        %(since)s::timestamptz + make_interval(secs =>
            3600 * (%(hours)s::int[])[1 + floor(random() * cardinality(%(hours)s::int[]))::int] + random() * 3600) as t,
        '辽A' || lpad(floor(random() * %(cars)s)::text, 5, '0') as plate, random() < 0.07 as guest
    from generate_series(1, %(trips)s) s
), crossing as (
    select s, (%(cameras)s::bigint[])[1 + s %% cardinality(%(cameras)s::bigint[])] as device,
        %(since)s::timestamptz + make_interval(secs =>
            3600 * (%(hours)s::int[])[1 + floor(random() * cardinality(%(hours)s::int[]))::int] + random() * 3600) as t,
        random() as luck
    from generate_series(1, %(crossings)s) s
), counted as (
    select d.device, %(since)s::timestamptz + make_interval(secs => %(every)s * (n + d.ord::float8 / 64)) as t,
        floor(random() * random() * 7)::int as persons
    from generate_series(0, 86400 / %(every)s - 1) n
    cross join unnest(%(counters)s::bigint[]) with ordinality as d(device, ord)
), happened as (
select 'door.access' as kind, device, t, null as foi, '' as property, jsonb_build_object('granted', luck > 0.015,
    'credential', case when luck < 0.55 then 'card' when luck < 0.8 then 'qr' else 'pin' end,
    'direction', case when s %% 2 = 0 then 'in' else 'out' end, 'key', lpad(to_hex(person), 8, '0')) as result
from passage
union all select 'door.state', device, t + interval '1 second', null, 'state', '{"state": "open"}'::jsonb
from passage where luck > 0.015
union all select 'door.state', device, t + make_interval(secs => 1 + stands), null, 'state',
    '{"state": "closed"}'::jsonb
from passage where luck > 0.015
union all select 'plate.read', device, t, plate, '', jsonb_build_object('plate', plate, 'score', 0.97) from car
union all select 'vehicle.passage', device, t, plate, '', jsonb_build_object('plate', plate,
    'class', case when guest then 'unknown' else 'registered' end,
    'direction', case when s %% 2 = 0 then 'in' else 'out' end) from car
union all select 'line.crossing', device, t, 'track:' || s, '', jsonb_build_object('line', '入口线',
    'object', case when luck < 0.8 then 'person' else 'car' end,
    'direction', case when s %% 2 = 0 then 'in' else 'out' end, 'score', 0.8) from crossing
union all select 'object.count', device, t, null, 'persons', jsonb_build_object('persons', persons, 'vehicles', 0)
from counted
), learned as (
select *, to_timestamp(10 * ceil(extract(epoch from t) / 10 + 0.0001)) + case
    when random() < %(late)s then make_interval(secs => 10 * floor(random() * 360)) else interval '20 ms' end as known
from happened
)
select distinct on (device, kind, t) * from learned where known <= %(now)s
"""
LOG = """
insert into obs (id, t, known, batch, ix, kind, device, place, shard, foi, result)
select gen_random_uuid(), m.t, m.known, floor(extract(epoch from m.known) / 10)::bigint, 0, k.id, m.device,
    d.place_id, 0, m.foi, m.result
from made m join observations_observationkind k on k.code = m.kind join devices_device d on d.id = m.device
order by m.known
"""
BATCHES = """
insert into batch_log (number, key, known, count)
select (select coalesce(max(number), 0) from batch_log) + row_number() over (order by m.key), m.key, m.known, m.count
from (
    select floor(extract(epoch from known) / 10)::bigint as key, max(known) as known, count(*) as count
    from made group by 1
) m
where not exists (select from batch_log b where b.key = m.key)
order by m.key
"""
CHANGES = """
insert into devices_change (device_id, property, value, valid, known)
select device, property, result -> property, t, known from made where property <> '' order by known
"""
HOURLY = """
insert into observations_hourlycount (place_id, kind_id, hour, count)
select d.place_id, k.id, date_trunc('hour', m.t), count(*) from made m
join observations_observationkind k on k.code = m.kind join devices_device d on d.id = m.device
group by 1, 2, 3 on conflict (place_id, kind_id, hour)
do update set count = observations_hourlycount.count + excluded.count
"""


def make(made: Made, households: int, span: Span, say: Callable[[str], None]) -> None:
    """Make the days, oldest first, and the cases."""
    with bare("obs"), bare("devices_change"):
        _days(made, households, span, say)
    _cases(made, span)


def counts() -> tuple[int, int]:
    """Rows of the log and changes of state that there are."""
    with connection.cursor() as cursor:
        cursor.execute("select (select count(*) from obs), (select count(*) from devices_change)")
        row = cursor.fetchone()
        return int(row[0]), int(row[1])


def _days(made: Made, households: int, span: Span, say: Callable[[str], None]) -> None:
    """Days before the log repeat a fortnight (so weekdays stay weekdays), those of the log are made one by one."""
    midnight = (span.now + ZONE).replace(hour=0, minute=0, second=0, microsecond=0) - ZONE
    first = midnight - timedelta(days=span.log_days - 1)
    before = span.days - span.log_days
    if before > 0:
        _fortnight(made, households, first, span)
        with connection.cursor() as cursor:
            for block in range(-(-before // FORTNIGHT), 0, -1):
                cursor.execute(REPEAT, {"shift": (block - 1) * FORTNIGHT})
                say(f"  {block * FORTNIGHT} days before the log")
            cursor.execute("drop table pattern, pattern_hours")
    for day in range(span.log_days):
        _day(made, households, first + timedelta(days=day), span)
        if day % 10 == 9:
            say(f"  {day + 1} of the log's {span.log_days} days")


FORTNIGHT = 14
PATTERN = """
create temporary table if not exists pattern
    (device bigint, property text, value jsonb, t timestamptz, known timestamptz);
create temporary table if not exists pattern_hours (place bigint, kind bigint, hour timestamptz, count bigint);
insert into pattern select device, property, result -> property, t, known from made where property <> '';
insert into pattern_hours select d.place_id, k.id, date_trunc('hour', m.t), count(*) from made m
join observations_observationkind k on k.code = m.kind join devices_device d on d.id = m.device group by 1, 2, 3;
"""
REPEAT = """
insert into devices_change (device_id, property, value, valid, known)
select device, property, value, t - make_interval(days => %(shift)s), known - make_interval(days => %(shift)s)
from pattern order by known;
insert into observations_hourlycount (place_id, kind_id, hour, count)
select place, kind, hour - make_interval(days => %(shift)s), sum(count) from pattern_hours group by 1, 2, 3
on conflict (place_id, kind_id, hour) do update set count = observations_hourlycount.count + excluded.count;
"""


def _fortnight(made: Made, households: int, until: datetime, span: Span) -> None:
    for back in range(FORTNIGHT, 0, -1):
        given = _given(made, households, until - timedelta(days=back), span)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(DAY, given)
            cursor.execute(PATTERN)


def _day(made: Made, households: int, since: datetime, span: Span) -> None:
    given = _given(made, households, since, span)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(DAY, given)
        cursor.execute("select obs_make_partitions(%s, %s)", [since.date(), (since + timedelta(days=1)).date()])
        for statement in (LOG, BATCHES, CHANGES, HOURLY):
            cursor.execute(statement)


def _given(made: Made, households: int, since: datetime, span: Span) -> dict[str, Any]:
    share = 0.85 if (since + ZONE).weekday() >= 5 else 1.0
    hours = [hour for hour, weight in enumerate(HOURS) for _ in range(weight)]
    return {
        "since": since,
        "now": span.now,
        "late": LATE_SHARE,
        "doors": made.doors,
        "gates": made.gates,
        "lanes": made.lanes,
        "cameras": made.cameras,
        "counters": [*made.cameras, *made.lifts],
        "hours": hours,
        "people": households * 3,
        "cars": households * 6 // 10,
        "passages": round(households * PASSAGES * share),
        "trips": round(households * CAR_TRIPS * share),
        "crossings": round(CROSSINGS * len(made.cameras) * share),
        "every": COUNT_SECONDS,
    }


SEVERITIES = ("low", "medium", "medium", "high", "low", "critical")
KINDS = (
    ("door.held_open", "门长时间未关", "Door held open"),
    ("yard.after_hours", "夜间院内有人", "Person in the yard"),
)


def _cases(made: Made, span: Span) -> None:
    """A dozen cases a day, acknowledged in minutes and closed in an hour; those of the last hour are open."""
    from shoufu.kernel.cases.lifecycle import RANK
    from shoufu.kernel.cases.models import Case, CaseEvent
    from shoufu.kernel.devices.models import Device

    places = dict(Device.objects.filter(pk__in=made.doors).values_list("pk", "place_id"))
    total = CASES * span.days
    rows, events = [], []
    for n in range(total):
        opened = span.now - timedelta(days=span.days) * (1 - (n + 0.5) / total)
        done = opened < span.now - timedelta(hours=1)
        kind, title, title_en = KINDS[n % 2]
        severity, device = SEVERITIES[n % len(SEVERITIES)], made.doors[n * 7 % len(made.doors)]
        known, acted = opened + timedelta(seconds=1), opened + timedelta(minutes=2 + n % 7)
        closed = opened + timedelta(minutes=20 + n % 60)
        case = Case(
            number=f"B-{n:06d}", kind=kind, title=title, title_en=title_en, severity=severity,
            severity_rank=RANK[severity], place_id=places[device], device_id=device, opened_at=opened, known_at=known,
            last_at=opened, state="closed" if done else "new", role="guard",
            acknowledged_at=acted if done else None, resolved_at=closed if done else None,
            closed_at=closed if done else None,
        )  # fmt: skip
        moves = [("raised", opened, known)] + [("acknowledged", acted, acted), ("closed", closed, closed)] * done
        rows.append(case)
        events += [CaseEvent(case=case, kind=kind, at=at, known=seen, actor="bench") for kind, at, seen in moves]
    Case.objects.bulk_create(rows, batch_size=2000)
    CaseEvent.objects.bulk_create(events, batch_size=5000)


def flows(days: Sequence[datetime]) -> int:
    """Count the movement of days as the hourly task does; rows."""
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.history import services

    return sum(services.count_flows(SYSTEM, (day + ZONE).date()) for day in days)
