"""The two statements by which free time is read. Plain SQL: they run at every look at slots and twice at every hold,
where building the queries by the ORM took more time than the database did."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from shoufu.kernel.booking.calendar import Opening, Span

NEEDS = """
select need.position, resource.id, place.time_zone, rule.recurrence, rule.since, rule.until, rule.opens, rule.closes
from booking_requirement need
left join booking_requirement_resources choice on choice.requirement_id = need.id
left join booking_resource resource on resource.id = choice.resource_id and resource.retired_at is null
left join places_place place on place.id = resource.place_id
left join booking_availabilityrule rule on rule.resource_id = resource.id
where need.offering_id = %s
order by need.position, resource.id
"""
RULES = """
select 0, resource.id, place.time_zone, rule.recurrence, rule.since, rule.until, rule.opens, rule.closes
from booking_resource resource
join places_place place on place.id = resource.place_id
left join booking_availabilityrule rule on rule.resource_id = resource.id
where resource.id = any(%s)
"""
EXCEPTIONS = """
select case when available then 'open' else 'away' end, resource_id, starts_at, ends_at
from booking_override where resource_id = any(%(ids)s) and ends_at > %(start)s and starts_at < %(end)s
"""
TAKEN = """
select 'taken', one.resource_id, lower(one.span), upper(one.span)
from booking_allocation one join booking_booking booking on booking.id = one.booking_id
where one.resource_id = any(%(ids)s) and one.live and one.span && %(span)s
and not (booking.state = 'held' and booking.held_until <= %(now)s)
and booking.id is distinct from %(ignoring)s
"""


@dataclass(frozen=True)
class Needs:
    """What an offering takes: the resources of each requirement, and the zone and rules of each resource."""

    choices: tuple[tuple[int, ...], ...]
    zones: dict[int, str]
    rules: dict[int, list[Opening]]


def needs(offering: int) -> Needs:
    """The requirements of an offering with the rules of their resources; retired resources are left out."""
    return _gathered(NEEDS, offering)


def rules(resources: Sequence[int]) -> Needs:
    """The rules of resources."""
    return _gathered(RULES, list(resources))


def _gathered(statement: str, parameter: int | list[int]) -> Needs:
    choices: dict[int, dict[int, None]] = {}
    zones: dict[int, str] = {}
    opened: dict[int, dict[Opening, None]] = {}
    with connection.cursor() as cursor:
        cursor.execute(statement, [parameter])
        for position, resource, zone, *rule in cursor.fetchall():
            found = choices.setdefault(position, {})
            if resource is None:
                continue  # a requirement of which every resource was retired cannot be met
            found[resource], zones[resource] = None, zone
            mine = opened.setdefault(resource, {})
            if rule[0]:
                mine[Opening(*rule)] = None
    listed = tuple(tuple(one) for _position, one in sorted(choices.items()))
    return Needs(listed, zones, {resource: list(rules) for resource, rules in opened.items()})


def events(
    ids: Sequence[int], within: Span, now: datetime, *, ignoring: int | None = None, bookings: bool = True
) -> list[tuple[str, int, Span]]:
    """What changes the rules in a span: "open", "away" and, with `bookings`, "taken", each of a resource. An expired
    hold takes nothing; nor does the booking `ignoring`."""
    values = {
        "ids": list(ids),
        "start": within.start,
        "end": within.end,
        "span": DateTimeTZRange(within.start, within.end),
        "now": now,
        "ignoring": ignoring,
    }
    statement = f"{EXCEPTIONS} union all {TAKEN}" if bookings else EXCEPTIONS
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [(kind, resource, Span(start, end)) for kind, resource, start, end in cursor.fetchall()]
