from datetime import datetime

from django.utils import timezone

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.scenes.homecare.visits.models import Visit, VisitEvent


def write_down(actor: Actor, row: Visit, kind: str, *, at: datetime | None = None, **data: object) -> None:
    """A line in a visit's history, and in the audit log."""
    VisitEvent.objects.create(visit=row, at=at or timezone.now(), kind=kind, user_id=actor.user_id, data=data)
    record(actor, Act(f"homecare.visit.{kind}", row, row.place_id, subject=row.patient.person_id, data=data))
