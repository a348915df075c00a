import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shoufu.kernel.base.ids import uuid7

Fact = tuple[float, str, str, dict[str, Any]]
"""Seconds after the story's start, device code, kind, result."""


@dataclass
class Story:
    """A small district with two doors, and a way to write what happened there into the log."""

    start: datetime
    places: dict[str, Any]
    devices: dict[str, Any]
    ids: list[str] = field(default_factory=list)
    shards: dict[str, int] = field(default_factory=dict)

    def log(self, *facts: Fact, known: Callable[[], None] | None = None) -> int:
        """Write facts as one batch; returns its number. No facts: a tick."""
        from django.db import connection, transaction

        from shoufu.kernel.observations.models import ObservationKind

        kinds = dict(ObservationKind.objects.values_list("code", "id"))
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT nextval('batch_key')")
            key = cursor.fetchone()[0]
            for ix, (seconds, code, kind, result) in enumerate(facts):
                t = self.start + timedelta(seconds=seconds)
                device = self.devices[code]
                one = uuid7(int(t.timestamp() * 1000), uuid.uuid4().bytes[:10])
                self.ids.append(str(one))
                cursor.execute(
                    "INSERT INTO obs (id, t, known, batch, ix, kind, device, place, shard, foi, result) "
                    "VALUES (%s, %s, now(), %s, %s, %s, %s, %s, %s, null, %s)",
                    [one, t, key, ix, kinds[kind], device.pk, device.place_id]
                    + [self.shards.get(code, 0), json.dumps(result)],
                )
            cursor.execute("SELECT number FROM log_batch(%s, %s)", [key, len(facts)])
            return int(cursor.fetchone()[0])


@pytest.fixture
def story(transactional_db: None) -> Story:
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.devices.models import Device
    from shoufu.kernel.observations import services
    from shoufu.kernel.places.models import Place

    services.sync_kinds(SYSTEM)
    root = Place.objects.create(kind="district", code="d", name="区", path="/d/", depth=0)
    root.path = f"/{root.pk}/"
    root.save()
    places, devices = {"d": root}, {}
    for name in ("east", "west"):
        place = Place.objects.create(kind="compound", code=name, name=name, parent=root, path=f"/{name}/", depth=1)
        place.path = f"{root.path}{place.pk}/"
        place.save()
        places[name] = place
        devices[name] = Device.objects.create(code=f"door-{name}", kind="door_controller", name=name, place=place)
    start = (datetime.now(UTC) - timedelta(hours=2)).replace(microsecond=0)
    services.make_partitions(SYSTEM, start)
    services.make_partitions(SYSTEM)
    return Story(start, places, devices)
