import logging
from datetime import date

from procrastinate.contrib.django import app

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Problem
from shoufu.kernel.payments import providers, selectors, services

log = logging.getLogger(__name__)
QUEUE = "payments"
DAYS = 7


@app.periodic(cron="* * * * *")
@app.task(queue=QUEUE, queueing_lock="payments.follow", pass_context=False)
def follow(timestamp: int) -> int:
    """Every minute: ask after payments and refunds without an answer, end what was not paid in time."""
    return services.follow() + services.expire_due()


# WeChat's bill is there from 10:00 Beijing time, Alipay's from 09:00: asked at 11:15 (03:15 UTC), and again once.
@app.periodic(cron="15 3,9 * * *")
@app.task(queue=QUEUE, queueing_lock="payments.reconcile", pass_context=False)
def reconcile(timestamp: int) -> int:
    """Every day: compare yesterday with each provider's bill, and the days of the last week that have not been yet.
    Returns how many were compared."""
    online = [code for code in providers.configured() if providers.adapter(code).online]
    return sum(_compared(provider, day) for provider in online for day in selectors.days_to_compare(provider, DAYS))


def _compared(provider: str, day: date) -> bool:
    try:
        services.reconcile(SYSTEM, provider, day)
    except Problem as problem:
        log.error("the bill of %s for %s: %s", provider, day, problem)
        return False
    return True


@app.periodic(cron="53 3 * * *")
@app.task(queue=QUEUE, queueing_lock="payments.expire", pass_context=False)
def expire(timestamp: int) -> int:
    """Every night: forget callbacks that are past their retention."""
    return services.expire_events()
