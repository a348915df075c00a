from datetime import timedelta

from django.utils import timezone

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.neighbours import Estate, Neighbours


def seed(estate: Estate) -> None:
    """A picture with its bytes, of a device of the estate; the mark stands in the bytes."""
    from shoufu.kernel.media.models import Segment
    from shoufu.kernel.media.services import StoreMedia, store

    device = estate.row("devices.Device")
    data = b"\xff\xd8\xff\xfe" + estate.mark().encode() + b"\xff\xd9"
    now = timezone.now()
    Segment.objects.create(
        device=device, place=estate.place, t=now, gap="camera", detail=estate.mark(), keep_until=now + timedelta(days=1)
    )
    store(SYSTEM, StoreMedia("snapshot", "image/jpeg", now, device_id=device.pk), data)


neighbours = Neighbours(seed)
