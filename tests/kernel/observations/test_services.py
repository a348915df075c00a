import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base import registry
from shoufu.kernel.base.actor import SYSTEM, Actor, Grant
from shoufu.kernel.base.errors import Forbidden
from shoufu.kernel.devices.models import Device
from shoufu.kernel.observations import partitions, reader, selectors, services
from shoufu.kernel.observations.intake import Row
from shoufu.kernel.observations.models import BatchLog, Observation, ObservationKind, Rejection
from shoufu.kernel.observations.selectors import FeedFilter
from shoufu.kernel.observations.services import Refusals

Item = Callable[..., dict[str, Any]]
Rows = Callable[..., list[Row]]
Write = Callable[..., Any]


def test_kinds_are_synchronised_once(district: list[Device]) -> None:
    assert set(ObservationKind.objects.values_list("code", flat=True)) >= set(registry.kinds())
    before = AuditEntry.objects.count()
    assert services.sync_kinds(SYSTEM) == []
    assert AuditEntry.objects.count() == before
    ObservationKind.objects.filter(code="door.state").update(name="x")
    assert services.sync_kinds(SYSTEM) == ["door.state"]
    assert AuditEntry.objects.count() == before + 1


def test_only_the_system_may_write_here(district: list[Device]) -> None:
    user = Actor("user", "1", "u")
    for call in (services.sync_kinds, services.make_partitions, services.apply_retention):
        with pytest.raises(Forbidden):
            call(user)


def test_retention_drops_old_days_and_erases_by_kind(item: Item, rows: Rows, write: Write) -> None:
    now = datetime.now(UTC)
    beat = {"kind": "device.heartbeat", "result": {}}
    write(rows([item(at=time.time() - 86400 * 10), item(at=time.time() - 86400 * 10) | beat, item() | beat]))
    partitions.make_for([now.date() - timedelta(days=200)])
    done = services.apply_retention(SYSTEM, now)
    assert done["dropped"] == [f"obs_{now.date() - timedelta(days=200):%Y%m%d}"]
    assert done["erased"] == {"device.heartbeat": 1}
    assert Observation.objects.count() == 2
    assert services.apply_retention(SYSTEM, now) == {"dropped": [], "erased": {}}


def test_rejections_add_up(district: list[Device]) -> None:
    services.count_rejections(SYSTEM, [Refusals("door-east", "kind", 2, "a"), Refusals("door-east", "kind", 1, "b")])
    services.count_rejections(SYSTEM, [Refusals("door-east", "kind", 4, "c"), Refusals("door-west", "time", 1)])
    assert Rejection.objects.get(device_code="door-east").count == 7
    east = district[0]
    guard = Actor("user", "1", "g", (Grant("guard", east.place.path, frozenset({"devices.view"})),))
    since = datetime.now(UTC) - timedelta(days=1)
    assert [row.device_code for row in selectors.rejections(guard, since)] == ["door-east"]
    assert len(selectors.rejections(SYSTEM, since)) == 2


def test_the_feed_is_limited_and_can_look_back(item: Item, rows: Rows, write: Write, district: list[Device]) -> None:
    now = time.time()
    write(rows([item("open", at=now - 60)]), rows([item("open", at=now - 50)], "door-west"))
    first = BatchLog.objects.latest("number").known
    write(rows([item("closed", at=now - 90)]))
    east = district[0]
    guard = Actor("user", "1", "g", (Grant("guard", east.place.path, frozenset({"observations.view"})),))
    moment = datetime.now(UTC)
    states = [row.result["state"] for row in selectors.feed(guard, FeedFilter(), moment)]
    assert states == ["open", "closed"]
    then = selectors.feed(guard, FeedFilter(known=first), moment)
    assert [row.result["state"] for row in then] == ["open"]
    at = selectors.feed(guard, FeedFilter(at=datetime.fromtimestamp(now - 70, UTC)), moment)
    assert [row.result["state"] for row in at] == ["closed"]
    assert selectors.feed(Actor("user", "2", "n"), FeedFilter(), moment) == []


def test_a_span_is_read_in_the_total_order(item: Item, rows: Rows, write: Write, dsn: str) -> None:
    now = time.time()
    write(
        rows([item(at=now), item(at=now - 5), item(at=now, featureOfInterest="b")], "door-west"),
        rows([item(at=now), item(at=now - 9)]),
    )
    with psycopg.connect(dsn) as connection:
        found = list(reader.span(connection, datetime.fromtimestamp(now - 8, UTC), datetime.now(UTC)))
    assert [(row.t, row.device) for row in found] == sorted((row.t, row.device) for row in found)
    assert len(found) == 4
    ties = [row.id for row in found if row.device == "door-west" and row.t == found[-1].t]
    assert ties == sorted(ties)
