from procrastinate.contrib.django import app

from shoufu.kernel.referrals import delivery, services


@app.periodic(cron="* * * * * */2")
@app.task(queue="referrals", queueing_lock="referrals.deliver", pass_context=False)
def deliver(timestamp: int) -> int:
    """Every two seconds: send what is due to webhooks. Returns how many were acknowledged."""
    return delivery.deliver_due()


@app.periodic(cron="* * * * * */5")
@app.task(queue="referrals", queueing_lock="referrals.follow", pass_context=False)
def follow(timestamp: int) -> int:
    """Every five seconds: send what policies say, tell receivers what changed, chase what nobody received."""
    return services.refer_due() + services.tell_changes() + services.chase_unreceived()


@app.periodic(cron="* * * * *")
@app.task(queue="referrals", queueing_lock="referrals.beat", pass_context=False)
def beat(timestamp: int) -> int:
    """Every minute: heartbeats, daily tests, lines that are down. Returns how many messages were queued."""
    return delivery.beat()


@app.periodic(cron="41 3 * * *")
@app.task(queue="referrals", queueing_lock="referrals.expire", pass_context=False)
def expire(timestamp: int) -> int:
    """Every night: remove what is past its retention."""
    return services.expire()
