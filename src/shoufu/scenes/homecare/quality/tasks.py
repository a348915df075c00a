from django.utils import timezone
from procrastinate.contrib.django import app

from shoufu.scenes.homecare.quality import services, summaries


@app.periodic(cron="*/10 * * * *")
@app.task(queueing_lock="homecare.quality.limits", pass_context=False)
def limits(timestamp: int) -> int:
    """Every ten minutes: complaints and appeals past their time limit go to the regulator."""
    now = timezone.now()
    return services.escalate_late(now) + services.late_appeals(now)


@app.periodic(cron="5 * * * *")
@app.task(queueing_lock="homecare.quality.ends", pass_context=False)
def ends(timestamp: int) -> int:
    """Every hour: entries and sanctions end after their last day, reviews are due, silent complaints close."""
    now = timezone.now()
    ended = services.expire(now) + services.expire_sanctions(now) + services.close_silent(now)
    return ended + services.remind(now)


@app.periodic(cron="35 4 * * *")
@app.task(queue="retention", queueing_lock="homecare.quality.forget", pass_context=False)
def forget(timestamp: int) -> int:
    """Every night: remove what is past its retention."""
    return services.forget(timezone.now())


@app.periodic(cron="*/20 * * * *")
@app.task(queueing_lock="homecare.quality.summaries", pass_context=False)
def summarise(timestamp: int) -> int:
    """Every twenty minutes: count anew the months of large institutions in which something can still change."""
    return summaries.refresh_all(timezone.now())
