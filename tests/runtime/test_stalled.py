from __future__ import annotations

import asyncio

import pytest
from django.db import connection
from procrastinate.contrib.django import app

from shoufu.runtime import stalled

pytestmark = pytest.mark.django_db(transaction=True)

TASK = "shoufu.kernel.notices.tasks.deliver"


def insert(status: str, heartbeat_age: int | None, lock: str | None = None) -> int:
    """A job; with an age, one that a worker with so old a heartbeat (seconds) had taken."""
    with connection.cursor() as cursor:
        worker = None
        if heartbeat_age is not None:
            cursor.execute(
                "insert into procrastinate_workers (last_heartbeat) values (now() - %s * interval '1 s') returning id",
                [heartbeat_age],
            )
            worker = cursor.fetchone()[0]
        cursor.execute(
            "insert into procrastinate_jobs (task_name, queue_name, args, status, worker_id, queueing_lock, attempts)"
            " values (%s, 'stalled', '{}', %s, %s, %s, 0) returning id",
            [TASK, status, worker, lock],
        )
        return int(cursor.fetchone()[0])


def state(job: int) -> tuple[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("select status::text, attempts from procrastinate_jobs where id = %s", [job])
        found: tuple[str, int] = cursor.fetchone()
        return found


def retry() -> int:
    async def run() -> int:
        with app.replace_connector(app.connector.get_worker_connector()) as working:  # type: ignore[attr-defined]
            async with working.open_async():
                return await stalled.retry(working)

    return asyncio.run(run())


def test_job_of_a_dead_worker_is_queued_again() -> None:
    job = insert("doing", heartbeat_age=120)
    assert retry() == 1
    assert state(job) == ("todo", 1)


def test_job_of_a_living_worker_is_left_alone() -> None:
    job = insert("doing", heartbeat_age=2)
    assert retry() == 0
    assert state(job) == ("doing", 0)


def test_job_that_is_queued_anew_is_closed() -> None:
    dead = insert("doing", heartbeat_age=120, lock="deliver")
    queued = insert("todo", heartbeat_age=None, lock="deliver")
    assert retry() == 0
    assert state(dead)[0] == "failed"
    assert state(queued) == ("todo", 0)
