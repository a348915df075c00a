"""What watchers and evaluators last said about themselves, heard on NATS from the page server's start on."""

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

WATCHERS, EVALUATORS = "stats.watcher.", "stats.evaluator"
OLD_SECONDS = 30.0
log = logging.getLogger(__name__)


class Listener:
    """Keeps the newest page of figures of each watcher and each evaluator's shard, in a thread of its own."""

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
                await client.subscribe(f"{WATCHERS}*", cb=self._take)
                await client.subscribe(EVALUATORS, cb=self._take)
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
            self._pages[f"{message.subject}/{page.get('shard', '')}"] = (time.monotonic(), page)

    def pages(self, subject: str) -> list[dict[str, Any]]:
        """The pages under a subject heard in the last half minute."""
        since = time.monotonic() - OLD_SECONDS
        rows = sorted(self._pages.items())
        return [page for name, (heard, page) in rows if name.startswith(subject) and heard >= since]


_listener: Listener | None = None
_lock = threading.Lock()


def listen() -> Listener:
    """Begin to listen, once a process; a page server does so at its start, so that the first look shows figures."""
    global _listener
    with _lock:
        if _listener is None:
            _listener = Listener(settings.NATS_URL)
        return _listener


def pages(subject: str = WATCHERS) -> list[dict[str, Any]]:
    """What this process has heard; nothing at the first call of a process that did not listen before."""
    return listen().pages(subject)
