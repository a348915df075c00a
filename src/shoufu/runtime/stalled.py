"""Jobs that a dead worker left in the middle: taken up again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from procrastinate import App

log = structlog.get_logger("worker")

DEAD_AFTER = 30.0
EVERY = 15.0


async def watch(app: App) -> None:
    """Until cancelled: look for such jobs; a database that does not answer is asked again."""
    from procrastinate.exceptions import ConnectorException

    while True:
        try:
            await retry(app)
        except ConnectorException as error:
            log.warning("stalled jobs not read", reason=str(error.__cause__ or error).strip()[:200])
        await asyncio.sleep(EVERY)


async def retry(app: App, dead_after: float = DEAD_AFTER) -> int:
    """Put the jobs of workers without a sign of life for ``dead_after`` seconds back into the queue; returns how many.

    Where the same job is queued again by now (same queueing lock), the cut-off one is closed as failed instead.
    """
    from procrastinate.exceptions import UniqueViolation
    from procrastinate.jobs import Status

    count = 0
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=dead_after):
        try:
            await app.job_manager.retry_job(job)
            count += 1
            log.info("job taken up again", task=job.task_name, job=job.id)
        except UniqueViolation:
            await app.job_manager.finish_job(job, status=Status.FAILED, delete_job=False)
    return count
