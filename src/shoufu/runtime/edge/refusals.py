"""Counts what was refused and writes the counts every few seconds."""

from __future__ import annotations

import asyncio

import structlog
from asgiref.sync import sync_to_async
from django.db import Error, close_old_connections

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.observations import services
from shoufu.kernel.observations.services import Refusals

log = structlog.get_logger("edge")

EVERY = 2.0
KEYS = 5_000
UNKNOWN = "?"
"""Stands for senders that showed no valid credential."""


class Counter:
    """Refusals by (device, reason); bounded, so that no sender can fill memory."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], tuple[int, str]] = {}

    def add(self, device: str, reason: str, sample: str, count: int = 1) -> None:
        """Count one refusal; ``sample`` is shown on the health page."""
        key = (device, reason)
        before = self._counts.get(key)
        if before is None and len(self._counts) >= KEYS:
            key = (UNKNOWN, reason)
            before = self._counts.get(key)
        self._counts[key] = ((before[0] if before else 0) + count, sample[:300])

    async def run(self) -> None:
        """Write every two seconds until cancelled, then once more."""
        try:
            while True:
                await asyncio.sleep(EVERY)
                await self.flush()
        finally:
            await asyncio.shield(self.flush())

    async def flush(self) -> None:
        """Write the counts now; kept for the next time when the database does not answer."""
        counts, self._counts = self._counts, {}
        rows = [Refusals(device, reason, count, sample) for (device, reason), (count, sample) in counts.items()]
        if not rows:
            return
        try:
            await sync_to_async(_write, thread_sensitive=False)(rows)
        except Error as error:
            log.warning("refusals not counted yet", reason=str(error).strip()[:200])
            for row in rows:
                self.add(row.device, row.reason, row.sample, row.count)


def _write(rows: list[Refusals]) -> None:
    close_old_connections()
    try:
        services.count_rejections(SYSTEM, rows)
    finally:
        close_old_connections()
