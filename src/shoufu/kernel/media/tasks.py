from procrastinate.contrib.django import app

from shoufu.kernel.media import recordings
from shoufu.kernel.media.services import expire


@app.periodic(cron="17 * * * *")
@app.task(queue="media", queueing_lock="media.expire", pass_context=False)
def expire_old(timestamp: int) -> int:
    """Every hour: delete pictures past their retention. Returns how many."""
    gone = total = expire()
    while gone == 500:
        gone = expire()
        total += gone
    return total


@app.periodic(cron="*/2 * * * *")
@app.task(queue="media", queueing_lock="media.expire_recordings", pass_context=False)
def expire_recordings(timestamp: int) -> int:
    """Every two minutes: delete recordings past their retention or beyond their room. Returns how many segments."""
    return recordings.expire()
