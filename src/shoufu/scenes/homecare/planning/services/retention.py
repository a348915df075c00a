from datetime import datetime, timedelta

from django.db import transaction

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM
from shoufu.scenes.homecare.planning.models import PlanEvent, Proposal


@transaction.atomic
def forget(now: datetime) -> int:
    """Remove what changed plans after two years, and proposals after 30 days; how many rows."""
    removed = PlanEvent.objects.filter(at__lt=now - timedelta(days=PlanEvent.RETENTION_DAYS)).delete()[0]
    removed += Proposal.objects.filter(made_at__lt=now - timedelta(days=Proposal.RETENTION_DAYS)).delete()[0]
    if removed:
        record(SYSTEM, Act("homecare.dispatch.retention", data={"rows": removed}))
    return removed
