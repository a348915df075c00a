import time
from collections.abc import Callable
from typing import Any

from shoufu.kernel.devices.models import Change, Device, Shadow
from shoufu.kernel.observations import silence, summaries
from shoufu.kernel.observations.intake import Row
from shoufu.kernel.observations.models import HourlyCount, Observation

Item = Callable[..., dict[str, Any]]
Rows = Callable[..., list[Row]]
Write = Callable[..., Any]


def test_counts_states_and_status_follow_the_log_once(item: Item, rows: Rows, write: Write) -> None:
    now = time.time()
    write(
        rows([item("open", at=now - 60), item("closed", at=now - 30)]),
        rows([item("open", at=now - 90)]),
        rows([item(at=now) | {"kind": "device.status", "result": {"state": "degraded"}}], "door-west"),
    )
    assert summaries.step() == 3
    assert summaries.step() == 0
    assert sum(HourlyCount.objects.values_list("count", flat=True)) == 4
    east, west = Device.objects.get(code="door-east"), Device.objects.get(code="door-west")
    assert (east.status, west.status) == ("online", "degraded")
    assert east.last_seen is not None and abs(east.last_seen.timestamp() - (now - 30)) < 0.001
    assert Shadow.objects.get(device=east).reported["state"] == "closed"
    values = Change.objects.filter(device=east, property="state").order_by("valid").values_list("value", flat=True)
    assert list(values) == ["open", "open", "closed"]
    assert Change.objects.filter(device=west, property="status").get().value == "degraded"


def test_a_late_row_does_not_turn_the_shadow_back(item: Item, rows: Rows, write: Write) -> None:
    now = time.time()
    write(rows([item("closed", at=now)]))
    summaries.step()
    write(rows([item("open", at=now - 500)]))
    summaries.step()
    assert Shadow.objects.get(device__code="door-east").reported["state"] == "closed"


def test_silence_is_an_observation_and_ends_with_the_next_one(item: Item, rows: Rows, write: Write) -> None:
    now = time.time()
    write(rows([item(at=now - 600)]))
    summaries.step()
    assert silence.report() == 1
    told = Observation.objects.get(kind__code="device.status")
    assert told.result == {"state": "offline", "reason": "no heartbeat"}
    summaries.step()
    east = Device.objects.get(code="door-east")
    assert east.status == "offline"
    assert east.last_seen is not None and abs(east.last_seen.timestamp() - (now - 600)) < 0.001
    assert silence.report() == 0
    write(rows([item(at=now)]))
    summaries.step()
    assert Device.objects.get(code="door-east").status == "online"
