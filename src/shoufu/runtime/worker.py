"""The background worker: procrastinate's queue, the sequencer that chains the audit log, and the log's summaries."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from shoufu.runtime import heartbeat, stalled


def run(concurrency: int, queues: list[str] | None) -> None:
    """Run jobs until SIGTERM or SIGINT; jobs under way get ten seconds to end."""
    from shoufu.kernel.audit import sequencer
    from shoufu.runtime import summaries

    stop = threading.Event()
    readers = [
        threading.Thread(target=sequencer.run, args=(stop,), name="audit-sequencer", daemon=True),
        threading.Thread(target=summaries.run, args=(stop,), name="summaries", daemon=True),
    ]
    for reader in readers:
        reader.start()
    try:
        asyncio.run(_work(concurrency, queues))
    finally:
        stop.set()
        for reader in readers:
            reader.join(timeout=5)


async def _work(concurrency: int, queues: list[str] | None) -> None:
    from procrastinate.contrib.django import app

    only: dict[str, Any] = {"queues": queues} if queues else {}
    beat = asyncio.create_task(_beat())
    try:
        with app.replace_connector(app.connector.get_worker_connector()) as working:  # type: ignore[attr-defined]
            async with working.open_async():
                rescue = asyncio.create_task(stalled.watch(working))
                try:
                    await working.run_worker_async(
                        **only,
                        concurrency=concurrency,
                        shutdown_graceful_timeout=8,
                        update_heartbeat_interval=10,
                        stalled_worker_timeout=stalled.DEAD_AFTER,
                    )
                finally:
                    rescue.cancel()
    finally:
        beat.cancel()


async def _beat() -> None:
    while True:
        heartbeat.beat("worker")
        await asyncio.sleep(5)
