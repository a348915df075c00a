from django.utils import timezone
from procrastinate.contrib.django import app

from shoufu.scenes.homecare.planning import services


@app.task(queue="planning", pass_context=False)
def compute_proposal(proposal_id: int) -> None:
    """Search for what a proposal asks; its row shows progress and result."""
    services.compute(proposal_id)


@app.periodic(cron="* * * * *")
@app.task(queue="cases", queueing_lock="homecare.planning.watch", pass_context=False)
def watch(timestamp: int) -> int:
    """Every minute: tell coordinators of visits that are at risk."""
    return services.watch(timezone.now())


@app.periodic(cron="40 4 * * *")
@app.task(queue="retention", queueing_lock="homecare.planning.forget", pass_context=False)
def forget(timestamp: int) -> int:
    """Every night: remove what is past its retention."""
    return services.forget(timezone.now())
