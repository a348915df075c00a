from datetime import datetime, timedelta

from django.db import transaction

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.evidence.selectors import held_cases
from shoufu.kernel.media import store
from shoufu.scenes.homecare.encounters.models import (
    RETENTION_DAYS,
    SAFETY_DAYS,
    Encounter,
    Handed,
    Operation,
    Overdue,
    Phone,
    Photo,
    Sos,
    Trace,
)
from shoufu.scenes.homecare.visits.services.retention import held_visits


def forget(now: datetime) -> int:
    """Remove encounters 15 years after they ended, ways and calls for help after three; how many rows. What a hold on
    its case keeps stays."""
    with transaction.atomic():
        old, safety = now - timedelta(days=RETENTION_DAYS), now - timedelta(days=SAFETY_DAYS)
        held, cases = held_visits().values("pk"), held_cases()
        gone = Encounter.objects.filter(opened_at__lt=old).exclude(visit__in=held)
        keys = list(
            Photo.objects.filter(encounter__in=gone.values("pk"), key__isnull=False).values_list("key", flat=True)
        )
        removed = gone.delete()[0]
        removed += Operation.objects.filter(known_at__lt=old).exclude(visit__in=held).delete()[0]
        removed += Handed.objects.filter(last_at__lt=old).delete()[0]
        removed += Phone.objects.filter(used_at__lt=now - timedelta(days=Phone.RETENTION_DAYS)).delete()[0]
        removed += Trace.objects.filter(until__lt=safety).exclude(encounter__visit__in=held).delete()[0]
        removed += Sos.objects.filter(known_at__lt=safety).exclude(case__in=cases).delete()[0]
        removed += Overdue.objects.filter(opened_at__lt=safety).exclude(case__in=cases).delete()[0]
        if removed:
            record(SYSTEM, Act("homecare.encounter.retention", data={"rows": removed}))
    for key in keys:
        store.remove(str(key))
    return removed
