from datetime import datetime, timedelta

from django.db import transaction

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM
from shoufu.scenes.homecare.register.models import Patient, Practitioner
from shoufu.scenes.homecare.register.services.portraits import clear


@transaction.atomic
def forget(now: datetime) -> int:
    """Remove patients and practitioners past their retention, with what hangs on them; how many rows."""
    patients = Patient.objects.filter(ended_at__lt=now - timedelta(days=Patient.RETENTION_DAYS))
    gone = Practitioner.objects.filter(left_at__lt=now - timedelta(days=Practitioner.RETENTION_DAYS))
    clear(gone.values_list("pk", flat=True))
    removed = patients.delete()[0] + gone.delete()[0]
    if removed:
        record(SYSTEM, Act("homecare.retention", data={"rows": removed}))
    return removed
