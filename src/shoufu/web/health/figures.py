"""What the watchers last said about themselves: heard on NATS from the first look at the health page on."""

import asyncio
import logging
import threading
import time
from typing import Any

import msgspec
from django.conf import settings
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

SUBJECT = "stats.watcher.*"
OLD_SECONDS = 30.0
log = logging.getLogger(__name__)


class Listener:
    """Keeps the newest page of figures of each watcher, in a thread of its own; old ones are not shown."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pages: dict[str, tuple[float, dict[str, Any]]] = {}
        threading.Thread(target=lambda: asyncio.run(self._run()), name="figures", daemon=True).start()

    async def _run(self) -> None:
        client = Client()
        while True:
            try:
                await client.connect(
                    self._url, name="health", max_reconnect_attempts=-1, connect_timeout=2, error_cb=self._complain
                )
                await client.subscribe(SUBJECT, cb=self._take)
                await asyncio.Event().wait()
            except (NatsError, OSError) as error:
                log.debug("health: no broker: %s", error)
                await asyncio.sleep(5)

    async def _complain(self, error: Exception) -> None:
        log.debug("health: %s", error)

    async def _take(self, message: Msg) -> None:
        try:
            page = msgspec.json.decode(message.data)
        except msgspec.DecodeError as error:
            log.warning("health: unreadable figures on %s: %s", message.subject, error)
            return
        if isinstance(page, dict):
            self._pages[message.subject] = (time.monotonic(), page)

    def pages(self) -> list[dict[str, Any]]:
        """The pages heard in the last half minute."""
        since = time.monotonic() - OLD_SECONDS
        return [page for heard, page in self._pages.values() if heard >= since]


_listener: Listener | None = None
_lock = threading.Lock()


def pages() -> list[dict[str, Any]]:
    """What this process has heard; nothing at the first call, which begins to listen."""
    global _listener
    with _lock:
        if _listener is None:
            _listener = Listener(settings.NATS_URL)
    return _listener.pages()
