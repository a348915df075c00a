"""What a controller tells the server: everything, once, whatever its clock and the network have done."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from datetime import datetime
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shoufu.engines.doors import Door, Reader, RuleSet, Settings, Technology, build, sign
from shoufu.gateways.door_controller import sync as module
from shoufu.gateways.door_controller.clock import Clock
from shoufu.gateways.door_controller.core import Core
from shoufu.gateways.door_controller.files import DiskFiles
from shoufu.gateways.door_controller.journal import Entry
from shoufu.gateways.door_controller.late import LateTimes
from shoufu.gateways.door_controller.store import RuleStore
from shoufu.gateways.door_controller.sync import Sync
from shoufu.runtime.drill.door_offline.powercut import CachedDisk

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
NOW = 1_795_500_000.0
DAY = 86_400.0


class Server(httpx.AsyncBaseTransport):
    """The server's part of the protocol. Every ``lossy``-th answer to events is lost after they were stored."""

    def __init__(self, time: float = NOW, lossy: int = 0) -> None:
        self.time = time
        self.lossy = lossy
        self.posts = 0
        self.waits: list[str] = []
        self.stored: Counter[tuple[str, str]] = Counter()
        self.events: dict[str, dict[str, Any]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        told = {"Shoufu-Time": str(int(self.time * 1000))}
        if request.url.path == "/v1/observations":
            return self._observations(json.loads(request.content))
        wait = float(request.url.params["wait"])
        if request.url.path == "/v1/doors/rules":
            self.waits.append(request.url.params["wait"])
        await asyncio.sleep(min(wait, 0.5))
        return httpx.Response(204, headers=told)

    def _observations(self, body: list[dict[str, Any]]) -> httpx.Response:
        self.posts += 1
        items, errors = [], []
        for index, event in enumerate(body):
            at = datetime.fromisoformat(event["phenomenonTime"]).timestamp()
            if not self.time - 30 * DAY <= at <= self.time + 300:
                items.append({"index": index, "status": "refused", "reason": "time", "field": "/phenomenonTime"})
                errors.append({"field": f"/{index}/phenomenonTime", "message": "set the device's clock"})
                continue
            key = (event["id"], event["phenomenonTime"])
            items.append({"index": index, "status": "duplicate" if key in self.stored else "stored"})
            self.stored[key] += 1
            self.events[event["id"]] = event
        if self.lossy and self.posts % self.lossy == 0:
            raise httpx.ReadError("the answer was lost")
        if len(errors) == len(body):
            return httpx.Response(422, json={"title": "No observation was accepted", "errors": errors})
        return httpx.Response(207 if errors else 200, json={"items": items})


class Box:
    """A controller on a disk that can lose its power."""

    def __init__(self) -> None:
        self.disk = CachedDisk(random.Random(1))
        self.wall = NOW
        settings = Settings(
            controller="gate-1", zone="Asia/Shanghai", hash_key=b"h" * 16, qr_key=b"q" * 32,
            doors=(Door(number=0, code="gate"),), readers=(Reader(number=1, door=0),),
        )  # fmt: skip
        rules = build(RuleSet(version=1, issued_at=int(NOW) - 3600, settings=settings, credentials=[]))
        RuleStore(DiskFiles(self.disk), "gate-1", [PUBLIC]).full(sign(rules, KEY))

    def start(self) -> Core:
        loop = asyncio.get_running_loop()
        core = Core("gate-1", DiskFiles(self.disk), [PUBLIC], Clock(lambda: self.wall, loop.time))
        core.open()
        return core


def client(server: Server) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=server, base_url="http://server")


async def drained(core: Core, server: Server, seconds: float = 20) -> None:
    """Run the controller's network until its queue is empty."""
    sync = Sync(core, "", "", client(server))
    tasks = [asyncio.create_task(core.journal.run()), asyncio.create_task(sync.run())]
    async with asyncio.timeout(seconds):
        while core.journal.waiting or core.journal.unwritten:
            await asyncio.sleep(0.01)
    await stopped(tasks)


async def stopped(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def test_a_queue_of_another_time_drains_though_answers_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.01)

    async def story() -> Server:
        box, server = Box(), Server(lossy=3)
        box.wall = NOW + 3 * DAY
        core = box.start()
        for _ in range(900):
            core.show(1, Technology.CARD, b"AA", lambda _: None)
        await drained(core, server)
        return server

    server = asyncio.run(story())
    shown = [event for event in server.events.values() if event["kind"] == "door.access"]
    assert len(shown) == 900 and all(event["result"]["late"] for event in shown)
    assert len(server.stored) == len(server.events), "each under one time only"
    assert server.posts < 40


def test_what_was_told_late_keeps_its_time_over_a_power_cut() -> None:
    async def story() -> Server:
        box, server = Box(), Server()
        box.wall = NOW + 2 * DAY
        core = box.start()
        for _ in range(5):
            core.show(1, Technology.CARD, b"AA", lambda _: None)
        await drained(core, server)
        box.disk.power_cut()
        # Two days later the server would believe the events' own time; they are stored under another one.
        server.time = box.wall = NOW + 2 * DAY
        again = box.start()
        assert again.journal.waiting >= 5, "acknowledged, and back after the power cut"
        await drained(again, server)
        return server

    server = asyncio.run(story())
    assert len(server.stored) == len(server.events)


def test_the_first_question_after_a_silence_is_short() -> None:
    async def story() -> Server:
        box, server = Box(), Server()
        core = box.start()
        sync = Sync(core, "", "", client(server))
        task = asyncio.create_task(sync.run())
        async with asyncio.timeout(5):
            while len(server.waits) < 2:
                await asyncio.sleep(0.01)
        await stopped([task])
        assert core.clock.quality == "synced"
        return server

    assert asyncio.run(story()).waits[:2] == ["0", str(module.WAIT)]


def test_notes_on_late_events_are_one_file_and_end_with_their_events() -> None:
    files = DiskFiles(CachedDisk(random.Random(1)))
    entries = [
        Entry(boot, number, NOW, b'{"phenomenonTime":"x","result":{}}') for boot in (1, 2) for number in range(9)
    ]
    notes = LateTimes(files)
    notes.note(entries[:4] + entries[9:], int(NOW * 1000))
    notes.note(entries[2:4], int(NOW * 1000) + 60_000)
    found = LateTimes(files)
    assert [found.has(entry) for entry in entries] == [True] * 4 + [False] * 5 + [True] * 9
    assert b'"late":true' in found.body(entries[0]) and found.body(entries[4]) == entries[4].body
    assert found.body(entries[2]) != found.body(entries[1])
    found.keep([(2, 3)])
    assert [entry.boot for entry in entries if LateTimes(files).has(entry)] == [2] * 9
    found.keep([])
    assert not LateTimes(files).some
    assert files.names() == ["late.bin"]
