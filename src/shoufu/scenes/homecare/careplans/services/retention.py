from datetime import datetime, timedelta

from django.db import transaction

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM
from shoufu.scenes.homecare.careplans.models import CarePlan, HomeDevice, Reading


@transaction.atomic
def forget(now: datetime) -> int:
    """Remove plans 15 years after they ended, with what hangs on them, and readings 15 years after they were measured
    unless a plan of the patient still runs; how many rows."""
    old = now - timedelta(days=CarePlan.RETENTION_DAYS)
    removed = CarePlan.objects.filter(ended_at__lt=old).delete()[0]
    removed += HomeDevice.objects.filter(until__lt=old).delete()[0]
    running = CarePlan.objects.filter(state=CarePlan.State.ACTIVE).values("patient")
    removed += Reading.objects.filter(at__lt=old).exclude(patient__in=running).delete()[0]
    if removed:
        record(SYSTEM, Act("homecare.plan.retention", data={"rows": removed}))
    return removed
