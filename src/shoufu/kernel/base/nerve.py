import asyncio
import logging
import threading
from typing import Any

import msgspec
from django.conf import settings
from django.db import transaction
from nats.aio.client import Client

log = logging.getLogger(__name__)
PENDING_LIMIT = 10_000
FIRST_SECONDS, FIRST_TURNS = 3.0, 60


class Nerve:
    """Publishes to NATS from ordinary, blocking code: a thread of its own holds the connection.

    What goes out here only wakes others up; the facts are in PostgreSQL. So publishing never blocks and never fails
    the caller: with the broker away messages are dropped and counted, and readers catch up from the database.
    """

    def __init__(self, url: str) -> None:
        self.dropped = 0
        self._url = url
        self._loop = asyncio.new_event_loop()
        self._client = Client()
        threading.Thread(target=self._run, name="nerve", daemon=True).start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.create_task(self._connect())
        self._loop.run_forever()

    async def _connect(self) -> None:
        await self._client.connect(
            self._url,
            name="nerve",
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            connect_timeout=2,
            allow_reconnect=True,
            error_cb=self._complain,
            pending_size=4 * 1024 * 1024,
        )

    async def _complain(self, error: Exception) -> None:
        log.debug("nerve: %s", error)

    def publish(self, subject: str, payload: Any) -> None:
        """Send `payload` as JSON to `subject`, soon and at most once."""
        asyncio.run_coroutine_threadsafe(self._publish(subject, msgspec.json.encode(payload)), self._loop)

    async def _publish(self, subject: str, data: bytes) -> None:
        # The first message of a process comes before its connection is made; without this wait it would be dropped.
        for _turn in range(FIRST_TURNS):
            if self._client.is_connected:
                break
            await asyncio.sleep(FIRST_SECONDS / FIRST_TURNS)
        if not self._client.is_connected:
            self.dropped += 1
            return
        await self._client.publish(subject, data)


_nerve: Nerve | None = None
_lock = threading.Lock()


def nerve() -> Nerve:
    """This process's publisher, connected at the first use."""
    global _nerve
    with _lock:
        if _nerve is None:
            _nerve = Nerve(settings.NATS_URL)
    return _nerve


def publish_on_commit(subject: str, payload: Any) -> None:
    """Publish once the current transaction has committed; nothing if it rolls back."""
    transaction.on_commit(lambda: nerve().publish(subject, payload), robust=True)
