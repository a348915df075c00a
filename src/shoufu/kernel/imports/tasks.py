from procrastinate.contrib.django import app

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.imports import services


@app.periodic(cron="41 3 * * *")
@app.task(queue="parties", queueing_lock="imports.purge", pass_context=False)
def purge(timestamp: int) -> int:
    """Every night: forget files that nobody imported, and old ways back. Returns how many."""
    return services.purge(SYSTEM)
