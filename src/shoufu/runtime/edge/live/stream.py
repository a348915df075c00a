"""``GET /live``: the stream of one client."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from urllib.parse import parse_qs

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Problem
from shoufu.runtime.edge import messages
from shoufu.runtime.edge.live import frames
from shoufu.runtime.edge.live.hub import Hub, Listener
from shoufu.runtime.edge.live.replay import Replay
from shoufu.runtime.edge.messages import Receive, Scope, Send
from shoufu.runtime.edge.signin import SignIn

HEARTBEAT_EVERY = 15.0
GAP = 0.025
MAX_CLIENTS = 20_000
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
OTHERS = b'{"of":["case","notice","device"]}'
ALL = b'{"of":["observation","case","notice","device"]}'


class Live:
    """Serves streams. Query: ``place`` (an id or a path; its subtree only) and ``events`` (names by comma)."""

    def __init__(self, hub: Hub, replay: Replay, sign_in: SignIn) -> None:
        self._hub = hub
        self._replay = replay
        self._sign_in = sign_in

    async def run(self) -> None:
        """Heartbeats, until cancelled."""
        while True:
            await asyncio.sleep(HEARTBEAT_EVERY)
            self._hub.heartbeat()

    def close_all(self) -> None:
        """End every stream (at shutdown)."""
        for listener in self._hub.everyone():
            listener.closed = True
            listener.wake.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        actor = await self._sign_in.actor(scope)
        if actor is None:
            raise Problem("Not signed in", "Sign in, or send an API token.", status=401, kind="unauthorised")
        if len(self._hub) >= MAX_CLIENTS:
            raise Problem("Too many streams", "Try again later.", status=503, kind="busy", extra={"retry_after": 30})
        listener = self._listener(scope, actor)
        self._hub.add(listener)
        watching = asyncio.create_task(_until_gone(receive, listener))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            await self._resume(scope, listener, send)
            await self._pump(scope, listener, send)
            await _part(send, b"", more=False)
        finally:
            self._hub.remove(listener)
            watching.cancel()

    def _listener(self, scope: Scope, actor: Actor) -> Listener:
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        events = frozenset(name for text in query.get("events", ()) for name in text.split(",") if name)
        root = ""
        if query.get("place"):
            text = query["place"][0]
            found = text if _is_path(text) else self._hub.path_of(int(text)) if _is_id(text) else None
            if found is None or not any(found.startswith(path) or path.startswith(found) for path in _paths(actor)):
                raise Problem("Not found", f"There is no place {text[:32]!r} that you may see.", 404, "not-found")
            root = found
        return Listener(actor, root, events)

    async def _resume(self, scope: Scope, listener: Listener, send: Send) -> None:
        """First bytes: what was missed since Last-Event-ID, or the order to load anew."""
        last = self._hub.last_number
        start = b"retry: 2000\n\n"
        shown = messages.header(scope, b"last-event-id")
        if shown is None:
            return await _part(send, start + b"id: %d\n: \n\n" % last)
        position = frames.position(shown.decode("latin-1"))
        missed = await self._replay.missed(listener, *position, last) if position else None
        if position is None or missed is None:
            return await _part(send, start + frames.event("resync", ALL, last))
        others = self._hub.recent_after(listener, position[0])
        pieces = [start, *missed, *([frames.event("resync", OTHERS, last)] if others is None else others)]
        return await _part(send, b"".join(pieces))

    async def _pump(self, scope: Scope, listener: Listener, send: Send) -> None:
        checked = asyncio.get_running_loop().time()
        while not listener.closed:
            await listener.wake.wait()
            if listener.closed:
                return
            whole = listener.take()
            if listener.overflowed:
                listener.overflowed = False
                whole = frames.event("resync", ALL, self._hub.last_number)
            await _part(send, whole)
            if asyncio.get_running_loop().time() - checked > HEARTBEAT_EVERY:
                checked = asyncio.get_running_loop().time()
                if await self._sign_in.actor(scope) != listener.actor:
                    return  # rights changed or ended: the client comes back and gets what it may see now
            await asyncio.sleep(GAP)


def _is_id(text: str) -> bool:
    return text.isdecimal() and len(text) < 19


def _is_path(text: str) -> bool:
    return len(text) <= 200 and text.startswith("/") and text.endswith("/")


def _paths(actor: Actor) -> list[str]:
    return ["/"] if actor.is_system else [grant.path for grant in actor.grants]


async def _part(send: Send, content: bytes, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": content, "more_body": more})


async def _until_gone(receive: Receive, listener: Listener) -> None:
    with suppress(asyncio.CancelledError):
        while (await receive())["type"] != "http.disconnect":
            pass
        listener.closed = True
        listener.wake.set()
