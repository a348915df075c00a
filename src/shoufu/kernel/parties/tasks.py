from procrastinate.contrib.django import app

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.parties import services


@app.periodic(cron="17 3 * * *")
@app.task(queue="parties", queueing_lock="parties.purge", pass_context=False)
def purge(timestamp: int) -> int:
    """Every night: remove what is kept longer than its purpose allows. Returns how many people were erased."""
    return services.purge(SYSTEM).people


@app.periodic(cron="* * * * *")
@app.task(queue="parties", queueing_lock="parties.lapse", pass_context=False)
def lapse(timestamp: int) -> int:
    """Every minute: end the tenancies whose last day is over at their place. Returns how many."""
    return len(services.lapse(SYSTEM))
