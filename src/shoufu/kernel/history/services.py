from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Forbidden
from shoufu.kernel.history.flows import LEAST
from shoufu.kernel.history.models import Flow, LookBack
from shoufu.kernel.observations.models import ObservationKind
from shoufu.kernel.places.models import Place


def note_look(actor: Actor, place: Place, day: date, now: datetime | None = None) -> None:
    """Note in the audit that somebody replays a day of a place; once an hour, however often they ask."""
    hour = (now or timezone.now()).replace(minute=0, second=0, microsecond=0)
    who = f"{actor.kind}:{actor.id}"
    if LookBack.objects.filter(actor=who, place=place, day=day, hour=hour).exists():
        return
    try:
        with transaction.atomic():
            LookBack.objects.create(actor=who, place=place, day=day, hour=hour)
            record(actor, Act("history.look", place, place.pk, data={"day": day.isoformat()}))
    except IntegrityError:
        pass  # another tab was first


# A door of a dwelling counts for nobody: who passes it is known by where it is. The hour is closed before it counts.
COUNT = """
    insert into history_flow (device_id, place_id, what, spot, day, hour, count)
    select o.device, min(o.place), w.what, w.spot, %(day)s, extract(hour from l.at)::int, count(*)
    from obs o
    join places_place p on p.id = o.place
    join observations_observationkind k on k.id = o.kind
    cross join lateral (select o.t at time zone p.time_zone as at) l
    cross join lateral (
        select case
                when k.code = 'door.access' then 'people'
                when k.code = 'line.crossing' and o.result ->> 'object' = 'person' then 'people'
                when k.code = 'zone.dwell' and o.result ->> 'object' = 'person' then 'people'
                else 'vehicles'
            end as what,
            coalesce(o.result ->> 'line', o.result ->> 'zone', '') as spot,
            coalesce(o.result ->> 'key', o.result ->> 'plate', o.foi, o.id::text) as who
    ) w
    where o.kind = any(%(kinds)s)
        and o.t >= %(since)s and o.t < %(until)s and o.t < %(closed)s and l.at::date = %(day)s
        and coalesce(o.result ->> 'granted', 'true') = 'true'
        and not exists (select from doors_accesspoint a where a.controller_id = o.device and a.dwelling)
    group by o.device, w.what, w.spot, extract(hour from l.at)
    having count(distinct w.who) >= %(least)s
    on conflict (device_id, what, spot, day, hour) do update set count = excluded.count
"""
KINDS = ("door.access", "line.crossing", "zone.dwell")


def count_flows(actor: Actor, day: date, now: datetime | None = None) -> int:
    """Count the passages of a day (of each place's own calendar) into `Flow`, closed hours only; rows written.

    Counting a day again replaces its rows, so rows of the log that came late are in the next count.
    """
    _system_only(actor)
    given: dict[str, Any] = {
        "day": day,
        "kinds": _kinds(),
        "since": datetime.combine(day, datetime.min.time(), timezone.get_default_timezone()) - timedelta(days=1),
        "until": datetime.combine(day, datetime.min.time(), timezone.get_default_timezone()) + timedelta(days=2),
        "closed": (now or timezone.now()).replace(minute=0, second=0, microsecond=0),
        "least": LEAST,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(COUNT, given)
        return int(cursor.rowcount)


def _kinds() -> list[int]:
    rows = ObservationKind.objects.all()
    cars = [row for row in rows if "plate" in row.schema.get("properties", {}) and row.code != "plate.read"]
    return [row.pk for row in [*(row for row in rows if row.code in KINDS), *cars]]


def forget(actor: Actor, now: datetime | None = None) -> int:
    """Delete counts past their retention and the notes that keep looks from being written twice; rows deleted."""
    _system_only(actor)
    moment = now or timezone.now()
    looks, _ = LookBack.objects.filter(hour__lt=moment - timedelta(days=LookBack.RETENTION_DAYS)).delete()
    flows, _ = Flow.objects.filter(day__lt=moment.date() - timedelta(days=Flow.RETENTION_DAYS)).delete()
    return looks + flows


def _system_only(actor: Actor) -> None:
    if not actor.is_system:
        raise Forbidden("Only the system itself may do this.")
