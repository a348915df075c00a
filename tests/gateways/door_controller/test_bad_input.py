"""Bad input at a door: each has its sentence and its event, nothing opens, and in a fire nothing stays shut."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shoufu.engines.doors import (
    Credential,
    Decision,
    Door,
    Input,
    Reader,
    RuleSet,
    Settings,
    Technology,
    build,
    credential_key,
    make_resident_code,
    resident_key,
    sign,
    words,
)
from shoufu.gateways.door_controller.clock import Clock
from shoufu.gateways.door_controller.core import Core
from shoufu.gateways.door_controller.files import DiskFiles
from shoufu.gateways.door_controller.store import RuleStore
from shoufu.runtime.drill.door_offline.powercut import CachedDisk

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
HASH_KEY, QR_KEY = b"h" * 16, b"q" * 32
NOW = 1_795_500_000.0
STEP = int(NOW // 30)
DAY = 86_400.0
ME, OTHER = b"phone1", b"phone2"


def code(step: int = STEP, who: bytes = ME, key: bytes = QR_KEY) -> bytes:
    return make_resident_code(resident_key(key, who), 0, who, step).encode()


def altered() -> bytes:
    good = bytearray(code())
    good[9] = ord("7") if good[9] != ord("7") else ord("8")
    return bytes(good)


class Gate:
    """A controller with two doors; ``wall`` is its battery clock."""

    def __init__(self, wall: float = NOW, known: bool = True) -> None:
        disk = CachedDisk(random.Random(1))
        settings = Settings(
            controller="gate-1", zone="Asia/Shanghai", hash_key=HASH_KEY, qr_key=QR_KEY,
            doors=(Door(number=0, code="gate", fire_zone=1), Door(number=1, code="back", fire_zone=1)),
            readers=(Reader(number=1, door=0), Reader(number=9, door=1)),
        )  # fmt: skip
        credentials = [
            Credential(key=credential_key(HASH_KEY, Technology.QR, one), technology=Technology.QR, doors=3, person=n)
            for n, one in enumerate((ME, OTHER), start=1)
        ]
        rules = RuleSet(version=1, issued_at=int(NOW) - 3600, settings=settings, credentials=credentials)
        RuleStore(DiskFiles(disk), "gate-1", [KEY.public_key().public_bytes_raw()]).full(sign(build(rules), KEY))
        clock = Clock(lambda: wall, lambda: 0.0)
        self.core = Core("gate-1", DiskFiles(disk), [KEY.public_key().public_bytes_raw()], clock)
        self.core.open()
        if known:
            self.core.heard(NOW, 0.01)
            self.core.renewed()

    def show(self, shown: bytes, reader: int = 1) -> Decision:
        async def story() -> Decision:
            task = asyncio.create_task(self.core.journal.run())
            done: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
            self.core.show(reader, Technology.QR, shown, done.set_result)
            found = await done
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return found

        return asyncio.run(story())

    def last(self) -> dict[str, object]:
        """The result of the newest event of a decision in the queue."""
        bodies = [msgspec.json.decode(entry.body) for entry in self.core.journal.head(999)]
        found: dict[str, object] = [body["result"] for body in bodies if body["kind"] == "door.access"][-1]
        return found


def replayed(gate: Gate) -> Decision:
    assert gate.show(code()).granted
    return gate.show(code())


def copied(gate: Gate) -> Decision:
    """Photographed by somebody who goes to another door of the same controller while it is fresh."""
    assert gate.show(code(), reader=1).granted
    return gate.show(code(), reader=9)


STORIES: dict[str, tuple[Callable[[Gate], Decision], str]] = {
    "expired": (lambda gate: gate.show(code(STEP - 3)), "code_old"),
    "of the future": (lambda gate: gate.show(code(STEP + 3)), "code_early"),
    "forged": (lambda gate: gate.show(code(key=b"x" * 32)), "code_forged"),
    "altered": (lambda gate: gate.show(altered()), "code_forged"),
    "replayed": (replayed, "code_used"),
    "copied": (copied, "code_used"),
    "nonsense": (lambda gate: gate.show(b"HTTPS://EXAMPLE.COM"), "code_unreadable"),
    "not even text": (lambda gate: gate.show(bytes(range(128, 250))), "code_unreadable"),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_bad_code_opens_nothing_and_is_told(name: str) -> None:
    gate = Gate()
    story, reason = STORIES[name]
    found = story(gate)
    assert (found.granted, found.reason, found.pulse) == (False, reason, 0.0)
    assert (gate.last()["granted"], gate.last()["reason"]) == (False, reason)
    for language in ("zh", "en"):
        assert len(words(found.reason, language)) > 4


@pytest.mark.parametrize("wall", [NOW - 2 * DAY, NOW + 900 * DAY, 946_684_800.0])
def test_a_wrong_clock_opens_nothing_by_a_code(wall: float) -> None:
    """Neither the right time's code, nor the one that fits the wrong clock."""
    for shown in (code(), code(int(wall // 30))):
        found = Gate(wall, known=False).show(shown)
        assert (found.granted, found.reason) == (False, "clock_lost")


@pytest.mark.parametrize("name", STORIES)
def test_in_a_fire_nothing_stays_shut(name: str) -> None:
    gate = Gate()
    gate.core.input(0, Input.FIRE, "1")
    found = STORIES[name][0](gate)
    assert (found.granted, found.reason) == (True, "fire_release")
