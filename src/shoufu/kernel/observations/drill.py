import json

from django.db import connection
from django.utils import timezone

from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.base.neighbours import Estate, Neighbours


def seed(estate: Estate) -> None:
    """Observations of a device of the estate; their results hold the mark."""
    from shoufu.kernel.observations import partitions
    from shoufu.kernel.observations.models import ObservationKind

    now = timezone.now()
    partitions.make_for([now.date()])
    device = estate.row("devices.Device")
    kind = ObservationKind.objects.get(code="door.state")
    with connection.cursor() as cursor:
        cursor.execute("select nextval('batch_key')")
        key = cursor.fetchone()[0]
        cursor.execute(
            "insert into obs (id, t, known, batch, ix, kind, device, place, shard, foi, result) "
            "values (%s, %s, now(), %s, 0, %s, %s, %s, 0, %s, %s)",
            [
                uuid7(),
                now,
                key,
                kind.pk,
                device.pk,
                device.place_id,
                estate.mark(),
                json.dumps({"state": estate.mark()}),
            ],
        )
        cursor.execute("select number from log_batch(%s, 1)", [key])


neighbours = Neighbours(seed, shared=frozenset({"ObservationKind", "Consumer"}))
