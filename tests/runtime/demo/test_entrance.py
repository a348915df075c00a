from __future__ import annotations

import asyncio
import random
import tomllib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shoufu.gateways.door_controller import config
from shoufu.gateways.door_controller.osdp.panel import Device, Inputs, Line, Raw
from shoufu.gateways.door_controller.osdp.peripheral import Bus
from shoufu.runtime.demo import door, entrance
from shoufu.runtime.demo.door import Event
from shoufu.runtime.demo.entrance import Gate, Setting

KEYS = [bytes(range(16)), bytes(range(1, 17))]
CARD = 0x0A0B0C0D


class Panel:
    """What the controller would do: it opens to the known card, and hears from the door."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.inputs: list[tuple[bool, ...]] = []

    def told(self, device: Device, event: object) -> None:
        if isinstance(event, Raw):
            known = event.data == entrance.wiegand34(CARD)
            self.read.append(f"{device.address} {'known' if known else 'unknown'}")
            if known:
                self.devices[0].output(0, 5)
        elif isinstance(event, Inputs):
            self.inputs.append(event.states)

    async def call(self, gate: Gate) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Bus([gate.outside, gate.within]), "127.0.0.1", 0)
        self.devices = [Device(address, key, self.told, not address) for address, key in enumerate(KEYS)]
        port = server.sockets[0].getsockname()[1]
        await loop.create_connection(lambda: Line(self.devices, 0.01, loop), "127.0.0.1", port)
        async with asyncio.timeout(5):
            while not all(device.online for device in self.devices):
                await asyncio.sleep(0.01)


def played(story: Callable[[Gate, Panel], Awaitable[None]]) -> Panel:
    async def run() -> Panel:
        gate, panel = Gate([CARD], KEYS, random.Random(1)), Panel()
        await panel.call(gate)
        await story(gate, panel)
        await asyncio.sleep(0.1)
        return panel

    return asyncio.run(run())


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPEN_SECONDS", "HELD_SECONDS", "FORCED_SECONDS"):
        monkeypatch.setattr(entrance, name, (0.1, 0.1))


def test_people_go_in_and_come_out_through_the_door() -> None:
    async def story(gate: Gate, panel: Panel) -> None:
        await gate.happen(Event.PASS)
        await gate.happen(Event.PASS)

    panel = played(story)
    assert panel.read == ["0 known", "1 known"]
    assert [states[entrance.CONTACT] for states in panel.inputs].count(True) >= 2
    assert panel.inputs[-1] == (False, False)


def test_a_stranger_stays_outside_and_a_forced_door_opens_with_its_bolt_out() -> None:
    async def story(gate: Gate, panel: Panel) -> None:
        await gate.happen(Event.REFUSED)
        await asyncio.sleep(0.1)
        assert not any(states[entrance.CONTACT] for states in panel.inputs)
        await gate.happen(Event.FORCED)

    panel = played(story)
    assert panel.read == ["0 unknown"]
    assert (True, False) in panel.inputs and (True, True) not in panel.inputs


def test_opened_from_the_console_somebody_goes_through() -> None:
    async def story(gate: Gate, panel: Panel) -> None:
        panel.devices[0].output(0, 5)
        await asyncio.sleep(0.4)

    panel = played(story)
    assert any(states[entrance.CONTACT] for states in panel.inputs)
    assert panel.inputs[-1] == (False, False)


def test_the_controller_takes_its_settings(tmp_path: Path) -> None:
    secret = tmp_path / "door.secret"
    secret.write_text("s3cret", encoding="utf-8")
    text = entrance.configuration(Setting("ab" * 32, [CARD]), secret, KEYS, 4001, tmp_path / "data")
    told: dict[str, Any] = tomllib.loads(text)
    good = config.check(msgspec.convert(told, config.Config))
    assert (good.controller, good.secret, [one.number for one in good.reader]) == (entrance.GATE, "s3cret", [9, 12])
    assert door.PASS_EVERY > entrance.ANSWER_SECONDS
