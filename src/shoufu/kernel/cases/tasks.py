from procrastinate.contrib.django import app

from shoufu.kernel.cases.clips import cut_due
from shoufu.kernel.cases.evidence import collect_pending
from shoufu.kernel.cases.services import escalate_overdue


@app.periodic(cron="* * * * * */5")
@app.task(queue="cases", queueing_lock="cases.escalate", pass_context=False)
def escalate(timestamp: int) -> int:
    """Every five seconds: escalate what is overdue. Returns how many."""
    return len(escalate_overdue())


@app.periodic(cron="* * * * * */5")
@app.task(queue="cases", queueing_lock="cases.evidence", pass_context=False)
def collect_evidence(timestamp: int) -> int:
    """Every five seconds: attach pictures that arrived after their case. Returns how many."""
    return collect_pending()


@app.periodic(cron="* * * * * */5")
@app.task(queue="cases", queueing_lock="cases.clips", lock="cases.clips", pass_context=False)
def cut_clips(timestamp: int) -> int:
    """Every five seconds: cut the clips of new cases out of the recordings. Returns how many."""
    return cut_due()
