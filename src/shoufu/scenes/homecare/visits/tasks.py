from django.utils import timezone
from procrastinate.contrib.django import app

from shoufu.scenes.homecare.visits import ordering, services


@app.periodic(cron="* * * * * */20")
@app.task(queue="booking", queueing_lock="homecare.follow_money", pass_context=False)
def follow_money(timestamp: int) -> int:
    """Every 20 seconds: what is still due about the money of visits. Returns how many are done."""
    return ordering.follow_due()


@app.periodic(cron="7 * * * *")
@app.task(queue="booking", queueing_lock="homecare.check_ahead", pass_context=False)
def check_ahead(timestamp: int) -> int:
    """Every hour: mark booked visits that can no longer take place. Returns how many changed."""
    return services.check_ahead()


@app.periodic(cron="37 3 * * *")
@app.task(queue="booking", queueing_lock="homecare.close_past", pass_context=False)
def close_past(timestamp: int) -> int:
    """Every night: visits to which nobody came and of which nobody said anything did not take place. Returns how
    many."""
    return services.close_past()


@app.periodic(cron="2 * * * *")
@app.task(queue="booking", queueing_lock="homecare.keep_in_step", pass_context=False)
def keep_in_step(timestamp: int) -> int:
    """Every hour: bring the offerings in step with versions whose first day has come. Returns how many changed."""
    return services.keep_all_in_step()


@app.periodic(cron="45 4 * * *")
@app.task(queue="retention", queueing_lock="homecare.visits.forget", pass_context=False)
def forget(timestamp: int) -> int:
    """Every night: remove visits and prescriptions past their retention. Returns how many rows."""
    return services.forget(timezone.now())
