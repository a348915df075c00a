import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from shoufu.engines import welfare as engine
from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.devices import services as devices
from shoufu.kernel.observations import partitions
from shoufu.kernel.observations import services as observations
from shoufu.kernel.observations.models import ObservationKind
from shoufu.kernel.privacy import services as privacy
from shoufu.scenes.community.welfare import services
from shoufu.scenes.community.welfare.minding import keep, keys_of, opened, wall, zone_of
from shoufu.scenes.community.welfare.models import Check, Sensor, Watch

HALF = timedelta(minutes=30)


@dataclass
class Story:
    """Mei lives alone with a sensor that tells of her every half hour, day and night; Wu is the community worker."""

    homes: Any
    sensor: Any
    now: datetime

    def act(self, name: str) -> Actor:
        return self.homes.act(name)

    @property
    def watch(self) -> Watch:
        return Watch.objects.select_related("place").get(person=self.homes.mei)

    @property
    def check(self) -> Check:
        return Check.objects.latest("pk")

    def say(self, t: datetime, kind: str = "home.activity", result: dict[str, Any] | None = None) -> None:
        """The sensor says something at `t`; one row, one batch."""
        partitions.make_for([t.date()])
        number = ObservationKind.objects.get(code=kind).pk
        said = json.dumps(result if result is not None else {"signal": "motion"} if kind == "home.activity" else {})
        with connection.cursor() as cursor:
            cursor.execute("select nextval('batch_key')")
            key = cursor.fetchone()[0]
            cursor.execute(
                "insert into obs (id, t, known, batch, ix, kind, device, place, shard, result)"
                " values (%s, %s, %s, %s, 0, %s, %s, %s, 0, %s)",
                [uuid7(), t, t, key, number, self.sensor.device_id, self.sensor.device.place_id, said],
            )
            cursor.execute("select coalesce(max(number), 0) + 1 from batch_log")
            cursor.execute("insert into batch_log values (%s, %s, %s, 1)", [cursor.fetchone()[0], key, t])

    def beats(self, since: datetime, until: datetime) -> None:
        """The sensor is heard all the while."""
        at = since
        while at < until:
            self.say(at, "device.heartbeat")
            at += timedelta(minutes=10)

    def tick(self, minutes: float = 0) -> int:
        """The task's minute, so many minutes after the story's now."""
        return services.tick(self.now + timedelta(minutes=minutes))

    def learn(self, days: int = 40, until: datetime | None = None) -> None:
        """What so many days of every half hour teach, up to two hours ago."""
        end, row = until or self.now - timedelta(hours=2), self.watch
        key = keys_of([row])[row.person_id]
        watch, at = opened(row, key), end - timedelta(days=days)
        while at <= end:
            for extra in (0, 60):
                watch.event(wall(at, zone_of(row)) + extra)
            at += HALF
        keep(row, key, watch)
        row.save()

    def collapse(self) -> None:
        """She was heard every half hour until four hours ago; from then on only the sensor's heartbeat is."""
        services.tick(self.now)
        self.learn(until=self.now - timedelta(hours=4))
        self.beats(self.now - timedelta(hours=4), self.now + timedelta(hours=3))

    def engine(self) -> engine.Watch:
        row = self.watch
        return opened(row, keys_of([row])[row.person_id])


def build(homes: Any) -> Story:
    observations.sync_kinds(SYSTEM)
    worker = User.objects.create(username="wu", display_name="吴敏")
    since = timezone.now() - timedelta(days=1)
    RoleAssignment.objects.create(user=worker, role="community_worker", place=homes.world.songshan, since=since)
    homes.users["worker"] = worker
    made = devices.register(
        SYSTEM, devices.DeviceDraft("pir-mei", "sensor", "人体感应", homes.mei_home.place_id, protocol="http")
    )
    made.device.heartbeat_seconds = 600
    made.device.save()
    manager = homes.act("manager")
    sensor = services.add_sensors(manager, [services.SensorDraft(homes.mei_home.pk, "pir-mei")])[0]
    sensor.device = made.device
    told = Story(homes, sensor, timezone.now())
    services.join(told.act("mei"), services.JoinDraft([sensor.pk]))
    privacy.grant(told.act("mei"), privacy.GrantDraft(homes.lan.pk, ["welfare.answer"]))
    services.add_helper(told.act("mei"), services.HelperDraft("女儿", "13933334444", homes.lan.pk))
    assert Sensor.objects.get().watch_id
    return told
