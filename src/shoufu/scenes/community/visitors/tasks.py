from django.utils import timezone
from procrastinate.contrib.django import app

from shoufu.scenes.community.visitors import services


@app.periodic(cron="* * * * *")
@app.task(queue="cases", queueing_lock="visitors.minute", pass_context=False)
def minute(timestamp: int) -> int:
    """Every minute: end what is over, ask for who stays too long, raise a case where nobody answers."""
    return services.settle(timezone.now())


@app.periodic(cron="50 3 * * *")
@app.task(queue="retention", queueing_lock="visitors.forget", pass_context=False)
def forget(timestamp: int) -> int:
    """Every night: remove visits 30 days after their end."""
    return services.forget(timezone.now())
