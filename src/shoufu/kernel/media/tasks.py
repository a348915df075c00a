from procrastinate.contrib.django import app

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
