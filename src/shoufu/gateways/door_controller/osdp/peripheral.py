"""A device's side of OSDP: what a reader with a secure channel does. Used by simulators and tests."""

from __future__ import annotations

import asyncio
import hmac
import os
from collections import deque
from collections.abc import Callable, Sequence
from typing import cast

from . import frame
from .frame import Cmd, Packet, Reply, Scanner, Scs
from .secure import SecureError, Session

NAK_UNKNOWN = 3
NAK_SEQUENCE = 4
NAK_INSECURE = 6


class Peripheral(asyncio.Protocol):
    """Answers the panel on one connection; ``on_command(code, data)`` is told of every command but polls, ``on_sent``
    of each event that went out, in order of :meth:`show`."""

    def __init__(
        self, address: int, key: bytes, on_command: Callable[[int, bytes], None],
        on_sent: Callable[[], None] | None = None, inputs: int = 0,
    ) -> None:  # fmt: skip
        self.address = address
        self._key = key
        self._on_command = on_command
        self._on_sent = on_sent
        self._scanner = Scanner()
        self._session: Session | None = None
        self._events: deque[tuple[int, bytes]] = deque()
        self._expected = 0
        self._last = b""
        self._transport: asyncio.WriteTransport | None = None
        self.inputs = bytearray(inputs)

    @property
    def secure(self) -> bool:
        """Whether the channel stands."""
        return self._session is not None and self._session.established

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The panel has called."""
        # uvloop's transports do not inherit from asyncio's.
        self._transport = cast(asyncio.WriteTransport, transport)
        self._session = None

    def connection_lost(self, exc: Exception | None) -> None:
        """The panel is gone."""
        self._transport = None
        self._session = None

    def show(self, bits: int, data: bytes, reader: int = 0) -> None:
        """A card is held to the reader: goes out with the next poll."""
        self._events.append((Reply.RAW, bytes((reader, 0, bits & 0xFF, bits >> 8)) + data))

    def press(self, digits: str, reader: int = 0) -> None:
        """Keys are pressed; ``#`` is enter."""
        content = digits.replace("#", "\r").replace("*", "\x7f").encode()
        self._events.append((Reply.KEYPAD, bytes((reader, len(content))) + content))

    def set_input(self, number: int, active: bool) -> None:
        """An input changes."""
        self.inputs[number] = active
        self._events.append((Reply.ISTATR, bytes(self.inputs)))

    @property
    def waiting(self) -> int:
        """Events that wait for a poll."""
        return len(self._events)

    def data_received(self, data: bytes) -> None:
        """Bytes from the panel."""
        for packet in self._scanner.feed(data):
            if packet.address == self.address:
                self._answer(packet)

    def _answer(self, packet: Packet) -> None:
        if packet.sequence and packet.sequence == (self._expected - 2) % 3 + 1 and self._last and self.secure:
            self._write(self._last)
            return
        if packet.sequence == 0:
            self._expected = 0
        self._expected = packet.sequence % 3 + 1
        if packet.code == Cmd.CHLNG and packet.scs == Scs.CHALLENGE:
            self._challenged(packet)
        elif packet.code == Cmd.SCRYPT and packet.scs == Scs.SERVER:
            self._server(packet)
        elif not self.secure:
            self._plain(packet, Reply.NAK, bytes((NAK_INSECURE,)))
        else:
            self._sealed(packet)

    def _challenged(self, packet: Packet) -> None:
        if packet.scb != b"\x01" or len(packet.data) != 8:
            self._plain(packet, Reply.NAK, bytes((NAK_INSECURE,)))
            return
        self._session = Session(self._key, packet.data)
        self._session.derive(os.urandom(8))
        data = b"SHOUFU\x00\x01" + self._session.random_b + self._session.client_cryptogram()
        self._plain(packet, Reply.CCRYPT, data, Scs.CRYPTOGRAM, b"\x01")

    def _server(self, packet: Packet) -> None:
        session = self._session
        if session is None or not hmac.compare_digest(packet.data, session.server_cryptogram()):
            self._session = None
            self._plain(packet, Reply.NAK, bytes((NAK_INSECURE,)))
            return
        self._plain(packet, Reply.RMAC_I, session.start(), Scs.RMAC, b"\x01")

    def _sealed(self, packet: Packet) -> None:
        assert self._session is not None
        try:
            data = self._session.open(packet)
        except SecureError:
            self._session = None
            self._plain(packet, Reply.NAK, bytes((NAK_INSECURE,)))
            return
        if packet.code == Cmd.POLL:
            sent = bool(self._events)
            self._reply(packet, *(self._events.popleft() if sent else (int(Reply.ACK), b"")))
            if sent and self._on_sent:
                self._on_sent()
            return
        self._on_command(packet.code, data)
        if packet.code == Cmd.ISTAT:
            self._reply(packet, Reply.ISTATR, bytes(self.inputs))
        elif packet.code == Cmd.LSTAT:
            self._reply(packet, Reply.LSTATR, b"\x00\x00")
        else:
            self._reply(packet, Reply.ACK, b"")

    def _reply(self, packet: Packet, code: int, data: bytes) -> None:
        assert self._session is not None
        self._last = self._session.seal(self.address | frame.REPLY, packet.sequence, code, data)
        self._write(self._last)

    def _plain(self, packet: Packet, code: int, data: bytes, scs: int | None = None, scb: bytes = b"") -> None:
        content = frame.head(self.address | frame.REPLY, packet.sequence, code, data, scs, scb, 0)
        self._last = frame.finish(content)
        self._write(self._last)

    def _write(self, content: bytes) -> None:
        if self._transport is not None:
            self._transport.write(content)


class Bus(asyncio.Protocol):
    """Several devices on one line: each hears everything, and answers what has its address."""

    def __init__(self, devices: Sequence[Peripheral]) -> None:
        self._devices = devices

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The panel has called."""
        for device in self._devices:
            device.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The panel is gone."""
        for device in self._devices:
            device.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes from the panel."""
        for device in self._devices:
            device.data_received(data)


def wiegand34(number: int) -> bytes:
    """A card number of 32 bits as 34 Wiegand bits, left aligned: even parity, the number, odd parity."""
    even = (number >> 16).bit_count() & 1
    odd = 1 - ((number & 0xFFFF).bit_count() & 1)
    return ((even << 33 | number << 1 | odd) << 6).to_bytes(5, "big")
