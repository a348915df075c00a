"""What a controller keeps: events through power cuts, the last good rule set, used codes, the time."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shoufu.engines.doors import (
    ClockQuality,
    Command,
    CommandName,
    Credential,
    Decision,
    Door,
    Gap,
    Mode,
    NotNewer,
    Reader,
    RuleSet,
    Settings,
    Tampered,
    Technology,
    build,
    credential_key,
    delta,
    load,
    make_resident_code,
    resident_key,
    sign,
    sign_command,
)
from shoufu.gateways.door_controller.clock import Clock
from shoufu.gateways.door_controller.core import Core
from shoufu.gateways.door_controller.files import DiskFiles
from shoufu.gateways.door_controller.journal import Entry, Journal, read_segment
from shoufu.gateways.door_controller.store import RuleStore
from shoufu.runtime.drill.door_offline.powercut import CachedDisk

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
HASH_KEY, QR_KEY = b"h" * 16, b"q" * 32
NOW = 1_795_500_000.0
DAY = 86_400.0


def rule_set(version: int = 1, cards: tuple[bytes, ...] = (b"AA",), key: Ed25519PrivateKey = KEY, **more: Any) -> bytes:
    settings = Settings(
        controller="gate-1", zone="Asia/Shanghai", hash_key=HASH_KEY, qr_key=QR_KEY,
        doors=(Door(number=0, code="gate"),), readers=(Reader(number=1, door=0),), **more,
    )  # fmt: skip
    known = [(Technology.CARD, card) for card in cards] + [(Technology.QR, b"phone1")]
    credentials = [
        Credential(key=credential_key(HASH_KEY, kind, one), technology=kind, doors=1, person=n)
        for n, (kind, one) in enumerate(known, start=1)
    ]
    rules = RuleSet(version=version, issued_at=int(NOW) - 3600, settings=settings, credentials=credentials)
    return sign(build(rules), key)


def disk(seed: int = 1, lying: bool = False) -> CachedDisk:
    return CachedDisk(random.Random(seed), lying)


def entry(number: int) -> Entry:
    return Entry(1, number, NOW, b'{"id":"x"}')


async def _write(layer: CachedDisk, chance: random.Random) -> tuple[set[int], set[int]]:
    """Events until the power goes at some moment: those that were promised, and those that the next start finds."""
    journal = Journal(DiskFiles(layer))
    assert not list(journal.open())
    task = asyncio.create_task(journal.run())
    promised: set[int] = set()
    for number in range(1, 60):
        journal.append(entry(number), lambda n=number: promised.add(n))  # type: ignore[misc]
        if chance.random() < 0.5:
            await asyncio.sleep(chance.random() * 0.004)
    layer.power_cut()
    kept = set(promised)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    journal.abandon()
    again = Journal(DiskFiles(layer))
    return kept, {one.sequence for one in again.open()}


@pytest.mark.parametrize("seed", range(12))
def test_what_was_promised_survives_a_power_cut(seed: int) -> None:
    promised, found = asyncio.run(_write(disk(seed), random.Random(seed)))
    assert promised <= found
    assert found == set(range(1, len(found) + 1)), "a prefix: no hole"


def test_the_test_bites_without_sync() -> None:
    lost = 0
    for seed in range(12):
        promised, found = asyncio.run(_write(disk(seed, lying=True), random.Random(seed)))
        lost += len(promised - found)
    assert lost > 0


def test_a_torn_tail_ends_the_segment() -> None:
    from shoufu.gateways.door_controller.journal import frame

    whole = frame(entry(1)) + frame(entry(2))
    for cut in range(len(whole)):
        assert [one.sequence for one in read_segment(whole[:cut])] == [1][: cut >= len(frame(entry(1)))]
    bad = bytearray(whole)
    bad[-1] ^= 1
    assert len(read_segment(bytes(bad))) == 1


def test_a_long_queue_is_sent_in_order_and_segments_go(tmp_path: Path) -> None:
    async def story() -> None:
        journal = Journal(DiskFiles(tmp_path))
        task = asyncio.create_task(journal.run())
        for number in range(1, 2600):
            journal.append(entry(number))
            if number % 100 == 0:
                await asyncio.sleep(0.005)
        while journal.unwritten or journal.waiting < 2599:
            await asyncio.sleep(0.005)
        assert len(list(tmp_path.glob("q-*"))) >= 2
        sent: list[int] = []
        while journal.some.is_set():
            heads = journal.head(200)
            sent += [one.sequence for one in heads]
            journal.acknowledge(len(heads))
            if len(sent) == 1000:
                journal.append(entry(2600))
                await asyncio.sleep(0.05)
        assert sent == list(range(1, 2601)), "in order, though not all of it is held in memory"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        journal.close()
        assert len(list(tmp_path.glob("q-*"))) == 1

    asyncio.run(story())


class FullDisk(CachedDisk):
    """Refuses to write while it is full."""

    full = True

    def write(self, handle: int, content: bytes) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        super().write(handle, content)


def test_a_full_disk_keeps_nobody_out_and_loses_nothing_once_there_is_room() -> None:
    async def story() -> None:
        layer = FullDisk(random.Random(1))
        journal = Journal(DiskFiles(layer))
        task = asyncio.create_task(journal.run())
        told: list[int] = []
        journal.append(entry(1), lambda: told.append(1))
        while not told:
            await asyncio.sleep(0.01)
        assert "space" in journal.failure
        layer.full = False
        async with asyncio.timeout(10):
            await journal.some.wait()
        assert [one.sequence for one in journal.head(9)] == [1]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        journal.close()

    asyncio.run(story())


def store(layer: CachedDisk) -> RuleStore:
    found = RuleStore(DiskFiles(layer), "gate-1", [PUBLIC])
    found.open()
    return found


def test_the_last_good_rule_set_stays() -> None:
    layer = disk()
    held = store(layer)
    held.full(rule_set(3))
    stranger = Ed25519PrivateKey.generate()
    for bad, error in (
        (rule_set(2), NotNewer),
        (rule_set(4, key=stranger), Tampered),
        (rule_set(4)[:-1] + b"\x00", Tampered),
    ):
        with pytest.raises(error):
            held.full(bad)
        assert (held.version, store(layer).version) == (3, 3)
        assert held.refused
    with pytest.raises(Gap):
        held.delta(delta(rule_set(4), rule_set(5)))
    held.delta(delta(rule_set(3), rule_set(4, cards=(b"AA", b"BB"))))
    layer.power_cut()
    assert store(layer).version == 4


def test_a_set_that_lets_nobody_in_is_held_like_any_other() -> None:
    layer = disk()
    body = build(RuleSet(version=7, issued_at=int(NOW), settings=load(rule_set(1), [PUBLIC]).settings, credentials=[]))
    held = store(layer)
    held.full(sign(body, KEY))
    assert len(held.rules or ()) == 0
    assert store(layer).version == 7
    with pytest.raises(NotNewer):
        held.full(rule_set(6))


@pytest.mark.parametrize("seed", range(8))
def test_after_a_power_cut_there_is_the_old_set_or_the_new_one(seed: int) -> None:
    layer = disk(seed)
    held = store(layer)
    held.full(rule_set(1))
    held.full(rule_set(2))
    layer.power_cut()
    assert store(layer).version == 2
    handle = layer.create("rules.bin.new", fresh=False)
    layer.write(handle, rule_set(3)[:200])
    layer.power_cut()
    assert store(layer).version == 2


def test_a_key_that_was_announced_signs_the_next_set() -> None:
    layer = disk()
    new = Ed25519PrivateKey.generate()
    held = store(layer)
    with pytest.raises(Tampered):
        held.full(rule_set(1, key=new))
    held.full(rule_set(1, next_keys=(new.public_key().public_bytes_raw(),)))
    held.full(rule_set(2, key=new))
    assert store(layer).version == 2


class Box:
    """A controller with its battery clock."""

    def __init__(self, layer: CachedDisk) -> None:
        self.layer = layer
        self.time = NOW
        self.wall_error = 0.0
        self.up = 0.0

    def start(self) -> Core:
        self.up = self.time
        clock = Clock(lambda: self.time + self.wall_error, lambda: self.time - self.up)
        core = Core("gate-1", DiskFiles(self.layer), [PUBLIC], clock)
        core.open()
        return core

    async def run(self, core: Core, reader: int, technology: Technology, shown: bytes) -> Decision:
        task = asyncio.create_task(core.journal.run())
        done: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
        core.show(reader, technology, shown, done.set_result)
        found = await done
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return found


def box(layer: CachedDisk | None = None) -> Box:
    made = Box(layer or disk())
    store(made.layer).full(rule_set(1))
    return made


def show(one: Box, core: Core, technology: Technology, shown: bytes) -> Decision:
    return asyncio.run(one.run(core, 1, technology, shown))


def synced(one: Box, core: Core) -> Core:
    core.heard(one.time, 0.01)
    core.renewed()
    return core


def test_a_used_code_stays_used_over_a_power_cut() -> None:
    one = box()
    core = synced(one, one.start())
    code = make_resident_code(resident_key(QR_KEY, b"phone1"), 0, b"phone1", int(NOW // 30)).encode()
    assert show(one, core, Technology.QR, code).granted
    one.layer.power_cut()
    again = one.start()
    assert again.boot == core.boot + 1
    assert show(one, again, Technology.QR, code).reason == "code_used"


def test_a_clock_that_runs_ahead_forgets_no_used_code() -> None:
    one = box()
    core = synced(one, one.start())
    code = make_resident_code(resident_key(QR_KEY, b"phone1"), 0, b"phone1", int(NOW // 30)).encode()
    assert show(one, core, Technology.QR, code).granted
    core.close()
    one.wall_error = 3 * DAY
    ahead = one.start()
    ahead.save()
    synced(one, ahead)
    assert show(one, ahead, Technology.QR, code).reason == "code_used"
    ahead.close()
    again = synced(one, one.start())
    assert show(one, again, Technology.QR, code).reason == "code_used"


def test_a_memory_that_cannot_be_written_keeps_its_segments(tmp_path: Path) -> None:
    async def story() -> None:
        journal = Journal(DiskFiles(tmp_path))
        saved = [False]
        journal.on_remove = lambda: saved[0]
        task = asyncio.create_task(journal.run())
        for count in (1000, 1):
            for _ in range(count):
                journal.append(entry(1))
            while journal.unwritten:
                await asyncio.sleep(0.005)
        first = tmp_path / "q-000000000001"
        journal.acknowledge(len(journal.head(2000)))
        assert first.exists() and not journal.waiting
        saved[0] = True
        journal.append(entry(2))
        while journal.unwritten:
            await asyncio.sleep(0.005)
        journal.acknowledge(len(journal.head(9)))
        assert not first.exists()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        journal.close()

    asyncio.run(story())


def test_a_disk_that_kept_rubbish_stops_no_door() -> None:
    one = box()
    one.start()
    files = DiskFiles(one.layer)
    for name in ("boot", "memory.bin", "late.bin"):
        files.replace(name, b"\xce\x00")
    core = synced(one, one.start())
    assert core.boot == 1
    assert show(one, core, Technology.CARD, b"AA").granted
    told = [entry.body for entry in core.journal.head(99)]
    assert sum(b'"alarm":"storage"' in body for body in told) == 2


def test_the_clock_of_a_start() -> None:
    for error, quality in ((0.0, "held"), (-900.0, "held"), (-2 * DAY, "lost"), (900 * DAY, "lost")):
        one = box()
        one.wall_error = error
        assert one.start().clock.quality == quality, error


def test_time_never_falls_below_an_event_and_the_server_repairs_it() -> None:
    one = box()
    core = synced(one, one.start())
    one.time += 5000
    show(one, core, Technology.CARD, b"AA")
    core.close()
    one.wall_error = -3000.0
    lost = one.start()
    assert lost.clock.quality == ClockQuality.LOST
    assert lost.clock.now() >= NOW + 5000
    synced(one, lost)
    assert (lost.clock.quality, lost.clock.now()) == (ClockQuality.SYNCED, pytest.approx(one.time, abs=0.1))


def test_somebody_who_sets_the_system_clock_changes_nothing() -> None:
    one = box()
    core = synced(one, one.start())
    one.wall_error = 40 * DAY
    assert core.clock.now() == pytest.approx(one.time, abs=0.1)


def test_a_clock_that_ran_ahead_does_not_hold_the_right_time_back() -> None:
    one = box()
    one.wall_error = 20 * DAY
    core = one.start()
    show(one, core, Technology.CARD, b"AA")
    synced(one, core)
    one.layer.power_cut()
    one.wall_error = 0.0
    again = one.start()
    assert (again.clock.quality, again.clock.now()) == (ClockQuality.HELD, pytest.approx(one.time, abs=0.1))


def test_the_server_cannot_set_the_time_before_the_rule_set_it_signed() -> None:
    one = box()
    core = one.start()
    core.heard(NOW - 30 * DAY, 0.01)
    assert core.clock.quality == ClockQuality.HELD


def test_a_lease_is_renewed_by_word_on_the_rules_only() -> None:
    one = box()
    core = synced(one, one.start())
    one.time += 31 * DAY
    core.heard(one.time, 0.01)
    assert show(one, core, Technology.CARD, b"AA").reason == "lease_expired"
    core.renewed()
    assert show(one, core, Technology.CARD, b"AA").granted


def command(name: CommandName, number: int = 1, **parameters: Any) -> Command:
    made = Command(
        id=f"00000000-0000-7000-8000-{number:012d}", name=name, door=0, parameters=parameters, expires=int(NOW) + 60
    )
    return sign_command(KEY, "gate-1", made)


def test_orders_are_signed_done_once_and_end() -> None:
    one = box()
    core = synced(one, one.start())
    acts: list[object] = []
    core.act = acts.append
    opened = command(CommandName.OPEN)
    assert core.carry_out(opened) == (True, "done")
    assert core.carry_out(opened) == (True, "done before")
    assert len(acts) == 1
    changed = command(CommandName.OPEN, 2)
    changed.door = None
    assert core.carry_out(changed) == (False, "signature")
    assert core.carry_out(command(CommandName.MODE, 3, mode="Sideways")) == (False, "unknown mode")
    one.time += 60
    assert core.carry_out(command(CommandName.OPEN, 4)) == (False, "expired")


def test_a_lock_down_holds_over_a_power_cut() -> None:
    one = box()
    core = synced(one, one.start())
    assert core.carry_out(command(CommandName.MODE, mode="LockedDown"))[0]
    assert show(one, core, Technology.CARD, b"AA").reason == "locked_down"
    one.layer.power_cut()
    again = one.start()
    assert again.state.door(0).mode == Mode.LOCKED_DOWN
    assert show(one, again, Technology.CARD, b"AA").reason == "locked_down"
    assert again.carry_out(command(CommandName.RELEASE, 9))[0]
    assert show(one, again, Technology.CARD, b"AA").granted
