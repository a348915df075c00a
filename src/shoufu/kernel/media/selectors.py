from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, QuerySet, Sum
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import limit
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.media import store
from shoufu.kernel.media.models import MediaObject


def visible(actor: Actor) -> QuerySet[MediaObject]:
    """Every media object that the actor may see."""
    return limit(MediaObject.objects.all(), actor, "media.view")


def get(actor: Actor, media_id: UUID) -> MediaObject:
    """One object; NotFound where the actor may not see it or it has expired."""
    found = visible(actor).select_related("place", "device").filter(pk=media_id).first()
    if found is None:
        raise NotFound(_("There is no such picture, or you may not see it."))
    return found


def latest_by_device(actor: Actor, device_ids: list[int], known: datetime | None = None) -> dict[int, MediaObject]:
    """The newest snapshot of each device, as known at a moment; one query."""
    rows = visible(actor).filter(device__in=device_ids, kind=MediaObject.Kind.SNAPSHOT)
    if known:
        rows = rows.filter(known__lte=known)
    return {item.device_id: item for item in rows.order_by("device_id", "-t").distinct("device_id") if item.device_id}


def of_device(actor: Actor, device_id: int, since: datetime, until: datetime) -> QuerySet[MediaObject]:
    """Pictures and clips of a device that began in [since, until), newest first."""
    return visible(actor).filter(device=device_id, t__gte=since, t__lt=until).order_by("-t")


@dataclass(frozen=True)
class Stock:
    """How much the store holds, for the health page."""

    objects: int
    bytes: int
    free: int


def stock() -> Stock:
    counted = MediaObject.objects.aggregate(objects=Count("pk"), bytes=Sum("size"))
    return Stock(counted["objects"], counted["bytes"] or 0, store.free_bytes())
