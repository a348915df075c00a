"""The past of a compound in pieces that a browser plays by itself: a key frame, then every change."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.devices.models import Device
from shoufu.kernel.devices.selectors import AS_OF
from shoufu.kernel.devices.selectors import VIEW as DEVICES
from shoufu.kernel.doors.models import AccessPoint
from shoufu.kernel.history import events, marks
from shoufu.kernel.history.events import Event
from shoufu.kernel.history.facts import Facts, facts

LENGTHS = (timedelta(minutes=10), timedelta(hours=1))
MOST_DEVICES = 3_000


@dataclass(frozen=True, slots=True)
class Change:
    """A property of a device took a value: happened at `valid`, committed at `known`."""

    device: int
    property: str
    value: Any
    valid: datetime
    known: datetime


@dataclass(frozen=True)
class Chunk:
    """[since, until] of a place, enough to say its state at any moment in it, as known then or as known today.

    `key` is the state at `since` as known at `since`; `later` what was learned afterwards about `since`; `changes`
    what happened or became known in the span, by `valid`. See `state_at` for how they add up.
    """

    since: datetime
    until: datetime
    key: Sequence[Change]
    later: Sequence[Change]
    changes: Sequence[Change]
    events: Sequence[Event] = field(default_factory=tuple)
    cases: Sequence[marks.Mark] = field(default_factory=tuple)


# Two ways in: by when it happened along the index of each device, by when it was learned along the block ranges.
CHANGES = """
    select c.device_id, c.property, c.value, c.valid, c.known
    from unnest(%(devices)s::bigint[]) as d(id)
    cross join unnest(%(properties)s::text[]) as p(property)
    cross join lateral (
        select * from devices_change
        where device_id = d.id and property = p.property and valid > %(since)s and valid <= %(until)s
        offset 0
    ) c
    union all
    select device_id, property, value, valid, known from devices_change
    where known > %(since)s and known <= %(until)s and valid <= %(since)s
        and device_id = any(%(devices)s) and property = any(%(properties)s)
    order by 4, 1, 2
"""


def chunk(actor: Actor, path: str, since: datetime, length: timedelta, now: datetime) -> Chunk:
    """The chunk of a place that begins at `since`, limited to what the actor may see; nothing later than `now`.

    Devices by `devices.view`, events by `observations.view`, cases by `cases.view`. About eight queries.
    """
    if length not in LENGTHS:
        raise Invalid.one("minutes", _("Choose one of: %(values)s.") % {"values": "10, 60"})
    known = facts()
    ids = device_ids(actor, path)
    until = min(since + length, now)
    if until <= since:
        return Chunk(since, since, (), (), ())
    properties = _properties(ids, known)
    key, today = _as_of(ids, properties, since, since), _as_of(ids, properties, since, now)
    return Chunk(
        since,
        until,
        key,
        [one for one in today if one.known > since],
        _changes(ids, properties, since, until),
        events.between(actor, path, since, until, known) if actor.may_anywhere(events.VIEW) else (),
        marks.between(actor, path, since, until) if actor.may_anywhere(marks.VIEW) else (),
    )


def device_ids(actor: Actor, path: str) -> list[int]:
    """Every visible device below a place, those out of service too: they were there once. Refuses more than a compound
    holds, so that nobody asks for a city by one address."""
    rows = policy.limit(Device.objects.all(), actor, DEVICES).filter(place__path__startswith=path)
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[: MOST_DEVICES + 1])
    if len(ids) > MOST_DEVICES:
        raise Invalid.one("place", _("Too much at once: choose a compound or a building."))
    return ids


def _properties(ids: Sequence[int], known: Facts) -> list[str]:
    """With those of the second and further doors of a controller."""
    outputs = AccessPoint.objects.filter(controller__in=ids, output__gt=1).values_list("output", flat=True).distinct()
    return [*known.properties, *(f"state.{output - 1}" for output in sorted(outputs))]


def _as_of(ids: Sequence[int], properties: Sequence[str], at: datetime, known: datetime) -> list[Change]:
    with connection.cursor() as cursor:
        cursor.execute(AS_OF, [list(ids), list(properties), at, known])
        return [Change(row[0], row[1], json.loads(row[2]), row[3], row[4]) for row in cursor.fetchall()]


def _changes(ids: Sequence[int], properties: Sequence[str], since: datetime, until: datetime) -> list[Change]:
    given: dict[str, Any] = {"devices": list(ids), "properties": list(properties), "since": since, "until": until}
    with connection.cursor() as cursor:
        cursor.execute(CHANGES, given)
        return [Change(row[0], row[1], json.loads(row[2]), row[3], row[4]) for row in cursor.fetchall()]


def state_at(played: Chunk, at: datetime, *, later: bool = False) -> dict[tuple[int, str], Change]:
    """(device, property) → the change that holds at `at`, by the chunk alone: what the browser does, in Python.

    As known at `at`; with `later`, by all that was learned since.
    """
    found: dict[tuple[int, str], Change] = {}
    candidates: Iterable[Change] = (*played.key, *(played.later if later else ()), *played.changes)
    for one in candidates:
        if one.valid > at or (one.known > at and not later):
            continue
        held = found.get((one.device, one.property))
        if held is None or one.valid >= held.valid:
            found[one.device, one.property] = one
    return found


def begin(at: datetime, length: timedelta) -> datetime:
    """The beginning of the chunk that `at` lies in: whole chunks since 1970, so that everybody asks for the same."""
    seconds = length.total_seconds()
    return datetime.fromtimestamp(at.timestamp() // seconds * seconds, UTC)


def columns(played: Chunk) -> dict[str, Any]:
    """The chunk as columns, for JSON: times in milliseconds after `since`, texts once in a table. Compresses well."""
    return {
        "since": _ms(played.since),
        "until": _ms(played.until),
        "key": _change_columns(played.key, played.since),
        "later": _change_columns(played.later, played.since),
        "changes": _change_columns(played.changes, played.since),
        "events": events.columns(played.events, played.since),
        "cases": [marks.as_dict(mark) for mark in played.cases],
    }


def _change_columns(rows: Sequence[Change], since: datetime) -> dict[str, list[Any]]:
    return {
        "device": [row.device for row in rows],
        "property": [row.property for row in rows],
        "value": [row.value for row in rows],
        "valid": [events.offset(row.valid, since) for row in rows],
        "known": [events.offset(row.known, since) for row in rows],
    }


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


__all__ = ["LENGTHS", "Change", "Chunk", "begin", "chunk", "columns", "device_ids", "state_at"]
