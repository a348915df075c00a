from django.utils import timezone
from procrastinate.contrib.django import app

from shoufu.scenes.homecare.assessment import services


@app.periodic(cron="25 4 * * *")
@app.task(queue="retention", queueing_lock="homecare.assessment.forget", pass_context=False)
def forget(timestamp: int) -> int:
    """Every night: remove assessments past their retention."""
    return services.forget(timezone.now())
