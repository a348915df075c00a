from procrastinate.contrib.django import app

from shoufu.kernel.booking import services


@app.periodic(cron="* * * * * */5")
@app.task(queue="booking", queueing_lock="booking.expire_holds", pass_context=False)
def expire_holds(timestamp: int) -> int:
    """Every five seconds: end holds that are past their time. Returns how many."""
    return services.expire_holds()


@app.periodic(cron="* * * * * */15")
@app.task(queue="booking", queueing_lock="booking.promote", pass_context=False)
def promote(timestamp: int) -> int:
    """Every 15 seconds: offer free slots to who waits. Returns how many."""
    return services.promote_all()


@app.periodic(cron="17 * * * *")
@app.task(queue="booking", queueing_lock="booking.complete", pass_context=False)
def complete(timestamp: int) -> int:
    """Every hour: close bookings that were kept. Returns how many."""
    return services.complete_past()


@app.periodic(cron="47 3 * * *")
@app.task(queue="booking", queueing_lock="booking.expire", pass_context=False)
def expire(timestamp: int) -> int:
    """Every night: forget what is past its retention."""
    return services.expire()
