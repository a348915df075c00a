"""What door controllers fetch: rule sets and orders, by long polls that a change ends at once (engines/doors)."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import parse_qs
from uuid import UUID

import msgspec
import structlog
from asgiref.sync import sync_to_async
from django.db import Error, close_old_connections

from shoufu.engines.doors import Command, CommandName, sign_command
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Invalid, NotFound, Problem
from shoufu.kernel.devices import commands
from shoufu.kernel.doors import keys
from shoufu.kernel.doors.services import rulesets
from shoufu.kernel.observations.directory import DeviceEntry
from shoufu.runtime.edge import messages
from shoufu.runtime.edge.ingest import Ingest, unavailable
from shoufu.runtime.edge.messages import Disconnected, Receive, Scope, Send
from shoufu.runtime.edge.nerve import Nerve

log = structlog.get_logger("doors")

T = TypeVar("T")
LONGEST = 55.0
NET = 10.0
"""So often a waiting poll looks by itself, should the wake-up have been lost."""
MAX_BODY = 16 << 10
DOOR_COMMANDS = frozenset(CommandName)


class Reply(msgspec.Struct):
    """What a controller says became of an order."""

    ok: bool
    answer: str = ""


class Wakes:
    """Who waits for news of a controller; a wake-up that comes before the wait is not lost."""

    def __init__(self) -> None:
        self._count: defaultdict[int, int] = defaultdict(int)
        self._waiting: defaultdict[int, set[asyncio.Event]] = defaultdict(set)

    def count(self, device_id: int) -> int:
        """How often the controller was woken so far; read it before looking into the database."""
        return self._count[device_id]

    def wake(self, device_ids: list[int]) -> None:
        """End the waits of these controllers."""
        for device_id in device_ids:
            self._count[device_id] += 1
            for event in self._waiting[device_id]:
                event.set()

    async def wait(self, device_id: int, seen: int, seconds: float) -> None:
        """Until a wake-up after ``seen``, or the time is over."""
        if self._count[device_id] != seen:
            return
        event = asyncio.Event()
        self._waiting[device_id].add(event)
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting[device_id].discard(event)


class Doors:
    """The three addresses of door controllers."""

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest
        self.wakes = Wakes()
        self.order_wakes = Wakes()

    async def listen(self, nerve: Nerve) -> None:
        """Start to hear of changes."""
        await nerve.listen(rulesets.WAKE, self._woken)

    def _woken(self, _subject: str, content: bytes) -> None:
        told = msgspec.json.decode(content, type=dict[str, list[int]])
        self.wakes.wake(told.get("controllers", []))
        self.order_wakes.wake(told.get("orders", []))

    async def rules(self, scope: Scope, receive: Receive, send: Send) -> None:
        """``GET /v1/doors/rules``: what the controller should hold, once that is not what it holds."""
        _require(scope, "GET")
        device = self._ingest.sender(scope)
        query = _query(scope)
        have, digest = _number(query, "have"), query.get("hash", "")
        if len(digest) % 2 or any(letter not in "0123456789abcdef" for letter in digest):
            raise Invalid.one("hash", "Send the SHA-256 of the rule set that is held in lower-case hex.")
        # Whatever it cannot prove to hold, it is given anew.
        genuine = await _in_thread(rulesets.told_held, device.id, have, digest)
        whole = "whole" in query or (have > 0 and not genuine)

        def look() -> tuple[str, int, bytes] | None:
            return rulesets.content_for(device.id, have, digest, whole=whole)

        found = await self._poll(self.wakes, device, look, _seconds(query), receive)
        if found is None and not have:
            raise NotFound("There is no rule set for this device yet: make it an access point's controller.")
        if found is None:
            return await messages.answer(send, 204, b"", _headers())
        form, version, content = found
        named = [(b"shoufu-rules", form.encode()), (b"shoufu-rules-version", b"%d" % version)]
        await messages.answer(send, 200, content, [(b"content-type", b"application/octet-stream"), *_headers(), *named])

    async def orders(self, scope: Scope, receive: Receive, send: Send) -> None:
        """``GET /v1/doors/commands``: orders that wait, signed."""
        _require(scope, "GET")
        device = self._ingest.sender(scope)
        seconds = _seconds(_query(scope))
        found = await self._poll(self.order_wakes, device, lambda: _orders(device), seconds, receive)
        if not found:
            return await messages.answer(send, 204, b"", _headers())
        content = msgspec.json.encode({"commands": found})
        await messages.answer(send, 200, content, [messages.JSON, *_headers()])

    async def answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        """``POST /v1/doors/commands/<id>``: what became of an order."""
        _require(scope, "POST")
        device = self._ingest.sender(scope)
        try:
            command_id = UUID(scope["path"].rpartition("/")[2])
            reply = msgspec.json.decode(await messages.body(receive, MAX_BODY, _too_large), type=Reply)
        except (ValueError, msgspec.DecodeError) as error:
            raise Invalid.one("/", f"Send {{ok, answer}} as JSON for an order's UUID: {error}.") from error
        await _in_thread(_acknowledge, device, command_id, reply)
        await messages.answer(send, 204, b"", _headers())

    async def _poll(
        self, wakes: Wakes, device: DeviceEntry, look: Callable[[], T | None], seconds: float, receive: Receive
    ) -> T | None:
        end = time.monotonic() + seconds
        gone = asyncio.create_task(_gone(receive))
        try:
            while True:
                seen = wakes.count(device.id)
                found: T | None = await _in_thread(look)
                left = end - time.monotonic()
                if found or left <= 0:
                    return found
                await asyncio.wait(
                    {gone, asyncio.ensure_future(wakes.wait(device.id, seen, min(left, NET)))},
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if gone.done():
                    raise Disconnected
        finally:
            gone.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    def run() -> Any:
        close_old_connections()
        try:
            return function(*arguments)
        finally:
            close_old_connections()

    try:
        return await sync_to_async(run, thread_sensitive=False)()
    except Error as error:
        log.warning("database does not answer", reason=str(error).strip()[:200])
        raise unavailable() from error


def _orders(device: DeviceEntry) -> list[Command]:
    """The orders that wait, each for one door; those that only other controllers know are passed over."""
    key = keys.signing_key()
    return [
        sign_command(
            key,
            device.code,
            Command(
                id=str(row.pk),
                name=CommandName(row.name),
                door=row.parameters.get("door"),
                parameters={name: value for name, value in row.parameters.items() if name != "door"},
                expires=int(row.expires_at.timestamp()),
            ),
        )
        for row in commands.pending(device.id)
        if row.name in DOOR_COMMANDS
    ]


def _acknowledge(device: DeviceEntry, command_id: UUID, reply: Reply) -> None:
    actor = Actor("device", str(device.id), device.code)
    commands.acknowledge(actor, device.id, command_id, done=reply.ok, answer={"text": reply.answer[:200]})


def _require(scope: Scope, method: str) -> None:
    if scope["method"] != method:
        raise Problem(f"Use {method}", f"This address takes {method}.", status=405, kind="method")


def _query(scope: Scope) -> dict[str, str]:
    given = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    return {name: values[0] for name, values in given.items()}


def _number(query: dict[str, str], name: str) -> int:
    text = query.get(name, "0")
    if not text.isdigit() or len(text) > 9:
        raise Invalid.one(name, "Send a whole number.")
    return int(text)


def _seconds(query: dict[str, str]) -> float:
    return min(LONGEST, float(_number(query, "wait")))


def _headers() -> list[tuple[bytes, bytes]]:
    return [(b"shoufu-time", b"%d" % int(time.time() * 1000)), (b"cache-control", b"no-store")]


def _too_large(size: int) -> Problem:
    return Problem("The body is too large", f"Send at most {MAX_BODY} bytes.", status=413, kind="too-large")
