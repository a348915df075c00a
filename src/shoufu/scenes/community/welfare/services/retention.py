from datetime import datetime, timedelta

from django.db import transaction

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.observations.services import forget_rows
from shoufu.kernel.parties.models import Consent
from shoufu.scenes.community.welfare.models import Check, Sensor, Watch
from shoufu.scenes.community.welfare.services.common import CONSENT
from shoufu.scenes.community.welfare.services.taking_part import stop
from shoufu.scenes.community.welfare.services.ticking import ACTIVITY


@transaction.atomic
def forget(now: datetime) -> int:
    """Remove checks after half a year, watches without a consent, and rows of sensors that nobody lets be read."""
    old = Check.objects.filter(ended_at__lt=now - timedelta(days=Check.RETENTION_DAYS))
    count = old.count()
    old.delete()
    allowed = Consent.objects.filter(purpose=CONSENT, withdrawn_at__isnull=True).values("person")
    for person in list(Watch.objects.exclude(person__in=allowed).values_list("person", flat=True)):
        count += stop(SYSTEM, person)
    idle = list(Sensor.objects.filter(watch__isnull=True).values_list("device", flat=True))
    forget_rows(SYSTEM, ACTIVITY, idle)
    if count:
        record(SYSTEM, Act("welfare.retention", data={"rows": count}))
    return count
