"""Movement is counted, people are not: a small group never shows, not even by subtraction."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Forbidden
from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.history import flows, services
from shoufu.kernel.history.models import Flow, LookBack
from shoufu.kernel.observations import partitions
from shoufu.kernel.observations import services as observations
from shoufu.kernel.observations.models import ObservationKind

DAY = date(2026, 11, 20)
NINE = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)  # 09:00 in Shanghai
AFTER = NINE + timedelta(days=2)


@pytest.fixture
def world(stage: Any) -> Any:
    observations.sync_kinds(SYSTEM)
    partitions.make_for([DAY - timedelta(days=1), DAY, DAY + timedelta(days=1)])
    return stage.build()


def _pass(world: Any, at: datetime, kind: str = "door.access", foi: str | None = None, **result: Any) -> None:
    row = ObservationKind.objects.get(code=kind)
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into obs (id, t, known, batch, ix, kind, device, place, shard, foi, result)"
            " values (%s, %s, %s, 1, 0, %s, %s, %s, 0, %s, %s)",
            [uuid7(), at, at, row.pk, world.controller.pk, world.door.pk, foi, json.dumps(result)],
        )


def test_fewer_than_five_in_an_hour_are_not_kept(world: Any) -> None:
    for n in range(5):
        _pass(world, NINE + timedelta(minutes=n), granted=True, key=f"ab{n:02d}")
        _pass(world, NINE + timedelta(minutes=n + 20), granted=True, key=f"ab{n:02d}")
        _pass(world, NINE + timedelta(hours=1, minutes=n), granted=True, key="ab01")  # one person, five times
        _pass(world, NINE + timedelta(hours=2, minutes=n), granted=False, key=f"ab{n:02d}")
    for n in range(4):
        _pass(
            world,
            NINE + timedelta(hours=3, minutes=n),
            "line.crossing",
            f"t{n}",
            line="门",
            object="person",
            direction="in",
        )
    for n in range(6):
        _pass(
            world,
            NINE + timedelta(hours=4, minutes=n),
            "line.crossing",
            f"t{n}",
            line="门",
            object="car",
            direction="in",
        )
    assert services.count_flows(SYSTEM, DAY, AFTER) == 2
    assert services.count_flows(SYSTEM, DAY, AFTER) == 2 and Flow.objects.count() == 2
    alice = world.act(world.alice)
    seen = [(one.what, one.spot, one.hour, one.count) for one in flows.streams(alice, "/", DAY, DAY)]
    assert seen == [("people", "", 9, 10), ("vehicles", "门", 13, 6)]
    assert flows.streams(world.act(world.bob), "/", DAY, DAY) == [] and flows.days(world.act(world.bob), "/") == ()
    assert flows.days(alice, "/") == (DAY, DAY)


def test_an_hour_counts_once_it_is_over_and_a_dwelling_never(world: Any) -> None:
    from shoufu.kernel.doors.models import AccessPoint

    for n in range(5):
        _pass(world, NINE + timedelta(minutes=n), granted=True, key=f"ab{n:02d}")
    assert services.count_flows(SYSTEM, DAY, NINE + timedelta(minutes=30)) == 0
    point = AccessPoint.objects.create(
        code="p", name="门", place=world.door, kind="unit_door", controller=world.controller, dwelling=True
    )
    assert services.count_flows(SYSTEM, DAY, AFTER) == 0
    point.delete()
    assert services.count_flows(SYSTEM, DAY, AFTER) == 1
    with pytest.raises(Forbidden):
        services.count_flows(world.act(world.alice), DAY)


def test_a_look_back_is_recorded_once_an_hour_and_day(world: Any) -> None:
    alice = world.act(world.alice)
    for minutes in (0, 1, 2):
        services.note_look(alice, world.songshan, DAY, NINE + timedelta(minutes=minutes))
    services.note_look(alice, world.songshan, DAY - timedelta(days=1), NINE)
    looks = AuditEntry.objects.filter(action="history.look").order_by("id")
    assert [(look.actor_label, look.place, look.data["day"]) for look in looks] == [
        ("Alice", world.songshan.pk, "2026-11-20"),
        ("Alice", world.songshan.pk, "2026-11-19"),
    ]
    assert services.forget(SYSTEM, NINE + timedelta(days=3)) == 2 and not LookBack.objects.exists()
