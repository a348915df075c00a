from procrastinate.contrib.django import app

from shoufu.kernel.access.services import purge_accounts
from shoufu.kernel.base.actor import SYSTEM


@app.periodic(cron="41 3 * * *")
@app.task(queue="access", queueing_lock="access.purge", pass_context=False)
def purge(timestamp: int) -> int:
    """Every night: remove accounts and roles that are past their retention. Returns how many accounts."""
    return purge_accounts(SYSTEM)
