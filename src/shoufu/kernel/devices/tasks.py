from procrastinate.contrib.django import app

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.devices import commands


@app.periodic(cron="* * * * * */20")
@app.task(queue="devices", queueing_lock="devices.expire", pass_context=False)
def expire_commands(timestamp: int) -> int:
    """Every twenty seconds: commands whose time is over lapse. Returns how many."""
    return commands.expire(SYSTEM)
