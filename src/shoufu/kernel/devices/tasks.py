from procrastinate.contrib.django import app

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.devices import commands, services


@app.periodic(cron="* * * * * */20")
@app.task(queue="devices", queueing_lock="devices.silent", pass_context=False)
def mark_silent(timestamp: int) -> int:
    """Every twenty seconds: devices that missed their heartbeats become offline. Returns how many."""
    return len(services.mark_silent())


@app.periodic(cron="* * * * * */20")
@app.task(queue="devices", queueing_lock="devices.expire", pass_context=False)
def expire_commands(timestamp: int) -> int:
    """Every twenty seconds: commands whose time is over lapse. Returns how many."""
    return commands.expire(SYSTEM)
