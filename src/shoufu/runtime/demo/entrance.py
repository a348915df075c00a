"""One gate of the demo as it is built outside: the door controller's own program, and the readers on its line.

The other doors of the demo only speak like controllers. Here people hold cards to OSDP readers, the controller process
decides by the rule set that it fetched, switches the lock's output, and hears from the contact what the door does.
"""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from shoufu.gateways.door_controller.osdp.frame import Cmd
from shoufu.gateways.door_controller.osdp.peripheral import Bus, Peripheral, wiegand34
from shoufu.runtime import env
from shoufu.runtime.children import die_with_parent
from shoufu.runtime.demo import identities
from shoufu.runtime.demo.door import FORCED_SECONDS, HELD_SECONDS, OPEN_SECONDS, PASS_EVERY, WEIGHTS, Event

log = structlog.get_logger("door")

GATE = "gate-songshan-east"
IN, OUT = 9, 12
"""Numbers of the gate's card readers in its rule set: output 1 × 8 + 1 and + 4 (kernel/doors/demo.py)."""
CONTACT, BOLT = 0, 1
ANSWER_SECONDS = 3.0
FIRST_SECONDS = 20.0
"""Soon after the start somebody comes, so that there is something to see."""
RESTART_SECONDS = 5.0
STRANGER = 0xFFFF0000


@dataclass(frozen=True)
class Setting:
    """What the gate needs: the server's public key for doors (hex), and the cards of those who usually pass here."""

    server_key: str
    cards: Sequence[int]


def setting() -> Setting | None:
    """As the district's loader has left it; None for a district that was loaded before there was such a gate."""
    try:
        told = json.loads((identities.folder() / "entrance.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Setting(told["server_key"], told["cards"])


@dataclass
class Gate:
    """The gate's hardware and the people in front of it. ``dice`` gives chance."""

    cards: Sequence[int]
    keys: Sequence[bytes]
    dice: random.Random
    inside: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._released = asyncio.Event()
        self._busy = asyncio.Lock()
        self._remote: set[asyncio.Task[None]] = set()
        self.outside = Peripheral(0, self.keys[0], self._command, inputs=2)
        self.within = Peripheral(1, self.keys[1], lambda code, data: None)

    def _command(self, code: int, data: bytes) -> None:
        if code != Cmd.OUT or data[1] not in (2, 5):
            return
        self._released.set()
        if not self._busy.locked():
            # Opened from the console: somebody waits there.
            task = asyncio.get_running_loop().create_task(self.open(self.dice.uniform(*OPEN_SECONDS)))
            self._remote.add(task)
            task.add_done_callback(self._remote.discard)

    async def live(self, every: float = PASS_EVERY) -> None:
        """People and incidents, until cancelled."""
        await asyncio.sleep(FIRST_SECONDS)
        await self.happen(Event.PASS)
        while True:
            await asyncio.sleep(self.dice.expovariate(1 / every))
            await self.happen(self.dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0])

    async def happen(self, event: Event) -> None:
        """One event from its beginning to its end."""
        if event is Event.REFUSED:
            self.outside.show(34, wiegand34(STRANGER + self.dice.randrange(1 << 16)))
        elif event is Event.FORCED:
            await self.open(self.dice.uniform(*FORCED_SECONDS), forced=True)
        else:
            await self._pass(self.dice.uniform(*(HELD_SECONDS if event is Event.HELD_OPEN else OPEN_SECONDS)))

    async def _pass(self, seconds: float) -> None:
        card = self.dice.choice(self.cards)
        reader = self.within if card in self.inside else self.outside
        async with self._busy:
            self._released.clear()
            reader.show(34, wiegand34(card))
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self._released.wait()
            except TimeoutError:
                return
            self.inside ^= {card}
            await self._open(seconds, forced=False)

    async def open(self, seconds: float, forced: bool = False) -> None:
        """The door opens, and closes again."""
        async with self._busy:
            await self._open(seconds, forced)

    async def _open(self, seconds: float, forced: bool) -> None:
        self.outside.set_input(BOLT, not forced)
        self.outside.set_input(CONTACT, True)
        await asyncio.sleep(seconds)
        self.outside.set_input(CONTACT, False)
        self.outside.set_input(BOLT, False)


def configuration(told: Setting, secret_file: Path, keys: Sequence[bytes], line: int, data: Path) -> str:
    """The controller's settings (TOML). ``line``: the port of its OSDP line."""
    devices = "\n".join(
        f'[[device]]\nname = "{name}"\nline = "bus"\naddress = {address}\nkey = "{key.hex()}"'
        for address, (name, key) in enumerate(zip(("outside", "inside"), keys, strict=True))
    )
    return f"""controller = "{GATE}"
server = "http://127.0.0.1:{env.get("SHOUFU_PORT")}"
server_key = "{told.server_key}"
secret_file = "{secret_file}"
data = "{data}"
[[line]]
name = "bus"
address = "tcp:127.0.0.1:{line}"
{devices}
[[reader]]
number = {IN}
device = "outside"
[[reader]]
number = {OUT}
device = "inside"
[[door]]
number = 0
lock = {{ device = "outside", output = 0 }}
contact = {{ device = "outside", input = {CONTACT} }}
bolt = {{ device = "outside", input = {BOLT} }}
"""


async def run() -> None:
    """Readers and controller until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    told = setting()
    if told is None:
        log.warning("the district was loaded before there was a gate with a controller; load it anew to see one")
        await stop.wait()
        return
    keys = [secrets.token_bytes(16) for _ in range(2)]
    gate = Gate(told.cards, keys, random.Random())
    server = await loop.create_server(lambda: Bus([gate.outside, gate.within]), "127.0.0.1", 0)
    path = _write(told, keys, server.sockets[0].getsockname()[1])
    tasks = [asyncio.create_task(gate.live()), asyncio.create_task(_controller(path))]
    await stop.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _write(told: Setting, keys: Sequence[bytes], line: int) -> Path:
    folder = identities.folder() / "entrance"
    folder.mkdir(mode=0o700, exist_ok=True)
    secret = next(entry.secret for entry in identities.read() if entry.code == GATE)
    secret_file, path = folder / "door.secret", folder / "door.toml"
    for file, content in (
        (secret_file, secret),
        (path, configuration(told, secret_file, keys, line, folder / "data")),
    ):
        file.touch(mode=0o600)
        file.write_text(content, encoding="utf-8")
    return path


async def _controller(path: Path) -> None:
    """The controller's process, started again should it end."""
    words = [sys.executable, "-m", "shoufu", "door-controller", "--config", str(path)]
    while True:
        process = subprocess.Popen(words, preexec_fn=die_with_parent(signal.SIGTERM))  # noqa: PLW1509 – no threads here
        try:
            while process.poll() is None:
                await asyncio.sleep(1)
        finally:
            process.terminate()
            process.wait(10)
        log.warning("the door controller has ended", code=process.returncode)
        await asyncio.sleep(RESTART_SECONDS)
