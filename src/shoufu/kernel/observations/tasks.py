from procrastinate.contrib.django import app

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.observations import services, silence


@app.periodic(cron="7 * * * *")
@app.task(queue="observations", queueing_lock="observations.partitions", pass_context=False)
def make_partitions(timestamp: int) -> int:
    """Every hour: day partitions for the days ahead. Returns how many were made."""
    return services.make_partitions(SYSTEM)


@app.periodic(cron="23 3 * * *")
@app.task(queue="observations", queueing_lock="observations.retention", pass_context=False)
def apply_retention(timestamp: int) -> None:
    """Every night: what is past its retention goes."""
    services.apply_retention(SYSTEM)


@app.periodic(cron="* * * * * */20")
@app.task(queue="observations", queueing_lock="observations.silence", pass_context=False)
def report_silence(timestamp: int) -> int:
    """Every twenty seconds: devices that missed their heartbeats become offline. Returns how many."""
    return silence.report()
