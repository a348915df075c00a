from datetime import timedelta

from django.utils import timezone
from procrastinate.contrib.django import app

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.history import services


@app.periodic(cron="6 * * * *")
@app.task(queue="history", queueing_lock="history.flows", pass_context=False)
def count_flows(timestamp: int) -> int:
    """Every hour: the movement of yesterday and today, closed hours only. Returns how many rows."""
    today = timezone.localdate()
    return sum(services.count_flows(SYSTEM, day) for day in (today - timedelta(days=1), today))


@app.periodic(cron="41 3 * * *")
@app.task(queue="history", queueing_lock="history.forget", pass_context=False)
def forget(timestamp: int) -> int:
    """Every night: what is past its retention goes. Returns how many rows."""
    return services.forget(SYSTEM)
