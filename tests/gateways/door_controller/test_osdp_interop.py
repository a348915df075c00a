"""Our panel with a reader run by libosdp, the open implementation of the standard: the same words on the wire."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from shoufu.gateways.door_controller.osdp.panel import Device, Inputs, Keys, Line, Link, Local, Raw

osdp = pytest.importorskip("osdp", reason="libosdp is not installed")

KEY = bytes(range(1, 17))


class Wire(osdp.Channel):  # type: ignore[misc, name-defined]
    """A socket as libosdp wants it."""

    def __init__(self, end: socket.socket) -> None:
        super().__init__()
        self._end = end
        end.setblocking(False)

    def read(self, max_bytes: int) -> bytes:
        try:
            return self._end.recv(max_bytes)
        except BlockingIOError:
            return b""

    def write(self, buf: bytes) -> int:
        return self._end.send(buf)

    def flush(self) -> None:
        while self.read(256):
            pass


class Reader:
    """A libosdp peripheral in its own thread."""

    def __init__(self, end: socket.socket, key: bytes | None) -> None:
        info = osdp.PDInfo(
            1, scbk=key, name="reader", flags=[osdp.LibFlag.EnforceSecure] if key else [], channel=Wire(end)
        )
        capabilities = osdp.PDCapabilities(
            [
                (osdp.Capability.OutputControl, 1, 1),
                (osdp.Capability.LEDControl, 1, 1),
                (osdp.Capability.AudibleControl, 1, 1),
                (osdp.Capability.ContactStatusMonitoring, 1, 2),
            ]
        )
        self.commands: list[dict[str, Any]] = []
        self.device = osdp.PeripheralDevice(
            info, capabilities, log_level=osdp.LogLevel.Critical, command_handler=self._told
        )
        self.device.start()

    @property
    def orders(self) -> list[dict[str, Any]]:
        """Commands but for questions after the state."""
        return [command for command in self.commands if command["command"] != osdp.Command.Status]

    def _told(self, command: dict[str, Any]) -> tuple[int, None]:
        self.commands.append(command)
        return 0, None


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


async def until(condition: Any, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


Event = Raw | Keys | Inputs | Local | Link


def test_a_card_a_light_and_the_lock(ends: tuple[socket.socket, socket.socket]) -> None:
    reader = Reader(ends[1], KEY)
    told: list[Event] = []

    async def story() -> None:
        loop = asyncio.get_running_loop()
        device = Device(1, KEY, lambda _, event: told.append(event))
        await loop.create_connection(lambda: Line([device], 0.05, loop), sock=ends[0])
        await until(lambda: device.online)
        reader.device.submit_event(
            {
                "event": osdp.Event.CardRead, "reader_no": 0, "direction": 0,
                "format": osdp.CardFormat.Wiegand, "length": 26, "data": b"\x12\x34\x56\x80",
            }
        )  # fmt: skip
        await until(lambda: any(isinstance(event, Raw) for event in told))
        device.output(0, 5)
        device.led(2, 2)
        device.buzzer(True)
        await until(lambda: len(reader.orders) == 3)

    try:
        asyncio.run(story())
    finally:
        reader.device.stop()
    card = next(event for event in told if isinstance(event, Raw))
    assert (card.bits, card.data) == (26, b"\x12\x34\x56\x80")
    assert [order["command"] for order in reader.orders] == [osdp.Command.Output, osdp.Command.LED, osdp.Command.Buzzer]
    assert reader.orders[0]["timer_count"] == 50
    assert threading.active_count() < 20


def test_another_key_is_told_and_nothing_is_heard(ends: tuple[socket.socket, socket.socket]) -> None:
    reader = Reader(ends[1], bytes(16))
    told: list[Event] = []

    async def story() -> None:
        loop = asyncio.get_running_loop()
        device = Device(1, KEY, lambda _, event: told.append(event))
        await loop.create_connection(lambda: Line([device], 0.05, loop), sock=ends[0])
        await until(lambda: Link(False, "insecure") in told)
        assert not device.online

    try:
        asyncio.run(story())
    finally:
        reader.device.stop()
    assert not any(isinstance(event, Raw) for event in told)
