"""One controller under the drill: the product's own core and sync, on a disk, a clock and a network that fail."""

from __future__ import annotations

import asyncio
import hmac
import random
import time
from collections.abc import Callable

import httpx
import structlog

from shoufu.engines.doors import Decision, Reason, Request, Technology, decide, event_id
from shoufu.engines.doors import qr as codes
from shoufu.gateways.door_controller.clock import Clock
from shoufu.gateways.door_controller.core import Core
from shoufu.gateways.door_controller.files import DiskFiles
from shoufu.gateways.door_controller.sync import WAIT, Sync
from shoufu.runtime.drill.door_offline.notes import (
    Answered,
    Boot,
    Count,
    Cut,
    Heard,
    Material,
    Note,
    Renewed,
    Revoked,
    Shown,
    Took,
)
from shoufu.runtime.drill.door_offline.powercut import CachedDisk

log = structlog.get_logger("drill")

DAY = 86_400.0
SKIPS = (6.5, 8, 13, 16, 29, 31, 45)
"""Days for which a door is on its own; none near the end of a lease (7, 14, 30 days)."""


class Wire(httpx.AsyncBaseTransport):
    """The network: up, down, or losing the answers of requests that have arrived."""

    def __init__(self, chance: random.Random) -> None:
        self._inner = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=4), trust_env=False)
        self._chance = chance
        self._down = asyncio.Event()
        self.lost_answers = 0

    @property
    def up(self) -> bool:
        """Whether anything passes."""
        return not self._down.is_set()

    def set(self, up: bool) -> None:
        """Cut, or mend."""
        self._down.clear() if up else self._down.set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on; a cut breaks it at any point."""
        if self._down.is_set():
            raise httpx.ConnectError("the network is cut")
        sent = asyncio.ensure_future(self._whole(request))
        cut = asyncio.ensure_future(self._down.wait())
        try:
            await asyncio.wait([sent, cut], return_when=asyncio.FIRST_COMPLETED)
        finally:
            cut.cancel()
            if not sent.done():
                sent.cancel()
        if not sent.done() or sent.cancelled():
            raise httpx.ReadError("the network was cut")
        answer = sent.result()
        if self._down.is_set() or (request.method == "POST" and self._chance.random() < 0.03):
            self.lost_answers += 1
            raise httpx.ReadError("the answer was lost")
        return answer

    async def _whole(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        content = await answer.aread()
        await answer.aclose()
        headers = [
            (k, v) for k, v in answer.headers.raw if k.lower() not in (b"transfer-encoding", b"content-encoding")
        ]
        return httpx.Response(answer.status_code, headers=headers, content=content)

    async def aclose(self) -> None:
        """Give the connections back."""
        await self._inner.aclose()


class Site:
    """A controller with its people in front of it."""

    def __init__(self, code: str, secret: str, material: Material, tell: Callable[[Note], None], seed: int) -> None:
        self.code, self._secret, self._m, self._tell = code, secret, material, tell
        self._chance = random.Random(seed)
        self._disk = CachedDisk(random.Random(seed + 1), material.lying)
        self._network_up = True
        self._wall_error = 0.0
        self._skipped = 0.0
        self._skipped_all = 0.0
        self._booted = 0.0
        self._wire: Wire | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._network_cuts = 0
        self._lost_answers = 0
        self._refused = 0
        self._steady = 0.0
        self._core: Core | None = None
        self._sync: Sync | None = None

    def _wall(self) -> float:
        return time.time() + self._skipped + self._wall_error

    def _uptime(self) -> float:
        return time.monotonic() - self._booted + self._skipped

    def start(self) -> None:
        """Power on."""
        self._booted = time.monotonic() + self._skipped
        core = Core(self.code, DiskFiles(self._disk), [bytes.fromhex(self._m.public)], Clock(self._wall, self._uptime))
        wall, uptime = self._wall(), self._uptime()
        core.open()
        self._core = core
        self._tell(Boot(self.code, core.boot, wall, uptime, core.store.version))
        self._wire = Wire(self._chance)
        self._wire.set(self._network_up)
        client = httpx.AsyncClient(
            transport=self._wire, base_url=f"http://127.0.0.1:{self._m.port}",
            headers={"Authorization": f"Bearer {self._secret}"}, timeout=httpx.Timeout(10, read=WAIT + 15),
        )  # fmt: skip
        self._sync = Sync(core, "", "", client)
        self._listen(core)
        core.report("drill")
        self._tasks = [asyncio.create_task(core.journal.run()), asyncio.create_task(self._sync.run())]
        self._steady = time.time() + 2

    def _listen(self, core: Core) -> None:
        heard, took, renewed = core.heard, core.took_rules, core.renewed

        def hear(server: float, seconds: float) -> None:
            self._tell(Heard(self.code, time.time(), self._uptime(), seconds))
            self._end_skip()
            heard(server, seconds)

        def take() -> None:
            took()
            self._tell(Took(self.code, core.store.version, time.time()))

        def renew() -> None:
            renewed()
            self._tell(Renewed(self.code, core.clock.now(), core.clock.quality))

        core.heard, core.took_rules, core.renewed = hear, take, renew  # type: ignore[method-assign, assignment]

    def _end_skip(self) -> None:
        """Nobody can hear a server of another time: with the network, the door is in our time again."""
        if self._skipped:
            self._wall_error += self._skipped
            self._booted -= self._skipped
            self._skipped = 0.0

    async def ready(self, patience: float) -> None:
        """Power on, and wait for the first rule set: an ordinary day before the bad one."""
        self.start()
        deadline = time.time() + patience
        while time.time() < deadline and self._core is not None and not self._core.store.version:
            await asyncio.sleep(0.1)

    async def live(self, until: float) -> None:
        """Faults and people, until then."""
        next_cut = time.time() + self._chance.expovariate(1 / 10)
        next_network = time.time() + self._chance.expovariate(1 / 8)
        while time.time() < until:
            await asyncio.sleep(self._chance.expovariate(8))
            if time.time() > next_cut:
                for _ in range(self._chance.randint(0, 3)):
                    self._show()
                    await asyncio.sleep(self._chance.random() * 0.004)
                await self._power_cut()
                next_cut = time.time() + self._chance.expovariate(1 / 10)
            if time.time() > next_network:
                await self._turn_network()
                next_network = time.time() + self._chance.expovariate(1 / 8)
            if self._chance.random() < 0.01:
                # Somebody sets the system's clock; it must not matter.
                self._wall_error += self._chance.choice((-3600.0, 3600.0, -40 * DAY, 5 * DAY))
            self._show()

    async def _power_cut(self) -> None:
        self._disk.power_cut()
        self._tell(Cut(self.code))
        await self._off()
        roll = self._chance.random()
        if roll < 0.5:
            self._wall_error = 0.0
        elif roll < 0.7:
            self._wall_error = 946_684_800.0 - time.time() - self._skipped
        elif roll < 0.85:
            self._wall_error = -3600.0
        else:
            self._wall_error = self._chance.choice((3 * DAY, 800 * DAY))
        self.start()

    async def _off(self) -> None:
        if self._core:
            self._core.journal.abandon()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._wire and self._sync and self._core:
            self._lost_answers += self._wire.lost_answers
            self._refused += self._sync.refused
            await self._sync.close()

    async def _turn_network(self) -> None:
        assert self._wire is not None
        self._network_up = not self._network_up
        self._network_cuts += not self._network_up
        self._wire.set(self._network_up)
        self._steady = time.time() + 2
        if not self._network_up and self._chance.random() < 0.4:
            # The door is on its own for days; all clocks of it go on. What was under way on the wire ends before.
            await asyncio.sleep(0.1)
            days = self._chance.choice(SKIPS)
            self._skipped += days * DAY
            self._skipped_all += days

    def _show(self) -> None:
        technology, identifier = self._pick()
        self.show(technology, identifier)

    def show(self, technology: Technology, identifier: bytes) -> Decision:
        """Somebody shows something; note it, and the answer when it comes."""
        core = self._core
        assert core is not None
        sequence = core.sequence + 1
        boot = core.boot
        real, wall, uptime = time.time(), self._wall(), self._uptime()
        decision = core.show(
            self._m.readers[self.code], technology, identifier,
            lambda _: self._tell(Answered(self.code, boot, sequence)),
        )  # fmt: skip
        event = str(event_id(self.code, boot, sequence, int(core.shown_at * 1000)))
        note = Shown(
            self.code, boot, sequence, event, real, wall, uptime, core.shown_at, core.clock.quality,
            core.clock.uncertainty, int(technology), identifier, decision.granted, decision.reason, decision.version,
        )  # fmt: skip
        self._tell(note)
        return decision

    def _pick(self) -> tuple[Technology, bytes]:
        roll = self._chance.random()
        if roll < 0.45:
            return Technology.CARD, self._chance.choice(self._m.cards).encode()
        if roll < 0.6:
            return Technology.PIN, self._chance.choice(self._m.pins).encode()
        return Technology.QR, self._code(roll).encode()

    def _code(self, roll: float) -> str:
        """A code as a phone shows it: mostly right, sometimes old, early, shown again, copied or altered."""
        step = int((time.time() + self._skipped) // codes.STEP) + self._chance.choice((0,) * 8 + (-1, 1, -2, 2))
        if roll < 0.85:
            credential, key, group = self._chance.choice(self._m.phones)
            text = codes.make_resident_code(key, group, credential, step)
        elif roll < 0.93:
            text = self._chance.choice(self._m.fixed)
        else:
            head, key, size = self._chance.choice(self._m.turning)
            told = head + step.to_bytes(4, "big")
            text = codes.encode(told + hmac.digest(key, told, "sha256")[:size])
        if self._chance.random() < 0.05:
            at = self._chance.randrange(len(text))
            text = text[:at] + self._chance.choice("0123456789ABCDEF") + text[at + 1 :]
        return text

    async def watch(self, card: str, since: float) -> None:
        """Until this card, revoked at ``since``, is refused here; given up when the door gets cut off."""
        core, sync, wire = self._core, self._sync, self._wire
        if core is None or sync is None or wire is None or not sync.online or time.time() < self._steady:
            return
        while time.time() < since + 10:
            if self._core is not core or not wire.up:
                return
            request = Request(
                reader=self._m.readers[self.code], technology=Technology.CARD, identifier=card.encode(),
                now=core.clock.now(), uptime=core.clock.uptime(), clock=core.clock.quality,
            )  # fmt: skip
            if decide(core.store.rules, core.state, request).reason in (Reason.UNKNOWN_CREDENTIAL, Reason.REVOKED):
                self._tell(Revoked(self.code, time.time() - since))
                self.show(Technology.CARD, card.encode())
                return
            await asyncio.sleep(0.01)
        self._tell(Revoked(self.code, time.time() - since))

    async def settle(self, patience: float) -> None:
        """Mend everything, and wait until the server has all events."""
        assert self._core is not None and self._wire is not None
        self._network_up = True
        self._wire.set(True)
        deadline = time.time() + patience
        journal = self._core.journal
        while (journal.waiting or journal.unwritten) and time.time() < deadline:
            await asyncio.sleep(0.1)
        left = journal.waiting + journal.unwritten
        if left:
            trouble = self._sync.failure if self._sync else ""
            log.error("queue not empty", door=self.code, left=left, clock=self._core.clock.quality, trouble=trouble)
        for task in self._tasks:
            if task.done() and task.exception() is not None:
                raise RuntimeError(f"{self.code}: a task of the controller failed") from task.exception()
        await self._off()
        self._tell(
            Count(
                self.code, self._disk.cuts, self._network_cuts, self._lost_answers, self._disk.bytes_lost,
                self._skipped_all, self._refused, left,
            )
        )  # fmt: skip
