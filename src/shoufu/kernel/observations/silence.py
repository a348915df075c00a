"""Silence told as an observation: a device that missed its heartbeats is reported offline, in the log like all else."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.devices import services as devices
from shoufu.kernel.devices.models import Device
from shoufu.kernel.observations import live
from shoufu.kernel.observations.directory import shard_of
from shoufu.kernel.observations.models import ObservationKind

KIND = "device.status"
REASON = "no heartbeat"
"""Marks these rows: they speak of the device, but it was not heard."""

INSERT = """
INSERT INTO obs (id, t, known, batch, ix, kind, device, place, shard, result)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, jsonb_build_object('state', 'offline', 'reason', %s::text))
ON CONFLICT DO NOTHING
"""


@transaction.atomic
def report(now: datetime | None = None) -> int:
    """Devices that missed three heartbeats become offline, each with an observation; how many.

    Status, observations and their batch number are one transaction.
    """
    moment = now or timezone.now()
    silent = devices.mark_silent(moment)
    if silent:
        found = list(Device.objects.filter(pk__in=silent).select_related("place").order_by("pk"))
        _log(found, moment)
        for device in found:
            live.device_status(device)
    return len(silent)


def _log(silent: Sequence[Device], moment: datetime) -> None:
    kind = ObservationKind.objects.get(code=KIND).pk
    milliseconds = int(moment.timestamp() * 1000)
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('batch_key')")
        key = cursor.fetchone()[0]
        rows = [
            (uuid7(milliseconds, blake2b(b"silence %d" % one.pk, digest_size=10).digest()), moment, moment, key, ix,
             kind, one.pk, one.place_id, shard_of(one.place_id, settings.SHARDS), REASON)
            for ix, one in enumerate(silent)
        ]  # fmt: skip
        cursor.executemany(INSERT, rows)
        # The lock on the numbers is held until the commit, so it is taken last.
        cursor.execute("SELECT number FROM log_batch(%s, %s)", [key, len(rows)])
