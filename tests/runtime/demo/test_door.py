from __future__ import annotations

import random
from pathlib import Path

from shoufu.kernel.observations.kinds import KERNEL_KINDS
from shoufu.runtime.demo.door import Door, Event, Reading
from shoufu.runtime.demo.outbox import Outbox


def live(door: Door, seconds: float) -> list[tuple[float, Reading]]:
    return [(tick / 4, reading) for tick in range(int(seconds * 4)) for reading in door.step(tick / 4)]


def states(readings: list[tuple[float, Reading]]) -> list[str]:
    return [reading.result["state"] for _, reading in readings if reading.kind == "door.state"]


def test_door_opens_and_closes_by_turns_for_a_day() -> None:
    found = states(live(Door(random.Random(1), 0.0), 86_400))
    assert len(found) > 500
    assert all(one != other for one, other in zip(found, found[1:], strict=False))


def test_planned_hold_keeps_the_door_open_for_more_than_a_minute() -> None:
    readings = live(Door(random.Random(2), 0.0, [(4.0, Event.HELD_OPEN)]), 200)
    opened = next(at for at, reading in readings if reading.result.get("state") == "open")
    closed = next(at for at, reading in readings if reading.result.get("state") == "closed")
    assert opened == 4.0
    assert closed - opened > 60


def test_forced_door_opens_without_a_grant() -> None:
    readings = [reading for _, reading in live(Door(random.Random(3), 0.0, [(1.0, Event.FORCED)]), 2)]
    assert [reading.kind for reading in readings if reading.kind != "device.heartbeat"] == ["door.alarm", "door.state"]


def test_heartbeats_come_twice_a_minute() -> None:
    beats = [at for at, reading in live(Door(random.Random(4), 0.0), 300) if reading.kind == "device.heartbeat"]
    assert len(beats) == 10


def test_every_reading_is_of_a_known_kind_and_schema() -> None:
    import jsonschema

    schemas = {kind.code: kind.schema for kind in KERNEL_KINDS}
    door = Door(random.Random(5), 0.0, [(1.0, Event.FORCED), (50.0, Event.REFUSED)])
    for reading in [door.hello(), *(reading for _, reading in live(door, 5_000)), *door.unlock(6_000.0)]:
        jsonschema.validate(reading.result, schemas[reading.kind])


def test_outbox_gives_no_number_twice(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "door.sqlite")
    first = outbox.put("obs/d", b"1")
    outbox.done(first)
    second = outbox.put("obs/d", b"2")
    assert outbox.after(first) == [(second, "obs/d", b"2")]


def test_outbox_keeps_what_was_not_taken_over_a_restart(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "door.sqlite")
    first, second = outbox.put("obs/d", b"1"), outbox.put("obs/d", b"2")
    outbox.done(first)
    outbox.close()
    again = Outbox(tmp_path / "door.sqlite")
    assert again.after(0) == [(second, "obs/d", b"2")]
    assert len(again) == 1
