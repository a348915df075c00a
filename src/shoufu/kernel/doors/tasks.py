from procrastinate.contrib.django import app

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.doors.services import keep_modes
from shoufu.kernel.doors.services.retention import purge as purge_now


@app.periodic(cron="*/1 * * * *")
@app.task(queue="doors", queueing_lock="doors.modes", pass_context=False)
def modes(timestamp: int) -> int:
    """Every minute: order again what a door was told while it could not hear. Returns how many doors."""
    return keep_modes(SYSTEM)


@app.periodic(cron="41 3 * * *")
@app.task(queue="doors", queueing_lock="doors.purge", pass_context=False)
def purge(timestamp: int) -> int:
    """Every night: remove what is kept longer than its purpose allows. Returns how many rows went."""
    return sum(vars(purge_now(SYSTEM)).values())
