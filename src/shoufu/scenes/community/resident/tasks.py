from django.utils import timezone
from procrastinate.contrib.django import app

from shoufu.scenes.community.resident import services


@app.periodic(cron="55 3 * * *")
@app.task(queue="retention", queueing_lock="resident.forget", pass_context=False)
def forget(timestamp: int) -> int:
    """Every night: remove requests a year after they were made."""
    return services.forget(timezone.now())
