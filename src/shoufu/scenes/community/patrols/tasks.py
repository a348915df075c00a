from django.utils import timezone
from procrastinate.contrib.django import app

from shoufu.scenes.community.patrols import services


@app.periodic(cron="* * * * *")
@app.task(queue="cases", queueing_lock="patrols.minute", pass_context=False)
def minute(timestamp: int) -> int:
    """Every minute: plan the coming rounds, close those whose time is over."""
    now = timezone.now()
    return services.plan(now) + services.close_overdue(now)


@app.periodic(cron="40 3 * * *")
@app.task(queue="retention", queueing_lock="patrols.forget", pass_context=False)
def forget(timestamp: int) -> int:
    """Every night: remove rounds and shifts past their retention."""
    return services.forget(timezone.now())
