"""Talking with the server: rule sets down, events up, orders down. Everything else goes on without it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import httpx
import msgspec
import structlog

from shoufu.engines.doors import Alarm, ClockQuality, Command, Gap, RuleSetError

from .core import Core
from .journal import Entry

log = structlog.get_logger("door")

WAIT = 45
BATCH = 200
REFUSED, TIME = "refused", "time"
FIRST_PAUSE = 0.2
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


class Wrong(msgspec.Struct):
    """One error of a problem: a JSON pointer into the body, and what is wrong there."""

    field: str
    message: str = ""


class Refusal(msgspec.Struct):
    """The body of an answer (422) to events of which none was taken."""

    errors: list[Wrong] = []


class Silent(Exception):
    """The server cannot be reached, or says to come again."""


class Untimed(Silent):
    """What is to be told needs the right time; the server will say it."""


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
        self._late = core.late
        self._whole = False
        self._back = True
        self._answered = asyncio.Event()
        """Set by the next answer, which puts a fresh one in its place."""
        self.online = False
        self.failure = ""
        """What went wrong last."""
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
                self.failure = f"{once.__name__}: {str(error) or type(error).__name__}"
                log.info("server not reached", reason=self.failure)
                asked = isinstance(error, Silent) and not isinstance(error, Untimed)
                await self._rest(pause * random.uniform(0.5, 1.5), asked=asked)
                pause = min(LONGEST_PAUSE, pause * 2)

    async def _rest(self, seconds: float, asked: bool) -> None:
        """Pause after a failure. One of the network ends when another loop hears the server; one that the server has
        asked for does not."""
        if asked:
            return await asyncio.sleep(seconds)
        answered = self._answered
        first = min(seconds, FIRST_PAUSE)
        await asyncio.sleep(first)
        try:
            async with asyncio.timeout(seconds - first):
                await answered.wait()
        except TimeoutError:
            pass
        return None

    async def _ask(self, method: str, path: str, **more: object) -> httpx.Response:
        begin = self._core.clock.uptime()
        answer = await self._client.request(method, path, **more)  # type: ignore[arg-type]
        if answer.status_code in {401, 403, 429} or answer.status_code >= 500:
            raise Silent(f"{path} answered {answer.status_code}")
        self._heard(answer, begin, waited="wait=" in path and "wait=0" not in path)
        return answer

    def _heard(self, answer: httpx.Response, begin: float, waited: bool) -> None:
        """Take the server's time. Of an answer that was waited for, only the way back counts, and is short."""
        self.online = True
        answered, self._answered = self._answered, asyncio.Event()
        answered.set()
        told = answer.headers.get("Shoufu-Time", "")
        if told.isdigit():
            took = 0.05 if waited else self._core.clock.uptime() - begin
            self._core.heard(int(told) / 1000, took)

    async def _rules(self) -> None:
        store = self._core.store
        # The first question after a silence is not a long one: its answer brings the time, and renews the leases.
        wait = 0 if self._back else WAIT if store.rules else 5
        self._back = True
        path = f"/v1/doors/rules?have={store.version}&hash={store.hash}&wait={wait}"
        if self._whole:
            path += "&whole=1"
        answer = await self._ask("GET", path)
        self._back = answer.status_code not in {200, 204}
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
        """Send the oldest events; those that the server has, or will never take, are done with."""
        journal = self._core.journal
        await journal.some.wait()
        entries = journal.head(BATCH)
        if not entries:
            raise Silent("the queue cannot be read")
        items = await self._send([self._late.body(entry) for entry in entries])
        unbelieved = [n for n, item in enumerate(items) if item.status == REFUSED and item.reason == TIME]
        done = unbelieved[0] if unbelieved else len(entries)
        for entry, item in zip(entries[:done], items[:done], strict=True):
            if item.status == REFUSED:
                self._set_aside(entry, item)
        journal.acknowledge(done)
        if unbelieved:
            self._tell_late([entries[n] for n in unbelieved])

    async def _send(self, bodies: list[bytes]) -> list[Item]:
        """What became of each event. Safe to repeat: the server knows what it has by its id."""
        answer = await self._ask("POST", "/v1/observations", content=b"[" + b",".join(bodies) + b"]",
                                 headers={"Content-Type": "application/json"})  # fmt: skip
        if answer.status_code in {200, 207}:
            items = msgspec.json.decode(answer.content, type=Answer).items
        elif answer.status_code == 422:
            items = refusals(answer.content)
        else:
            raise Silent(f"observations: {answer.status_code}")
        if len(items) != len(bodies):
            raise Silent(f"{len(items)} answers to {len(bodies)} events")
        return items

    def _tell_late(self, entries: list[Entry]) -> None:
        """Events whose time the server does not believe are told next with the time of now, marked late."""
        if self._core.clock.quality != ClockQuality.SYNCED:
            raise Untimed("the right time is not known yet")
        again = any(self._late.has(entry) for entry in entries)
        self._late.note(entries, int(self._core.clock.now() * 1000))
        if again:
            # Our clock was wrong after all; refused is not stored, so another time may be tried, but not at once.
            raise Untimed("the server does not believe our time")

    def _set_aside(self, entry: Entry, item: Item) -> None:
        self.refused += 1
        log.error("event refused", reason=item.message or item.reason, content=entry.body.decode())
        self._core.files.replace(f"refused-{entry.boot}-{entry.sequence}.json", entry.body)

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


def refusals(content: bytes) -> list[Item]:
    """What is wrong with each event of a body of which none was taken, in order: JSON pointers ``/<index>/<field>``."""
    found = []
    for error in msgspec.json.decode(content, type=Refusal).errors:
        _, number, *rest = error.field.split("/")
        if not number.isdigit():
            raise Silent(f"the server refuses the events: {error.message[:200]}")
        reason = TIME if rest == ["phenomenonTime"] else "invalid"
        found.append(Item(int(number), REFUSED, reason, error.message[:200]))
    return found
