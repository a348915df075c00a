"""What a stream missed while it was away, from the log."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import structlog

from shoufu.kernel.observations import reader
from shoufu.kernel.observations.selectors import guarded
from shoufu.kernel.observations.wire import Batch
from shoufu.runtime.edge.live import frames
from shoufu.runtime.edge.live.hub import OBSERVATION, Hub, Listener

log = structlog.get_logger("live")

MAX_BATCHES = 2_000
MAX_ROWS = 1_000
GRACE = 0.25
POLL = 1.0


class Replay:
    """Reads the log for streams that resume, and for batches of other edges that the nerve did not bring."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._asked = 0.0

    async def missed(self, listener: Listener, number: int, ix: int, last: int) -> list[bytes] | None:
        """Frames after (number, ix) up to batch ``last``; None when that is more than a stream should carry."""
        roots = list(listener.roots(OBSERVATION)) if listener.wants(OBSERVATION) else []
        if not roots or number > last:
            return []
        if last - number > MAX_BATCHES:
            return None
        return await asyncio.to_thread(self._read, roots, number, ix, last)

    def _read(self, roots: list[str], number: int, ix: int, last: int) -> list[bytes] | None:
        with psycopg.connect(self._dsn, connect_timeout=5) as connection:
            found = reader.after(connection, (number, ix), last, roots, MAX_ROWS + 1)
            if len(found) > MAX_ROWS:
                return None
            hidden = guarded()
            return [
                frames.observation(row, batch, frames.rfc3339(known))
                for batch, known, row in found
                if row.kind not in hidden
            ]

    async def fill(self, hub: Hub) -> None:
        """Until cancelled: bring batches that were committed elsewhere and did not arrive over the nerve."""
        while True:
            await asyncio.sleep(GRACE)
            try:
                await self._fill_once(hub)
            except (psycopg.Error, OSError) as error:
                log.warning("log not read", reason=str(error).strip()[:200])
                await asyncio.sleep(POLL)

    async def _fill_once(self, hub: Hub) -> None:
        now = asyncio.get_running_loop().time()
        if len(hub) and now - self._asked > POLL:
            self._asked = now
            await self._catch_up(hub)
        lost = sorted(number for number, since in hub.missing.items() if now - since > GRACE)
        if not lost:
            return
        for batch in await asyncio.to_thread(self._batches, lost[0] - 1, lost[-1] - lost[0] + 1):
            hub.batch(batch)
        for number in lost:
            hub.missing.pop(number, None)

    async def _catch_up(self, hub: Hub) -> None:
        """Batches that came last and whose message was lost show by no gap."""
        seen = hub.last_number
        if await self.newest() == seen:
            return
        await asyncio.sleep(GRACE)
        if hub.last_number == seen:
            for batch in await asyncio.to_thread(self._batches, seen, MAX_BATCHES):
                hub.batch(batch)

    def _batches(self, after: int, limit: int) -> list[Batch]:
        with psycopg.connect(self._dsn, connect_timeout=5) as connection:
            return reader.batches(connection, after, limit)

    async def newest(self) -> int:
        """The number of the newest batch."""
        return await asyncio.to_thread(self._newest)

    def _newest(self) -> int:
        connection: psycopg.Connection[Any]
        with psycopg.connect(self._dsn, connect_timeout=5) as connection:
            return reader.last_number(connection)
