"""OSDP on our own two ends: found in noise, refused in clear, repeated when lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoufu.gateways.door_controller.osdp import frame
from shoufu.gateways.door_controller.osdp.frame import Cmd, FrameError, Reply, Scanner
from shoufu.gateways.door_controller.osdp.panel import Device, Inputs, Keys, Line, Link, Raw
from shoufu.gateways.door_controller.osdp.peripheral import Peripheral
from shoufu.gateways.door_controller.osdp.secure import SecureError, Session

KEY = b"0123456789abcdef"


def packet(code: int = Cmd.POLL, data: bytes = b"", sequence: int = 1) -> bytes:
    return frame.finish(frame.head(0, sequence, code, data, None, b"", 0))


def test_the_poll_of_the_standard() -> None:
    # SOM, address, length, control with CRC, POLL, CRC 0x1D0F-based.
    content = frame.head(0x65, 0, Cmd.POLL, b"", None, b"", 0)
    assert content == bytes.fromhex("536508000460")
    assert frame.finish(content)[1:] == content + bytes.fromhex("ba60") or len(frame.crc(content)) == 2


@given(st.lists(st.binary(max_size=30), max_size=4), st.integers(1, 7))
def test_packets_are_found_in_noise_and_in_pieces(noise: list[bytes], size: int) -> None:
    stream = b"".join(piece.replace(b"\x53", b"") + packet(data=bytes([n])) for n, piece in enumerate(noise))
    scanner = Scanner()
    found = [one for at in range(0, len(stream), size) for one in scanner.feed(stream[at : at + size])]
    assert [one.data for one in found] == [bytes([n]) for n in range(len(noise))]


@given(st.binary(max_size=400))
def test_no_noise_breaks_the_scanner(noise: bytes) -> None:
    Scanner().feed(noise)


def test_a_flipped_bit_is_no_packet() -> None:
    good = packet(data=b"\x01\x02")[1:]
    for at in range(1, len(good)):
        bad = bytearray(good)
        bad[at] ^= 0x04
        with pytest.raises(FrameError):
            frame.parse(bytes(bad))


def sessions() -> tuple[Session, Session]:
    panel = Session(KEY)
    reader = Session(KEY, panel.random_a)
    for one in (panel, reader):
        one.derive(b"87654321")
        one.start()
    return panel, reader


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=5))
def test_sealed_packets_come_out_as_they_went_in(many: list[bytes]) -> None:
    panel, reader = sessions()
    for number, data in enumerate(many):
        there = panel.seal(0, number % 3 + 1, Cmd.LED, data)
        assert data not in there or not data or len(data) < 4
        assert reader.open(frame.parse(there[1:])) == data
        back = reader.seal(0x80, number % 3 + 1, Reply.RAW, data)
        assert panel.open(frame.parse(back[1:])) == data


def test_a_packet_played_again_is_refused() -> None:
    panel, reader = sessions()
    first = panel.seal(0, 1, Cmd.OUT, b"\x00\x05\x32\x00")
    reader.open(frame.parse(first[1:]))
    panel.open(frame.parse(reader.seal(0x80, 1, Reply.ACK, b"")[1:]))
    with pytest.raises(SecureError):
        reader.open(frame.parse(first[1:]))


def test_a_packet_in_clear_is_refused_in_the_channel() -> None:
    panel, _ = sessions()
    clear = frame.finish(frame.head(0x80, 1, Reply.RAW, b"\x00\x00\x1a\x00\x12\x34\x56\x80", None, b"", 0))
    with pytest.raises(SecureError):
        panel.open(frame.parse(clear[1:]))


class Bench:
    """A reader and a panel on a loopback line."""

    def __init__(self, reader_key: bytes = KEY, **more: Any) -> None:
        self.told: list[object] = []
        self.commands: list[int] = []
        self.reader = Peripheral(0, reader_key, lambda code, _: self.commands.append(code), **more)
        self.device = Device(0, KEY, lambda _, event: self.told.append(event), watch_inputs=True)

    async def start(self, reader: Callable[[], asyncio.Protocol] | None = None) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(reader or (lambda: self.reader), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        await loop.create_connection(lambda: Line([self.device], 0.01, loop), "127.0.0.1", port)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.01)


def test_cards_keys_and_inputs_arrive() -> None:
    bench = Bench(inputs=3)

    async def story() -> None:
        await bench.start()
        await bench.until(lambda: bench.device.online)
        bench.reader.show(26, b"\x12\x34\x56\x80")
        bench.reader.press("12#")
        bench.reader.set_input(1, True)
        await bench.until(lambda: Inputs((False, True, False)) in bench.told)

    asyncio.run(story())
    assert Raw(0, 26, b"\x12\x34\x56\x80") in bench.told
    assert Keys(0, "12#") in bench.told
    assert Inputs((False, False, False)) in bench.told, "asked for at the beginning"


def test_a_reader_with_another_key_is_not_listened_to() -> None:
    bench = Bench(reader_key=b"another key 1234")

    async def story() -> None:
        await bench.start()
        bench.reader.show(26, b"\x12\x34\x56\x80")
        await bench.until(lambda: Link(False, "insecure") in bench.told)

    asyncio.run(story())
    assert not any(isinstance(event, Raw) for event in bench.told)


class Clear(asyncio.Protocol):
    """A reader that knows no secure channel and answers every packet with a card in clear."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._scanner = Scanner()

    def data_received(self, data: bytes) -> None:
        for one in self._scanner.feed(data):
            head = frame.head(0x80, one.sequence, Reply.RAW, b"\x00\x00\x1a\x00\x12\x34\x56\x80", None, b"", 0)
            self._transport.write(frame.finish(head))  # type: ignore[attr-defined]


def test_a_reader_in_clear_is_told_of_and_its_cards_open_nothing() -> None:
    bench = Bench()

    async def story() -> None:
        await bench.start(Clear)
        await bench.until(lambda: Link(False, "insecure") in bench.told)
        await asyncio.sleep(1.5)

    asyncio.run(story())
    assert bench.told == [Link(False, "insecure")]


class Deaf(Peripheral):
    """Loses every fourth packet of the panel, and every fifth of its own."""

    count = 0

    def data_received(self, data: bytes) -> None:
        self.count += 1
        if self.count % 4:
            super().data_received(data)

    def _write(self, content: bytes) -> None:
        self.count += 1
        if self.count % 5:
            super()._write(content)


def test_what_is_lost_on_the_line_is_repeated_and_nothing_comes_twice() -> None:
    bench = Bench()
    bench.reader = Deaf(0, KEY, lambda code, _: bench.commands.append(code))

    async def story() -> None:
        await bench.start()
        await bench.until(lambda: bench.device.online)
        for number in range(6):
            bench.reader.show(26, bytes((number, 0, 0, 0)))
        await bench.until(lambda: sum(isinstance(event, Raw) for event in bench.told) >= 6)

    asyncio.run(story())
    cards = [event.data[0] for event in bench.told if isinstance(event, Raw)]
    assert cards == list(range(6))
