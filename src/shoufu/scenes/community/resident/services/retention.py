from datetime import datetime, timedelta

from django.db import transaction

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM
from shoufu.scenes.community.resident.models import Request


@transaction.atomic
def forget(now: datetime) -> int:
    """Remove who asked for what a year after their case ended (the case itself stays as long as cases do)."""
    ended = now - timedelta(days=Request.RETENTION_DAYS)
    removed = Request.objects.filter(made_at__lt=ended).exclude(case__state__in=["new", "acknowledged", "dispatched"])
    count = removed.delete()[0]
    if count:
        record(SYSTEM, Act("resident.retention", data={"rows": count}))
    return count
