"""The controller's side of an OSDP line: polls its devices, takes what they read, sends what they shall do.

Only through a secure channel: a device without a key, with a default key or in clear is told of and not listened to.
"""

from __future__ import annotations

import asyncio
import hmac
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import structlog

from . import frame
from .frame import Cmd, Packet, Reply, Scanner, Scs
from .secure import SecureError, Session

log = structlog.get_logger("osdp")

TIMEOUT = 0.2
"""Seconds in which a device must answer (clause 5.7)."""
TRIES = 3
OFFLINE_PAUSE = 1.0
UNEVEN = 0.2
"""Share of the poll interval by which it varies: lines that fall into step would bring their cards all at once."""
ANSWER = 0.005
"""Seconds after a card in which its answer is expected, and goes before the next poll."""
BUSY_PAUSE = 0.02


@dataclass(frozen=True)
class Raw:
    """A card read: ``bits`` bits, left aligned in ``data``."""

    reader: int
    bits: int
    data: bytes


@dataclass(frozen=True)
class Keys:
    """Keys pressed: digits, ``#`` (enter) and ``*`` (clear)."""

    reader: int
    text: str


@dataclass(frozen=True)
class Inputs:
    """State of a device's inputs, in order."""

    states: tuple[bool, ...]


@dataclass(frozen=True)
class Local:
    """Tamper and power state of a device."""

    tamper: bool
    power_failure: bool


@dataclass(frozen=True)
class Link:
    """A device came or went. ``reason``: offline, insecure."""

    online: bool
    reason: str = ""


Told = Callable[["Device", Raw | Keys | Inputs | Local | Link], None]


@dataclass(eq=False)
class Device:
    """One peripheral at an address of a line. ``key``: its SCBK (16 bytes)."""

    address: int
    key: bytes
    told: Told
    watch_inputs: bool = False
    online: bool = False
    identity: bytes = b""
    line: Line | None = None
    queue: deque[tuple[int, bytes]] = field(default_factory=deque)
    session: Session | None = None
    sequence: int = 0
    failures: int = 0
    stage: str = "challenge"
    quiet_until: float = 0.0
    due: float = 0.0
    reported: str = ""

    def send(self, code: Cmd, data: bytes) -> None:
        """Queue a command; it goes before the next poll. Dropped while the device is away: it would come too late."""
        if self.online:
            self.queue.append((code, data))
            if self.line:
                self.line.hurry()

    def led(self, colour: int, seconds: float, reader: int = 0, led: int = 0) -> None:
        """Light a LED for some seconds (colours: 1 red, 2 green, 3 amber)."""
        timer = max(1, round(seconds * 10)).to_bytes(2, "little")
        self.send(Cmd.LED, bytes((reader, led, 2, 10, 0, colour, 0)) + timer + bytes((0, 0, 0, 0, 0)))

    def output(self, number: int, seconds: float | None) -> None:
        """Switch an output on for some seconds; None: on until told otherwise; 0: off."""
        if seconds is None:
            self.send(Cmd.OUT, bytes((number, 2, 0, 0)))
        elif seconds <= 0:
            self.send(Cmd.OUT, bytes((number, 1, 0, 0)))
        else:
            self.send(Cmd.OUT, bytes((number, 5)) + max(1, round(seconds * 10)).to_bytes(2, "little"))

    def buzzer(self, on: bool, reader: int = 0, count: int = 0) -> None:
        """Sound the pre-alarm, or end it; ``count`` 0: until told."""
        self.send(Cmd.BUZ, bytes((reader, 2 if on else 1, 3, 3, count)))

    def text(self, words: str, seconds: float, reader: int = 0) -> None:
        """Show words on the reader's display, where it has one (ASCII only in the standard)."""
        content = words.encode("ascii", "ignore")[:32]
        self.send(Cmd.TEXT, bytes((reader, 2, min(255, round(seconds)), 1, 1, len(content))) + content)


class Line(asyncio.Protocol):
    """A line (RS-485 by serial port, or TCP) with one or more devices. One exchange at a time, as the standard says."""

    def __init__(self, devices: list[Device], poll: float, loop: asyncio.AbstractEventLoop) -> None:
        self._devices = devices
        self._poll = poll
        self._loop = loop
        self._scanner = Scanner()
        self._transport: asyncio.WriteTransport | None = None
        self._current: Device | None = None
        self._packet = b""
        self._code = self._number = 0
        self._timer: asyncio.TimerHandle | None = None
        self._next: asyncio.TimerHandle | None = None
        self.closed = loop.create_future()
        for device in devices:
            device.line = self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The line stands: begin."""
        # uvloop's transports do not inherit from asyncio's.
        self._transport = cast(asyncio.WriteTransport, transport)
        self._turn()

    def connection_lost(self, exc: Exception | None) -> None:
        """The line is gone, and all devices with it."""
        for handle in (self._timer, self._next):
            if handle:
                handle.cancel()
        self._transport = None
        for device in self._devices:
            self._lost(device, "the line is down")
        if not self.closed.done():
            self.closed.set_result(None)

    def hurry(self) -> None:
        """A command waits: do not wait for the next poll."""
        if self._current is None and self._transport is not None:
            self._turn()

    def _turn(self) -> None:
        """Start the next exchange, or sleep until one is due."""
        if self._next:
            self._next.cancel()
            self._next = None
        if self._current is not None or self._transport is None:
            return
        now = self._loop.time()
        chosen, when = None, float("inf")
        for device in self._devices:
            due = device.quiet_until if device.queue else max(device.due, device.quiet_until)
            if due < when:
                chosen, when = device, due
        if chosen is None:
            return
        if when > now:
            self._next = self._loop.call_at(when, self._turn)
            return
        self._exchange(chosen)

    def _exchange(self, device: Device) -> None:
        if device.stage != "online":
            self._handshake(device)
            return
        code, data = device.queue.popleft() if device.queue else (int(Cmd.POLL), b"")
        assert device.session is not None
        self._put(device, code, device.session.seal(device.address, self._step(device), code, data))

    def _step(self, device: Device) -> int:
        self._number = sequence = device.sequence
        device.sequence = sequence % 3 + 1
        return sequence

    def _handshake(self, device: Device) -> None:
        if device.stage == "challenge":
            device.sequence = 0
            device.session = Session(device.key)
            code, scs, data = Cmd.CHLNG, Scs.CHALLENGE, device.session.random_a
        else:
            assert device.session is not None
            code, scs, data = Cmd.SCRYPT, Scs.SERVER, device.session.server_cryptogram()
        content = frame.head(device.address, self._step(device), code, data, scs, b"\x01", 0)
        self._put(device, code, frame.finish(content))

    def _put(self, device: Device, code: int, packet: bytes) -> None:
        assert self._transport is not None
        self._current, self._code, self._packet = device, code, packet
        self._transport.write(packet)
        self._timer = self._loop.call_later(TIMEOUT, self._timeout)

    def _timeout(self) -> None:
        device = self._current
        if device is None or self._transport is None:
            return
        self._scanner.reset()
        device.failures += 1
        if device.failures < TRIES:
            # The same packet with the same number: the device repeats its last answer if it has heard it.
            self._transport.write(self._packet)
            self._timer = self._loop.call_later(TIMEOUT, self._timeout)
            return
        self._done()
        self._lost(device, "does not answer")
        self._turn()

    def _done(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._current = None

    def data_received(self, data: bytes) -> None:
        """Bytes from the line."""
        for packet in self._scanner.feed(data):
            device = self._current
            if device is None or packet.address != device.address | frame.REPLY or packet.sequence != self._number:
                # Of another exchange: a second answer to a packet that was sent twice.
                continue
            self._answered(device, packet)

    def _answered(self, device: Device, packet: Packet) -> None:
        code = self._code
        if device.stage == "online" and packet.scs is None and packet.code == Reply.BUSY:
            self._done()
            device.queue.appendleft((code, b"")) if code != Cmd.POLL else None
            device.quiet_until = self._loop.time() + BUSY_PAUSE
            return self._turn()
        self._done()
        device.failures = 0
        try:
            if device.stage == "online":
                self._take(device, packet)
            else:
                self._shake(device, packet)
        except SecureError as error:
            self._lost(device, str(error), insecure=True)
        self._turn()
        return None

    def _shake(self, device: Device, packet: Packet) -> None:
        session = device.session
        assert session is not None
        if device.stage == "challenge":
            if packet.code != Reply.CCRYPT or packet.scs != Scs.CRYPTOGRAM or len(packet.data) != 32:
                raise SecureError("has no secure channel with a key of its own")
            session.derive(packet.data[8:16])
            if not hmac.compare_digest(packet.data[16:], session.client_cryptogram()):
                raise SecureError("has another key")
            device.identity = packet.data[:8]
            device.stage = "server"
            return
        good = packet.code == Reply.RMAC_I and packet.scs == Scs.RMAC and packet.scb == b"\x01"
        if not good or not hmac.compare_digest(packet.data, session.start()):
            raise SecureError("does not accept the key")
        device.stage = "online"
        device.online = True
        device.reported = ""
        device.due = 0.0
        if device.watch_inputs:
            device.queue.append((int(Cmd.ISTAT), b""))
        device.queue.append((int(Cmd.LSTAT), b""))
        device.told(device, Link(True))

    def _take(self, device: Device, packet: Packet) -> None:
        assert device.session is not None
        if packet.code == Reply.NAK and packet.scs is None:
            raise SecureError("left the secure channel")
        data = device.session.open(packet)
        if self._code == Cmd.POLL:
            device.due = self._loop.time() + self._poll * (1 - UNEVEN * random.random())
        if packet.code == Reply.RAW and len(data) >= 4:
            device.due = self._loop.time() + min(ANSWER, self._poll)
            bits = data[2] | data[3] << 8
            if 0 < bits <= 8 * (len(data) - 4):
                device.told(device, Raw(data[0], bits, data[4 : 4 + (bits + 7) // 8]))
        elif packet.code == Reply.KEYPAD and len(data) >= 2:
            device.told(device, Keys(data[0], _keys(data[2 : 2 + data[1]])))
        elif packet.code == Reply.ISTATR:
            device.told(device, Inputs(tuple(bool(value) for value in data)))
        elif packet.code == Reply.LSTATR and len(data) >= 2:
            device.told(device, Local(bool(data[0]), bool(data[1])))

    def _lost(self, device: Device, reason: str, insecure: bool = False) -> None:
        was = device.online
        device.online = False
        device.stage = "challenge"
        device.session = None
        device.failures = 0
        device.queue.clear()
        device.quiet_until = self._loop.time() + OFFLINE_PAUSE
        word = "insecure" if insecure else "offline"
        if was or device.reported != word:
            device.reported = word
            log.warning("reader lost", address=device.address, reason=reason)
            device.told(device, Link(False, word))


def _keys(data: bytes) -> str:
    return data.decode("ascii", "ignore").replace("\r", "#").replace("\x7f", "*")
