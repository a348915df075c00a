from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import ProtectedError

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM
from shoufu.scenes.homecare.register.models import Patient, Practitioner
from shoufu.scenes.homecare.register.services.portraits import clear


@transaction.atomic
def forget(now: datetime) -> int:
    """Remove patients and practitioners past their retention, with what hangs on them; how many rows. Patients stay
    while a visit of theirs is kept, and whoever stands in a record that is kept longer stays in the register for it."""
    patients = Patient.objects.filter(ended_at__lt=now - timedelta(days=Patient.RETENTION_DAYS), visits__isnull=True)
    gone = Practitioner.objects.filter(left_at__lt=now - timedelta(days=Practitioner.RETENTION_DAYS))
    clear(gone.values_list("pk", flat=True))
    removed = patients.delete()[0] + sum(_removed(one) for one in gone.order_by("pk"))
    if removed:
        record(SYSTEM, Act("homecare.retention", data={"rows": removed}))
    return removed


def _removed(row: Practitioner) -> int:
    try:
        with transaction.atomic():
            return row.delete()[0]
    except ProtectedError:
        return 0
