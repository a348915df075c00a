from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from django.db import connection

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.observations import derivations, partitions
from shoufu.kernel.observations.models import BatchLog, Observation, ObservationKind
from shoufu.kernel.observations.services import sync_kinds
from shoufu.kernel.parties.models import Vehicle

INSERT = "INSERT INTO obs VALUES (%s, %s, now(), 7, 0, %s, %s, %s, 0, NULL, %s, 0)"


@pytest.fixture
def gate_camera(world):
    """A camera at Songshan has read the plate of a registered car; the batch is in the log."""
    sync_kinds(SYSTEM)
    Vehicle.objects.create(plate="辽A12345", place=world.songshan, since=date(2024, 1, 1))
    now = datetime.now(UTC) - timedelta(seconds=3)
    partitions.make(now)
    kind = ObservationKind.objects.get(code="plate.read")
    result = msgspec.json.encode({"plate": "辽A12345", "score": 0.98}).decode()
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [uuid7(), now, kind.pk, world.controller.pk, world.door.pk, result])
        cursor.execute("SELECT number FROM log_batch(7, 1)")
    return world


def test_a_scene_derives_an_observation_and_it_is_logged_as_a_batch_of_its_own(gate_camera):
    assert derivations.step() == 1
    passage = Observation.objects.select_related("kind").get(kind__code="vehicle.passage")
    assert passage.result == {"plate": "辽A12345", "class": "registered"}
    assert passage.foi == "辽A12345"
    assert BatchLog.objects.filter(key=passage.batch, count=1).exists()


def test_reading_on_derives_nothing_twice(gate_camera):
    derivations.step()
    while derivations.step():
        pass
    assert Observation.objects.filter(kind__code="vehicle.passage").count() == 1
