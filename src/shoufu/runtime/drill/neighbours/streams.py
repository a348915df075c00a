"""The live streams of the edge: nothing that happens at the neighbour's may arrive."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import httpx
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from nats.aio.client import Client

from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.runtime.bench.stage import Stage
from shoufu.runtime.drill.neighbours.district import OWN_IDS, THEIR_IDS
from shoufu.runtime.drill.neighbours.rows import IDS
from shoufu.runtime.drill.neighbours.running import Figures, Leak

TOPICS = ("case", "notice", "device", "referral", "anything")
"""The last stands for topics to come: they take the right to see places."""
THEIRS, OWN = "zhbxgq-event", "qjwvkx-event"
PATIENCE = 3.0


@dataclass
class _Ear:
    """A stream of one role: what came."""

    role: str
    url: str
    cookies: dict[str, str]
    heard: list[str] = field(default_factory=list)
    status: int = 0
    open: threading.Event = field(default_factory=threading.Event)

    def listen(self, until: float) -> None:
        """Read lines until the moment (monotonic seconds), or until refused."""
        try:
            with httpx.stream("GET", self.url, cookies=self.cookies, timeout=PATIENCE) as answer:
                self.status = answer.status_code
                self.open.set()
                for line in answer.iter_lines():
                    self.heard.append(line)
                    if time.monotonic() > until:
                        return
        except httpx.ReadTimeout:
            return
        finally:
            self.open.set()


def listen(place: Stage, figures: Figures) -> None:
    """As every role, on its own stream and on one that asks for the neighbour's place; then things happen in both."""
    own, theirs = _compound(OWN_IDS), _compound(THEIR_IDS)
    rows = RoleAssignment.objects.filter(place__path=own, user__username__startswith="qjw-").select_related("user")
    base = f"http://127.0.0.1:{place.port}/live"
    ears = []
    for row in rows:
        cookies = {settings.SESSION_COOKIE_NAME: _session(row.user)}
        ears += [_Ear(row.role, base + query, cookies) for query in ("", f"?place={theirs}", f"?place={THEIR_IDS}")]
    until = time.monotonic() + PATIENCE + 5
    threads = [threading.Thread(target=ear.listen, args=(until,), daemon=True) for ear in ears]
    for thread in threads:
        thread.start()
    for ear in ears:
        ear.open.wait(PATIENCE)
    stranger = User.objects.filter(username__startswith="zhb-").order_by("pk").first()
    asyncio.run(_happen(own, theirs, stranger.pk if stranger else 0))
    for thread in threads:
        thread.join(until - time.monotonic() + PATIENCE)
    figures.topics = len(TOPICS)
    _judge(ears, figures)


def _judge(ears: list[_Ear], figures: Figures) -> None:
    for ear in ears:
        figures.tried += 1
        if any(THEIRS in line for line in ear.heard):
            figures.leaks.append(Leak(ear.role, f"GET {ear.url}", "an event of the neighbour"))
    if not any(OWN in line for ear in ears for line in ear.heard):
        figures.failed.append("GET /live: not even events of one's own place arrived")


def _compound(first: int) -> str:
    from shoufu.kernel.places.models import Place

    return Place.objects.get(kind="compound", pk__range=(first, first + IDS - 1)).path


async def _happen(own: str, theirs: str, stranger: int) -> None:
    client = Client()
    await client.connect(settings.NATS_URL, connect_timeout=3)
    for topic in TOPICS:
        for path, word in ((theirs, THEIRS), (own, OWN)):
            await client.publish(f"live.{topic}", _message({"path": path, "event": "drill", "data": word}))
        await client.publish(f"live.{topic}", _message({"user": stranger, "event": "drill", "data": THEIRS}))
    await client.flush()
    await client.close()


def _message(content: dict[str, Any]) -> bytes:
    return json.dumps(content).encode()


def _session(user: User) -> str:
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    return str(store.session_key)
