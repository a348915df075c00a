"""Keeps the directory of devices and kinds fresh: a revoked secret is refused within two seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import psycopg
import structlog

from shoufu.kernel.observations import directory
from shoufu.kernel.observations.directory import Directory

log = structlog.get_logger("edge")

EVERY = 1.0


class Keeper:
    """Holds the newest :class:`Directory`; asks once a second whether it changed."""

    def __init__(self, dsn: str, shards: int) -> None:
        self._dsn = dsn
        self._shards = shards
        self.directory = Directory()
        self.loaded = asyncio.Event()
        self.healthy = False
        self.on_change: list[Callable[[Directory], None]] = []

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self._follow()
            except (psycopg.Error, OSError) as error:
                self.healthy = False
                log.warning("directory not refreshed", reason=str(error).strip()[:200])
                await asyncio.sleep(EVERY / 2)

    async def _follow(self) -> None:
        connection = await psycopg.AsyncConnection.connect(
            self._dsn, autocommit=True, connect_timeout=5, application_name="shoufu-directory"
        )
        async with connection:
            while True:
                if await directory.fingerprint(connection) != self.directory.fingerprint:
                    self.directory = await directory.load(connection, self._shards, self.directory)
                    for told in self.on_change:
                        told(self.directory)
                self.healthy = True
                self.loaded.set()
                await asyncio.sleep(EVERY)
