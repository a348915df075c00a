from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid
from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.devices.models import Device
from shoufu.kernel.media import store as files
from shoufu.kernel.media.models import MediaObject


@dataclass(frozen=True)
class StoreMedia:
    """What is known of the bytes: `t` begins and `until` ends (clips); `id` may be given by the device, so that an
    observation can name a clip that is still being cut."""

    kind: str
    content_type: str
    t: datetime
    until: datetime | None = None
    device_id: int | None = None
    place_id: int | None = None
    id: UUID | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Origin:
    device_id: int | None
    place_id: int


def _origin(actor: Actor, draft: StoreMedia) -> _Origin:
    """A device stores for itself only, a gateway also for the devices in the subtree of its place; anybody else needs
    the right to manage devices at the place."""
    if actor.kind == "device":
        return _from_device(int(actor.id), draft.device_id)
    if draft.device_id is not None:
        device = Device.objects.select_related("place").filter(pk=draft.device_id).first()
        if device is None or not actor.may("devices.manage", device.place.path):
            raise Forbidden(_("You need the right to manage this device."))
        return _Origin(device.pk, device.place_id)
    if actor.is_system and draft.place_id is not None:
        return _Origin(None, draft.place_id)
    raise Invalid.one("device", _("Name the device that the picture comes from."))


def _from_device(sender_id: int, device_id: int | None) -> _Origin:
    rows = Device.objects.filter(pk__in={sender_id, device_id or sender_id}, retired_at__isnull=True)
    found = {device.pk: device for device in rows.select_related("place")}
    sender, device = found.get(sender_id), found.get(device_id or sender_id)
    if sender is not None and device is not None:
        behind = sender.kind == Device.Kind.GATEWAY and device.place.path.startswith(sender.place.path)
        if device is sender or behind:
            return _Origin(device.pk, device.place_id)
    raise Forbidden(_("A device stores media for itself only, a gateway for the devices at its place."))


def store(actor: Actor, draft: StoreMedia, source: bytes | Path) -> MediaObject:
    """Keep a snapshot or a clip: first the bytes for good, then the row, so that no row ever lacks its bytes.

    The same id with the same bytes again gives the first object; with other bytes it is refused. Bytes whose row
    fails are removed.
    """
    if draft.kind not in MediaObject.Kind.values:
        raise Invalid.one("kind", _("Send “snapshot” or “clip”."))
    origin = _origin(actor, draft)
    media_id = draft.id or uuid7()
    existing = MediaObject.objects.filter(pk=media_id).first()
    kept = files.put(media_id if existing is None else uuid7(), draft.content_type, draft.t, source)
    if existing is not None:
        files.remove(kept.key)
        if bytes(existing.sha256) == kept.sha256 and existing.device_id == origin.device_id:
            return existing
        raise Conflict(_("This media id is taken by other bytes; use a new id."))
    try:
        with transaction.atomic():
            made = MediaObject.objects.create(
                id=media_id,
                kind=draft.kind,
                content_type=draft.content_type,
                size=kept.size,
                sha256=kept.sha256,
                key=kept.key,
                device_id=origin.device_id,
                place_id=origin.place_id,
                t=draft.t,
                until=draft.until,
                keep_until=timezone.now() + timedelta(days=MediaObject.RETENTION_DAYS),
                data=dict(draft.data),
            )
            record(actor, Act("media.store", made, origin.place_id, data={"sha256": kept.sha256.hex()}))
    except Exception:
        files.remove(kept.key)
        raise
    return made


def record_look(actor: Actor, media: MediaObject) -> None:
    """Note that somebody looked at a clip or opened a snapshot in full."""
    record(actor, Act("media.look", media, media.place_id))


def expire(now: datetime | None = None, most: int = 500) -> int:
    """Delete what is past its retention and is evidence of no case: rows first, then the bytes. Returns how many."""
    now = now or timezone.now()
    with transaction.atomic():
        old = MediaObject.objects.filter(keep_until__lte=now, evidence__isnull=True)
        items = list(old.select_for_update(skip_locked=True, of=("self",)).order_by("keep_until")[:most])
        MediaObject.objects.filter(pk__in=[item.pk for item in items]).delete()
        record_many(SYSTEM, [Act("media.expire", item, item.place_id) for item in items])
    for item in items:
        files.remove(item.key)
    return len(items)
