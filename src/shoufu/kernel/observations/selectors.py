from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from shoufu.kernel.access.policy import limit, subtree
from shoufu.kernel.base import registry
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.devices.models import Device
from shoufu.kernel.observations.models import BatchLog, Consumer, HourlyCount, Observation, ObservationKind, Rejection
from shoufu.kernel.places.selectors import with_names

VIEW = "observations.view"
REACH = timedelta(days=7)
UNKNOWN_SENDER = "?"
"""Stands in the counts for senders without a valid credential."""


@dataclass(frozen=True)
class FeedFilter:
    """What the feed is narrowed to; empty means all. `place` is a path, `before` a phenomenon time to go on from."""

    place: str = "/"
    kind: str = ""
    device: str = ""
    before: datetime | None = None
    at: datetime | None = None
    known: datetime | None = None


def visible(actor: Actor) -> QuerySet[Observation]:
    """Every observation that the actor may see; kinds with a right of their own only where the actor has it."""
    rows = limit(Observation.objects.all(), actor, VIEW)
    for kind, permission in guarded().items():
        if not actor.is_system:
            rows = rows.exclude(~subtree(actor.paths(permission)), kind__code=kind)
    return rows


def guarded() -> dict[str, str]:
    """Kinds that take a right of their own to see, with that right."""
    return {kind.code: kind.permission for kind in registry.kinds().values() if kind.permission}


def feed(actor: Actor, chosen: FeedFilter, now: datetime, most: int = 60) -> list[Observation]:
    """The newest observations, at most `most`; with `at` and `known` as it looked then: nothing later, nothing
    learned later. The batch log's clock decides what was known: a row's own was read before its commit.

    Reads at most a week back from its end, so that an empty filter never walks the whole log.
    """
    end = min(found for found in (chosen.before, chosen.at, now + timedelta(minutes=10)) if found is not None)
    rows = visible(actor).filter(t__lt=end, t__gte=end - REACH)
    if chosen.place != "/":
        rows = rows.filter(place__path__startswith=chosen.place)
    if chosen.kind:
        rows = rows.filter(kind__code=chosen.kind)
    if chosen.device:
        rows = rows.filter(device__code=chosen.device)
    if chosen.known:
        then = BatchLog.objects.filter(key=OuterRef("batch"), known__lte=chosen.known)
        rows = rows.filter(Exists(then), known__lte=chosen.known)
    rows = with_names(rows.select_related("kind", "device")).defer("kind__schema", "device__config")
    return list(rows.order_by("-t", "-id")[:most])


def get(actor: Actor, observation_id: UUID) -> Observation:
    """One observation by its id; NotFound where the actor may not see it. The id's own clock narrows the days read."""
    milliseconds = observation_id.int >> 80
    try:
        around = datetime.fromtimestamp(milliseconds / 1000, tz=None).astimezone()
    except (ValueError, OverflowError, OSError) as error:
        raise NotFound(f"observation {observation_id}") from error
    rows = visible(actor).filter(id=observation_id, t__range=(around - REACH, around + REACH))
    found = rows.select_related("kind", "device", "place").first()
    if found is None:
        raise NotFound(f"observation {observation_id}")
    return found


def kinds() -> QuerySet[ObservationKind]:
    """Every kind, by code; kinds are no secret."""
    return ObservationKind.objects.order_by("code")


def hourly(actor: Actor, place: str, since: datetime, until: datetime) -> list[tuple[datetime, str, int]]:
    """Observations by hour and kind in a subtree, from the kept counts: (hour, kind code, count)."""
    rows = limit(HourlyCount.objects.filter(hour__gte=since, hour__lt=until), actor, VIEW)
    if place != "/":
        rows = rows.filter(place__path__startswith=place)
    grouped = rows.values_list("hour", "kind__code").annotate(total=Sum("count")).order_by("hour")
    return [(hour, kind, total) for hour, kind, total in grouped]


@dataclass(frozen=True)
class LogHealth:
    """How the log stands: its last batch and how far behind each reader is, in batches."""

    last_batch: int
    last_known: datetime | None
    consumers: tuple[tuple[str, int, datetime], ...]


def log_health() -> LogHealth:
    """For the health page; two queries."""
    last = BatchLog.objects.order_by("-number").first()
    number = last.number if last else 0
    rows = Consumer.objects.order_by("name").values_list("name", "last_batch", "updated_at")
    lag = tuple((name, max(0, number - batch), updated) for name, batch, updated in rows)
    return LogHealth(number, last.known if last else None, lag)


def rejections(actor: Actor, since: datetime, most: int = 50) -> list[Rejection]:
    """What the edge refused since a day, most first; for those who manage devices somewhere."""
    if not (actor.may_anywhere("devices.manage") or actor.may_anywhere("devices.view")):
        return []
    rows = Rejection.objects.filter(day__gte=since.date())
    if not actor.is_system:
        seen = limit(Device.objects.all(), actor, "devices.view").values("code")
        rows = rows.filter(Q(device_code__in=seen) | Q(device_code=UNKNOWN_SENDER))
    return list(rows.order_by("-count")[:most])
