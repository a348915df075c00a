from procrastinate.contrib.django import app

from shoufu.kernel.notices import services


@app.periodic(cron="* * * * * */3")
@app.task(queue="notices", queueing_lock="notices.deliver", pass_context=False)
def deliver(timestamp: int) -> int:
    """Every three seconds: send what is due. Returns how many."""
    return services.deliver_due()


@app.periodic(cron="23 3 * * *")
@app.task(queue="notices", queueing_lock="notices.expire", pass_context=False)
def expire(timestamp: int) -> int:
    """Every night: delete notices past their retention."""
    return services.expire()
