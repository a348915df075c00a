from datetime import UTC, datetime, timedelta

from django.conf import settings
from procrastinate.contrib.django import app

QUEUE = "rules"


@app.task(queue=QUEUE, pass_context=False)
def rehearse(rehearsal_id: int) -> None:
    """Run a queued rehearsal; its row shows progress and result."""
    # NumPy, Numba and Arrow are loaded by the first rehearsal only: an idle worker stays small.
    from shoufu.kernel.rules.rehearsal.jobs import run

    run(rehearsal_id)


@app.periodic(cron="17 */1 * * *")
@app.task(queue=QUEUE, queueing_lock="rules.archive", pass_context=False)
def archive(timestamp: int) -> int:
    """Every hour: bring closed days, and days that late rows came to, into the archive. Returns how many."""
    from shoufu.kernel.rules.rehearsal.archive import archive_due

    now = datetime.fromtimestamp(timestamp, UTC)
    return sum(len(archive_due(shard, now - timedelta(minutes=10))) for shard in range(settings.SHARDS))
