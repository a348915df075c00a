from django.utils import timezone
from procrastinate.contrib.django import app

from shoufu.scenes.homecare.fhir import services


@app.periodic(cron="35 4 * * *")
@app.task(queue="retention", queueing_lock="homecare.fhir.forget", pass_context=False)
def forget(timestamp: int) -> int:
    """Every night: remove what is past its retention."""
    return services.forget(timezone.now())
