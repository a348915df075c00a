from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from shoufu.engines.fhir.reading import write
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM
from shoufu.scenes.homecare.fhir import sealing
from shoufu.scenes.homecare.fhir.models import BulkExport, Stored, StoredVersion
from shoufu.scenes.homecare.fhir.services.refusals import forget_refusals
from shoufu.scenes.homecare.fhir.sources import Store


@transaction.atomic
def forget(now: datetime) -> int:
    """Remove what is past its retention; how many rows."""
    rows = Stored.objects.filter(updated_at__lt=now - timedelta(days=Stored.RETENTION_DAYS))
    asked = BulkExport.objects.filter(asked_at__lt=now - timedelta(days=BulkExport.RETENTION_DAYS))
    removed = rows.delete()[0] + asked.delete()[0]
    if removed:
        record(SYSTEM, Act("homecare.fhir.retention", data={"rows": removed}))
    return removed + forget_refusals(now)


def exported(row: Stored) -> dict[str, Any]:
    """What a copy of one's data shows of a resource."""
    if row.deleted_at is not None:
        return {"type": row.type, "deleted_at": row.deleted_at}
    found = next(iter(Store.made([row])))
    return {"type": row.type, "updated_at": row.updated_at, "resource": write(found.content).decode()}


def exported_version(row: StoredVersion) -> dict[str, Any]:
    """An earlier version of a resource, as a law keeps it."""
    told = {"type": row.stored.type, "id": row.stored.logical_id, "version": row.number, "at": row.at}
    if not row.content:
        return told
    content = next(sealing.opened([row], [f"{row.stored.type}/{row.stored.logical_id}"]))
    return told | {"resource": write(content).decode()}
