from procrastinate.contrib.django import app

from shoufu.kernel.base.actor import SYSTEM
from shoufu.scenes.community.vehicles import services


@app.periodic(cron="* * * * * */10")
@app.task(queue="cases", queueing_lock="vehicles.expire", pass_context=False)
def expire(timestamp: int) -> int:
    """Every ten seconds: close questions at the gate that nobody answered. Returns how many."""
    return services.expire_waiting(SYSTEM)


@app.periodic(cron="* * * * *")
@app.task(queue="cases", queueing_lock="vehicles.minute", pass_context=False)
def minute(timestamp: int) -> int:
    """Every minute: guests who stay too long. Returns how many."""
    return services.report_overstays(SYSTEM)


@app.periodic(cron="* * * * *")
@app.task(queue="cases", queueing_lock="vehicles.plates", pass_context=False)
def plates(timestamp: int) -> int:
    """Every minute: bring the plates that barrier controllers hold in line with the register. Returns how many."""
    return services.sync_plates(SYSTEM)


@app.periodic(cron="50 3 * * *")
@app.task(queue="retention", queueing_lock="vehicles.forget", pass_context=False)
def forget(timestamp: int) -> int:
    """Every night: remove passages, stays and entries past their retention."""
    return services.forget(SYSTEM)
