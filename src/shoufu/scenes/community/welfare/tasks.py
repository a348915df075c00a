from django.utils import timezone
from procrastinate.contrib.django import app

from shoufu.scenes.community.welfare import services


@app.periodic(cron="* * * * *")
@app.task(queue="cases", queueing_lock="welfare.minute", pass_context=False)
def minute(timestamp: int) -> int:
    """Every minute: read what the sensors said, let checks go on, begin those that are due."""
    return services.tick(timezone.now())


@app.periodic(cron="45 3 * * *")
@app.task(queue="retention", queueing_lock="welfare.forget", pass_context=False)
def forget(timestamp: int) -> int:
    """Every night: remove checks after half a year, and what rests on no consent."""
    return services.forget(timezone.now())
