"""The edge as one ASGI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
import structlog

from shoufu.kernel.base.errors import Problem
from shoufu.runtime.edge import messages
from shoufu.runtime.edge.messages import Disconnected, Message, Receive, Scope, Send

log = structlog.get_logger("edge")

Handler = Callable[[Scope, Receive, Send], Awaitable[None]]


class Health(msgspec.Struct):
    """What ``GET /healthz`` says: whether the database and NATS answer."""

    ok: bool
    database: bool
    nats: bool


class Edge:
    """Routes: exact paths and path prefixes to their handlers, everything else to the page server."""

    def __init__(
        self,
        routes: dict[str, Handler],
        otherwise: Handler,
        health: Callable[[], Health],
        prefixes: dict[str, Handler] | None = None,
    ) -> None:
        self._routes = routes
        self._prefixes = prefixes or {}
        self._otherwise = otherwise
        self._health = health
        self.start: Callable[[], Awaitable[None]] | None = None
        self.stop: Callable[[], Awaitable[None]] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._lifespan(receive, send)
        if scope["type"] != "http":
            return None
        path = scope["path"]
        handler = self._routes.get(path)
        if handler is None and path == "/healthz":
            handler = self._healthz
        if handler is None:
            handler = next((found for start, found in self._prefixes.items() if path.startswith(start)), None)
        watched = _Watched(send)
        try:
            await (handler or self._otherwise)(scope, receive, watched)
        except Problem as problem:
            await messages.problem(send, problem)
        except Disconnected:
            return None
        except Exception:
            log.exception("request failed", path=path)
            if watched.started:
                raise
            await messages.problem(
                send, Problem("The server failed", "Its log says why. Send the same again.", status=500, kind="failure")
            )
        return None

    async def _healthz(self, scope: Scope, receive: Receive, send: Send) -> None:
        health = self._health()
        await messages.answer(send, 200 if health.ok else 503, msgspec.json.encode(health))

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                if self.start:
                    await self.start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                if self.stop:
                    await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return


class _Watched:
    """A send function that remembers whether the answer has begun."""

    __slots__ = ("_send", "started")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    def __call__(self, message: Message) -> Awaitable[None]:
        self.started = True
        return self._send(message)
