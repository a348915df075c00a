"""The connection to NATS: batches and live events out and in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import nats
import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from shoufu.kernel.observations.wire import Batch

log = structlog.get_logger("nerve")

SUBJECT = "obs.batch"
PENDING_BYTES = 32 << 20
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Batch).decode


class Nerve:
    """Reconnects for ever; what cannot be sent meanwhile is dropped, since readers fetch it from the log."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
        self.client = Client()
        self.on_connected: list[Callable[[Client], Awaitable[None]]] = []

    @property
    def connected(self) -> bool:
        """Whether the server is there now."""
        return self.client.is_connected

    async def connect(self) -> None:
        """Connect, waiting for the server as long as it takes."""
        while True:
            try:
                await self.client.connect(
                    self._url, name=self._name, max_reconnect_attempts=-1, reconnect_time_wait=0.25,  # type: ignore[arg-type]

                    pending_size=PENDING_BYTES, allow_reconnect=True, no_echo=True, error_cb=_told, connect_timeout=3,
                )  # fmt: skip
                return
            except (OSError, nats.errors.Error, TimeoutError) as error:
                log.warning("NATS does not answer", reason=str(error) or type(error).__name__)
                await asyncio.sleep(0.5)
                self.client = Client()

    async def close(self) -> None:
        """Send what waits, then close; draining subscriptions could take half a minute."""
        try:
            if self.client.is_connected:
                await self.client.flush(timeout=1)
        except (nats.errors.Error, OSError, TimeoutError) as error:
            log.warning("not all sent", reason=str(error) or type(error).__name__)
        if not self.client.is_closed:
            await self.client.close()

    async def publish_batch(self, batch: Batch) -> None:
        """Send a committed batch out, once; never fails, whatever the server does."""
        await self.publish(SUBJECT, _encode(batch))

    async def publish(self, subject: str, content: bytes) -> None:
        """Send a message if the server is there."""
        if not self.client.is_connected:
            return
        try:
            await self.client.publish(subject, content)
        except (nats.errors.Error, OSError, ValueError) as error:
            log.warning("not sent", subject=subject, reason=str(error) or type(error).__name__)

    async def listen_batches(self, told: Callable[[Batch], None], own: str) -> None:
        """Call ``told`` with every batch of other edges (own batches carry the origin ``own``)."""

        async def handle(message: Msg) -> None:
            batch = _decode(message.data)
            if batch.origin != own:
                told(batch)

        await self.client.subscribe(SUBJECT, cb=handle)

    async def listen(self, subject: str, told: Callable[[str, bytes], None]) -> None:
        """Call ``told`` with every message; a message that it cannot read is logged and passed over."""

        async def handle(message: Msg) -> None:
            try:
                told(message.subject, message.data)
            except (msgspec.DecodeError, ValueError) as error:
                log.warning("unreadable message", subject=message.subject, reason=str(error))

        await self.client.subscribe(subject, cb=handle)


async def _told(error: Any) -> None:
    log.warning("NATS", reason=str(error) or type(error).__name__)
