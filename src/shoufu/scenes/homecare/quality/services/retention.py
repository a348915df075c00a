from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM
from shoufu.scenes.homecare.quality.models import Bar, Complaint, Incident, MonthSummary, Rating, Refusal, Sanction


@transaction.atomic
def forget(now: datetime) -> int:
    """Remove what is past its retention; how many rows."""

    def before(days: int) -> datetime:
        return now - timedelta(days=days)

    removed = 0
    for rows in (
        Rating.objects.filter(made_at__lt=before(Rating.RETENTION_DAYS)),
        Complaint.objects.filter(ended_at__lt=before(Complaint.RETENTION_DAYS)),
        Incident.objects.filter(closed_at__lt=before(Incident.RETENTION_DAYS)),
        Refusal.objects.filter(ended_at__lt=before(Refusal.RETENTION_DAYS)),
        Bar.objects.filter(ended_at__lt=before(Bar.RETENTION_DAYS)),
        Sanction.objects.filter(ended_at__lt=before(Sanction.RETENTION_DAYS)),
        MonthSummary.objects.filter(month__lt=before(MonthSummary.RETENTION_DAYS)),
    ):
        removed += rows.delete()[0]
    if removed:
        record(SYSTEM, Act("homecare.quality.retention", data={"rows": removed}))
    return removed


def end_refusals(now: datetime, about: Q) -> int:
    """End refusals about somebody who left or is cared for no longer; how many."""
    return Refusal.objects.filter(about, ended_at__isnull=True).update(ended_at=now)
