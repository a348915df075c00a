from datetime import UTC, datetime, timedelta

from django.conf import settings
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

QUEUE = "rules"


@app.task(queue=QUEUE, pass_context=False)
def rehearse(rehearsal_id: int) -> None:
    """Run a queued rehearsal; its row shows progress and result."""
    # NumPy, Numba and Arrow are loaded by the first rehearsal only: an idle worker stays small.
    from shoufu.kernel.rules.rehearsal.jobs import run

    run(rehearsal_id)


@app.task(queue=QUEUE, pass_context=False)
def study(rule_id: int) -> None:
    """Count the outcomes of one rule's cases; a rule that is gone is passed over."""
    from shoufu.kernel.rules.learning.study import learn
    from shoufu.kernel.rules.models import Rule

    rule = Rule.objects.select_related("place").prefetch_related("versions").filter(pk=rule_id).first()
    if rule is not None:
        learn(rule)


@app.periodic(cron="*/10 * * * *")
@app.task(queue=QUEUE, queueing_lock="rules.study", pass_context=False)
def study_due(timestamp: int) -> int:
    """Every ten minutes: have the outcomes of rules counted that have new ones. Returns how many rules."""
    from shoufu.kernel.rules.learning.study import due

    return sum(queue_study(rule.pk) for rule in due(datetime.fromtimestamp(timestamp, UTC)))


def queue_study(rule_id: int) -> bool:
    """Have a rule's outcomes counted soon; False where that waits already."""
    try:
        study.configure(queueing_lock=f"rules.study.{rule_id}").defer(rule_id=rule_id)
    except AlreadyEnqueued:
        return False
    return True


@app.periodic(cron="17 */1 * * *")
@app.task(queue=QUEUE, queueing_lock="rules.archive", pass_context=False)
def archive(timestamp: int) -> int:
    """Every hour: bring closed days, and days that late rows came to, into the archive. Returns how many."""
    from shoufu.kernel.rules.rehearsal.archive import archive_due

    now = datetime.fromtimestamp(timestamp, UTC)
    return sum(len(archive_due(shard, now - timedelta(minutes=10))) for shard in range(settings.SHARDS))
