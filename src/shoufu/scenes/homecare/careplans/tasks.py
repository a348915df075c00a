from django.utils import timezone
from procrastinate.contrib.django import app

from shoufu.scenes.homecare.careplans.services import devices, reminding, retention


@app.periodic(cron="* * * * *")
@app.task(queue="cases", queueing_lock="homecare.careplans.read", pass_context=False)
def read_devices(timestamp: int) -> int:
    """Every minute: take the readings of home devices out of the log and judge them."""
    return devices.read()


@app.periodic(cron="5 * * * *")
@app.task(queue="cases", queueing_lock="homecare.careplans.remind", pass_context=False)
def remind(timestamp: int) -> int:
    """Every hour: remind patients of what is to be done, and nurses of whom to ask, each at their hour of the day."""
    return reminding.hour(timezone.now())


@app.periodic(cron="30 4 * * *")
@app.task(queue="retention", queueing_lock="homecare.careplans.forget", pass_context=False)
def forget(timestamp: int) -> int:
    """Every night: remove plans and readings past their retention."""
    return retention.forget(timezone.now())
