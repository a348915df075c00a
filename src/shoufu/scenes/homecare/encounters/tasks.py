from datetime import timedelta

from django.utils import timezone
from procrastinate.contrib.django import app

from shoufu.kernel.base.actor import SYSTEM
from shoufu.scenes.homecare.encounters import services


@app.periodic(cron="* * * * *")
@app.task(queue="cases", queueing_lock="homecare.encounters.watch", pass_context=False)
def watch(timestamp: int) -> int:
    """Every minute: raise a case for everybody who did not check in or out in time."""
    return services.watch(timezone.now())


@app.periodic(cron="40 * * * *")
@app.task(queue="cases", queueing_lock="homecare.encounters.release", pass_context=False)
def release(timestamp: int) -> int:
    """Every hour: take what has waited a day for lines that a phone never sent."""
    return services.release(SYSTEM, timezone.now() - timedelta(days=1))


@app.periodic(cron="35 4 * * *")
@app.task(queue="retention", queueing_lock="homecare.encounters.forget", pass_context=False)
def forget(timestamp: int) -> int:
    """Every night: remove what is past its retention."""
    return services.forget(timezone.now())
