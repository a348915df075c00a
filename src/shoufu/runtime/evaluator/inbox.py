"""Batches as they come over the nerve, held by a thread of its own."""

from __future__ import annotations

import asyncio
import threading

import msgspec
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from shoufu.kernel.rules.evaluation import Batch

log = structlog.get_logger(__name__)
SUBJECT = "obs.batch"
MOST = 2_000
"""Batches held at most; what comes beyond is read from the database."""


class Inbox:
    """What arrived and was not taken yet, by number. Losing a message is harmless: the database has every batch."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._decoder = msgspec.msgpack.Decoder(Batch)
        self._held: dict[int, Batch] = {}
        self._arrived = threading.Event()
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._client = Client()
        threading.Thread(target=self._run, name="inbox", daemon=True).start()

    def wait(self, seconds: float) -> None:
        """Until something arrives, or the time is over."""
        self._arrived.wait(seconds)
        self._arrived.clear()

    def after(self, number: int, most: int) -> list[Batch]:
        """The batches held that follow `number` without a gap, in order; older ones are let go."""
        with self._lock:
            for old in [held for held in self._held if held <= number]:
                del self._held[old]
            found: list[Batch] = []
            while len(found) < most and (batch := self._held.pop(number + 1, None)) is not None:
                found.append(batch)
                number += 1
            return found

    def close(self) -> None:
        """Stop listening."""
        asyncio.run_coroutine_threadsafe(self._client.close(), self._loop)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.create_task(self._listen())
        self._loop.run_forever()

    async def _listen(self) -> None:
        await self._client.connect(
            self._url,
            name="evaluator",
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            connect_timeout=2,
            error_cb=self._complain,
        )
        await self._client.subscribe(SUBJECT, cb=self._take)

    async def _complain(self, error: Exception) -> None:
        log.debug("nerve", error=str(error))

    async def _take(self, message: Msg) -> None:
        try:
            batch = self._decoder.decode(message.data)
        except msgspec.DecodeError as error:
            log.warning("a batch on the nerve could not be read; the database has it", error=str(error))
            return
        with self._lock:
            if len(self._held) < MOST:
                self._held[batch.number] = batch
        self._arrived.set()
