"""Talking with the server: rule sets down, events up, orders down. Everything else goes on without it."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Awaitable, Callable

import httpx
import msgspec
import structlog

from shoufu.engines.doors import Alarm, ClockQuality, Command, Gap, RuleSetError

from .core import Core, stamp
from .journal import Entry

log = structlog.get_logger("door")

WAIT = 45
BATCH = 200
LATE = re.compile(rb'"phenomenonTime":"[^"]*"')
FIRST_PAUSE = 0.2
ALL = "all"
"""Reason of an event in a body of which nothing was taken; the answer then says no more about each."""
LONGEST_PAUSE = 30.0


class Commands(msgspec.Struct):
    """The body of an answer to ``GET /v1/doors/commands``."""

    commands: list[Command]


class Item(msgspec.Struct):
    """What became of one event."""

    index: int
    status: str
    reason: str = ""
    message: str = ""


class Answer(msgspec.Struct):
    """The body of an answer to ``POST /v1/observations``."""

    items: list[Item]


class Silent(Exception):
    """The server cannot be reached, or says to come again."""


class Sync:
    """Three loops: rules, events, commands. Each backs off by itself, with jitter, so that doors do not come all at
    once when the network does."""

    def __init__(self, core: Core, server: str, secret: str, client: httpx.AsyncClient | None = None) -> None:
        self._core = core
        self._client = client or httpx.AsyncClient(
            base_url=server,
            headers={"Authorization": f"Bearer {secret}"},
            timeout=httpx.Timeout(10, read=WAIT + 15),
            limits=httpx.Limits(max_connections=4),
            trust_env=False,
        )
        self._whole = False
        self.online = False
        self.refused = 0

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep(self._rules))
            tasks.create_task(self._keep(self._events))
            tasks.create_task(self._keep(self._commands))

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    async def _keep(self, once: Callable[[], Awaitable[None]]) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                await once()
                pause = FIRST_PAUSE
            except (Silent, httpx.HTTPError, msgspec.MsgspecError, OSError) as error:
                self.online = False
                log.info("server not reached", what=once.__name__, reason=str(error) or type(error).__name__)
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))
                pause = min(LONGEST_PAUSE, pause * 2)

    async def _ask(self, method: str, path: str, **more: object) -> httpx.Response:
        begin = self._core.clock.uptime()
        answer = await self._client.request(method, path, **more)  # type: ignore[arg-type]
        if answer.status_code in {401, 403, 429} or answer.status_code >= 500:
            raise Silent(f"{path} answered {answer.status_code}")
        self._heard(answer, begin, waited="wait=" in str(answer.url))
        return answer

    def _heard(self, answer: httpx.Response, begin: float, waited: bool) -> None:
        """Take the server's time. Of an answer that was waited for, only the way back counts, and is short."""
        self.online = True
        told = answer.headers.get("Shoufu-Time", "")
        if told.isdigit():
            took = 0.05 if waited else self._core.clock.uptime() - begin
            self._core.heard(int(told) / 1000, took)

    async def _rules(self) -> None:
        store = self._core.store
        path = f"/v1/doors/rules?have={store.version}&hash={store.hash}&wait={WAIT if store.rules else 5}"
        if self._whole:
            path += "&whole=1"
        answer = await self._ask("GET", path)
        if answer.status_code == 204:
            return self._core.renewed()
        if answer.status_code != 200:
            raise Silent(f"rules: {answer.status_code}")
        try:
            if answer.headers.get("Shoufu-Rules") == "delta":
                store.delta(answer.content)
            else:
                store.full(answer.content)
        except Gap:
            self._whole = True
            return None
        except RuleSetError as error:
            was_whole, self._whole = self._whole, True
            self._core.alarm(Alarm.RULES_REFUSED, detail=str(error))
            if was_whole:
                raise Silent(str(error)) from error
            return None
        self._whole = False
        self._core.took_rules()
        self._core.renewed()
        return None

    async def _events(self) -> None:
        journal = self._core.journal
        await journal.some.wait()
        entries = journal.head(BATCH)
        if not entries:
            raise Silent("the queue cannot be read")
        items = await self._send([entry.body for entry in entries])
        refused = [entry for entry, item in zip(entries, items, strict=True) if item.status == "refused"]
        if refused:
            await self._again(refused)
        journal.acknowledge(len(entries))

    async def _send(self, bodies: list[bytes]) -> list[Item]:
        answer = await self._ask("POST", "/v1/observations", content=b"[" + b",".join(bodies) + b"]",
                                 headers={"Content-Type": "application/json"})  # fmt: skip
        if answer.status_code in {200, 207}:
            return msgspec.json.decode(answer.content, type=Answer).items
        if answer.status_code == 422:
            if len(bodies) == 1:
                why = "time" if "phenomenonTime" in answer.text else "invalid"
                return [Item(0, "refused", why, answer.text[:200])]
            return [Item(index, "refused", ALL) for index in range(len(bodies))]
        raise Silent(f"observations: {answer.status_code}")

    async def _again(self, entries: list[Entry]) -> None:
        """Events whose time the server does not believe are told again with the time of now, marked late."""
        if self._core.clock.quality != ClockQuality.SYNCED:
            raise Silent("the right time is not known yet")
        bodies = [self._late(entry) for entry in entries]
        items = await self._send(bodies)
        if items[0].reason == ALL:
            # One by one, so that one bad event does not hold up the others; and to hear why.
            items = [(await self._send([body]))[0] for body in bodies]
        for entry, item in zip(entries, items, strict=True):
            if item.status == "refused" and item.reason == "time":
                # Our clock was wrong after all; refused is not stored, so another time may be tried after a sync.
                self._core.files.remove(f"late-{entry.boot}-{entry.sequence}")
                raise Silent("the server does not believe our time")
            if item.status == "refused":
                self.refused += 1
                log.error("event refused", reason=item.message or item.reason, content=entry.body.decode())
                self._core.files.replace(f"refused-{entry.boot}-{entry.sequence}.json", entry.body)

    def _late(self, entry: Entry) -> bytes:
        """The event with another time. That time is written down first: after a power cut the same event must carry the
        same time, or it would count as another one."""
        core = self._core
        name = f"late-{entry.boot}-{entry.sequence}"
        noted = core.files.read(name)
        moment = int(noted) if noted else int(core.clock.now() * 1000)
        if not noted:
            core.files.replace(name, str(moment).encode())
        fixed = LATE.sub(f'"phenomenonTime":"{stamp(moment)}"'.encode(), entry.body, count=1)
        return fixed.replace(b'"result":{', b'"result":{"late":true,', 1)

    async def _commands(self) -> None:
        answer = await self._ask("GET", f"/v1/doors/commands?wait={WAIT}")
        if answer.status_code == 404:
            raise Silent("no commands for this device")
        if answer.status_code == 204:
            return
        for command in msgspec.json.decode(answer.content, type=Commands).commands:
            ok, words = self._core.carry_out(command)
            log.info("command", id=command.id, name=command.name, ok=ok, answer=words)
            await self._ask("POST", f"/v1/doors/commands/{command.id}", json={"ok": ok, "answer": words})
