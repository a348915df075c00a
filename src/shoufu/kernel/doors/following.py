"""A reader of the log that keeps what doors say: their four facts, decisions, uses of passes, rule sets, fire."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
from django.db import connection, transaction
from django.utils.translation import gettext as _

from shoufu.kernel.base import hooks
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.doors.models import AccessPoint, Controller, Credential, DoorState, Pass, Passage
from shoufu.kernel.doors.services.acts import fire_observed
from shoufu.kernel.doors.services.credential_states import apply_state
from shoufu.kernel.doors.services.rulesets import told_held
from shoufu.kernel.observations import reader
from shoufu.kernel.observations.models import Consumer
from shoufu.kernel.observations.wire import BatchRow

NAME = "doors"
AT_ONCE = 50
KINDS = frozenset({"door.state", "door.access", "door.alarm", "door.duress", "door.controller"})
FACTS = ("command", "bolt", "contact", "mode")
ENDING = frozenset({"closed_again", "fire_reset", "clock_set", "reader_online", "fire_input_ended"})
"""Alarms that end others."""
SILENT_ALARMS = frozenset({"duress"})
"""Never shown as the alarm of a door: whoever stands beside the victim may look at the list too."""


@dataclass
class _Found:
    rows: list[tuple[BatchRow, datetime]] = field(default_factory=list)
    points: dict[tuple[int, int], AccessPoint] = field(default_factory=dict)
    keys: dict[str, Credential] = field(default_factory=dict)

    def point(self, row: BatchRow) -> AccessPoint | None:
        return self.points.get((row.device_id, int(row.result.get("door", 0)) + 1))


def step(at_once: int = AT_ONCE) -> int:
    """Read the next batches and keep what they say, in one transaction with the reader's place; how many batches.

    Killed at any moment it goes on where it was: nothing is counted twice or left out.
    """
    with transaction.atomic():
        consumer, _made = Consumer.objects.select_for_update().get_or_create(name=NAME)
        batches = reader.batches(_raw(), consumer.last_batch, at_once)
        if not batches:
            return 0
        rows = [
            (row, datetime.fromtimestamp(batch.known, UTC))
            for batch in batches
            for row in batch.rows
            if row.kind in KINDS and isinstance(row.result, dict)
        ]
        if rows:
            keep(rows)
        consumer.last_batch = batches[-1].number
        consumer.save()
    return len(batches)


def _raw() -> psycopg.Connection[Any]:
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    return raw


def keep(rows: Sequence[tuple[BatchRow, datetime]]) -> None:
    """Keep what these rows say. Queries do not grow with their number, but for controllers that tell their rule set."""
    devices = {row.device_id for row, _known in rows}
    points = AccessPoint.objects.filter(controller__in=devices, retired_at__isnull=True).select_related("place")
    found = _Found(list(rows), {(point.controller_id, point.output): point for point in points})
    hexes = {row.result["key"] for row, _known in rows if row.result.get("key")}
    credentials = Credential.objects.filter(key__in=[bytes.fromhex(one) for one in hexes]).select_related("place")
    found.keys = {bytes(one.key or b"").hex(): one for one in credentials.order_by("pk")}
    _keep_states(found)
    _keep_passages(found)
    _keep_controllers(found)


def _keep_states(found: _Found) -> None:
    wanted = {point.pk for row, _known in found.rows if (point := found.point(row)) is not None}
    states = {row.point_id: row for row in DoorState.objects.select_for_update().filter(point__in=wanted)}
    for pk in wanted - states.keys():
        states[pk] = DoorState(point_id=pk)
    fires = []
    for row, _known in sorted(found.rows, key=lambda pair: pair[0].t):
        point = found.point(row)
        if point is None:
            continue
        if row.kind == "door.state":
            _take_facts(states[point.pk], row)
        elif row.kind == "door.alarm":
            _take_alarm(states[point.pk], row)
            if row.result["alarm"] == "fire":
                fires.append((point.pk, datetime.fromtimestamp(row.t, UTC)))
    DoorState.objects.bulk_create(
        states.values(),
        update_conflicts=True,
        unique_fields=["point"],
        update_fields=[*FACTS, "at", "alarm", "alarm_at"],
    )
    fire_observed(fires)


def _take_facts(state: DoorState, row: BatchRow) -> None:
    told = {"contact": row.result.get("state"), **row.result}
    for name in FACTS:
        value = told.get(name)
        # Each fact has its own time: what comes late and is older changes nothing.
        if value and row.t >= state.at.get(name, 0):
            setattr(state, name, value)
            state.at = {**state.at, name: row.t}


def _take_alarm(state: DoorState, row: BatchRow) -> None:
    moment, alarm = datetime.fromtimestamp(row.t, UTC), row.result["alarm"]
    if alarm in SILENT_ALARMS or (state.alarm_at is not None and moment < state.alarm_at):
        return
    ends = alarm in ENDING or row.result.get("cleared", False)
    state.alarm, state.alarm_at = "" if ends else alarm, moment


def _keep_passages(found: _Found) -> None:
    made = []
    for row, known in found.rows:
        point = found.point(row)
        if row.kind != "door.access" or point is None:
            continue
        credential = found.keys.get(row.result.get("key", ""))
        made.append(
            Passage(
                id=row.id,
                point=point,
                credential=credential,
                at=datetime.fromtimestamp(row.t, UTC),
                known=known,
                granted=row.result["granted"],
                technology=row.result.get("credential", "unknown"),
                side=row.result.get("direction", ""),
                reason=row.result.get("reason", "")[:32],
                duress=bool(credential is not None and credential.duress),
                rule_set=row.result.get("rules"),
                clock=row.result.get("clock", ""),
            )
        )
    known_ids = set(Passage.objects.filter(pk__in=[one.pk for one in made]).values_list("pk", flat=True))
    fresh = [one for one in made if one.pk not in known_ids]
    Passage.objects.bulk_create(fresh, ignore_conflicts=True)
    _count_uses([one for one in fresh if one.granted and one.credential is not None])
    for told in hooks.named("door_passages"):
        told(fresh)


def _count_uses(granted: Sequence[Passage]) -> None:
    """Count what passes were used for; one that has no passes left is withdrawn everywhere."""
    used: dict[int, list[datetime]] = defaultdict(list)
    for one in granted:
        used[one.credential_id or 0].append(one.at)
    visits = list(Pass.objects.select_for_update(of=("self",)).filter(pk__in=used).select_related("credential__place"))
    for visit in visits:
        moments = used[visit.pk]
        visit.uses += len(moments)
        visit.first_used_at = min([*moments, *([visit.first_used_at] if visit.first_used_at else [])])
        visit.last_used_at = max([*moments, *([visit.last_used_at] if visit.last_used_at else [])])
    Pass.objects.bulk_update(visits, ["uses", "first_used_at", "last_used_at"])
    spent = [
        visit.credential
        for visit in visits
        if visit.maximum is not None and visit.uses >= visit.maximum and _counted_by_the_server(visit)
    ]
    active = [row for row in spent if row.state == Credential.State.ACTIVE]
    apply_state(SYSTEM, active, Credential.State.REVOKED, _("all passes are used"))


def _counted_by_the_server(visit: Pass) -> bool:
    """One controller counts a pass of its own doors by itself; over several, or with windows, the sum is ours."""
    return bool(visit.windows) or visit.points.values("controller_id").distinct().count() > 1


def _keep_controllers(found: _Found) -> None:
    newest: dict[int, BatchRow] = {}
    for row, _known in found.rows:
        if row.kind == "door.controller" and row.t >= newest.get(row.device_id, row).t:
            newest[row.device_id] = row
    for device_id, row in sorted(newest.items()):
        told_held(device_id, row.result["rules"], row.result.get("hash", ""))
        Controller.objects.filter(device=device_id).update(
            clock=row.result.get("clock", ""),
            sequence=row.result.get("sequence", 0),
            waiting=row.result.get("waiting", 0),
            software=row.result.get("software", "")[:40],
        )
