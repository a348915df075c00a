"""The background worker: procrastinate's queue."""

from __future__ import annotations

import asyncio

from shoufu.runtime import heartbeat


def run(concurrency: int, queues: list[str] | None) -> None:
    """Run jobs until SIGTERM or SIGINT; jobs under way get ten seconds to end."""
    asyncio.run(_work(concurrency, queues))


async def _work(concurrency: int, queues: list[str] | None) -> None:
    from procrastinate.contrib.django import app

    beat = asyncio.create_task(_beat())
    try:
        async with app.replace_connector(app.connector.get_worker_connector()).open_async() as open_app:  # type: ignore[attr-defined]
            await open_app.run_worker_async(
                queues=queues, concurrency=concurrency, shutdown_graceful_timeout=8, update_heartbeat_interval=10
            )
    finally:
        beat.cancel()


async def _beat() -> None:
    while True:
        heartbeat.beat("worker")
        await asyncio.sleep(5)
