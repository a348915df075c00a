from uuid import UUID

from django.utils import timezone
from procrastinate.contrib.django import app

from shoufu.scenes.homecare.fhir import services


@app.task(queue="fhir", pass_context=False)
def make_export(export_id: str) -> None:
    """Make the files of a bulk export; its row shows progress and result."""
    services.make(UUID(export_id))


@app.periodic(cron="*/15 * * * *")
@app.task(queue="fhir", queueing_lock="homecare.fhir.expire", pass_context=False)
def expire(timestamp: int) -> int:
    """Every quarter of an hour: delete the files of exports past their end."""
    return services.expire(timezone.now())


@app.periodic(cron="35 4 * * *")
@app.task(queue="retention", queueing_lock="homecare.fhir.forget", pass_context=False)
def forget(timestamp: int) -> int:
    """Every night: remove what is past its retention."""
    return services.forget(timezone.now())
