from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.scenes.community.vehicles import selectors
from shoufu.scenes.community.vehicles.models import ListEntry, Parking, Passage, Stay


@transaction.atomic
def forget(actor: Actor, now: datetime | None = None) -> int:
    """Remove passages and stays after 30 days, entries 30 days after they ended; how many. Counts are kept."""
    moment = now or timezone.now()
    old = moment - timedelta(days=Passage.RETENTION_DAYS)
    for parking in Parking.objects.select_for_update().filter(counted_at__lt=old + timedelta(days=1)):
        parking.counted, parking.counted_at = selectors.inside(parking, moment), moment
        parking.save(update_fields=["counted", "counted_at"])
    removed = {
        "passages": Passage.objects.filter(began_at__lt=old).delete()[0],
        "stays": Stay.objects.filter(until__lt=old).delete()[0],
        "entries": ListEntry.objects.filter(until__lt=old).delete()[0]
        + ListEntry.objects.filter(revoked_at__lt=old).delete()[0],
    }
    if any(removed.values()):
        record(actor, Act("vehicles.forget", object_type="community_vehicles.passage", data=removed))
    return sum(removed.values())
