"""OSDP packets (SIA OSDP 2.2, IEC 60839-11-5, clause 5): framing, CRC, and finding packets in a stream."""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from enum import IntEnum

SOM = 0x53
MARK = 0xFF
HEADER = 5
MAX_PACKET = 1440
REPLY = 0x80
BROADCAST = 0x7F
SQN = 0x03
WITH_CRC = 0x04
WITH_SCB = 0x08


class Cmd(IntEnum):
    """Commands of the control panel."""

    POLL = 0x60
    ID = 0x61
    CAP = 0x62
    LSTAT = 0x64
    ISTAT = 0x65
    OUT = 0x68
    LED = 0x69
    BUZ = 0x6A
    TEXT = 0x6B
    KEYSET = 0x75
    CHLNG = 0x76
    SCRYPT = 0x77


class Reply(IntEnum):
    """Replies of a peripheral device."""

    ACK = 0x40
    NAK = 0x41
    PDID = 0x45
    PDCAP = 0x46
    LSTATR = 0x48
    ISTATR = 0x49
    RAW = 0x50
    FMT = 0x51
    KEYPAD = 0x53
    CCRYPT = 0x76
    RMAC_I = 0x78
    BUSY = 0x79


class Scs(IntEnum):
    """Types of the security block: 0x11–0x14 handshake, 0x15/0x16 with MAC, 0x17/0x18 with MAC and encrypted data; odd
    numbers are the panel's."""

    CHALLENGE = 0x11
    CRYPTOGRAM = 0x12
    SERVER = 0x13
    RMAC = 0x14
    MAC_CMD = 0x15
    MAC_REPLY = 0x16
    ENC_CMD = 0x17
    ENC_REPLY = 0x18


class FrameError(ValueError):
    """Not a packet that can be used; its text says why."""


@dataclass(slots=True)
class Packet:
    """One packet. ``scs`` None: no security block. ``signed``: the bytes that the MAC covers, empty without one."""

    address: int
    sequence: int
    code: int
    data: bytes = b""
    scs: int | None = None
    scb: bytes = b""
    mac: bytes = b""
    signed: bytes = b""

    @property
    def is_reply(self) -> bool:
        """From a peripheral."""
        return bool(self.address & REPLY)


def crc(content: bytes) -> bytes:
    """CRC-16, polynomial 0x1021, start 0x1D0F (annex C), as it goes on the wire."""
    return binascii.crc_hqx(content, 0x1D0F).to_bytes(2, "little")


def head(address: int, sequence: int, code: int, data: bytes, scs: int | None, scb: bytes, mac: int) -> bytes:
    """Everything up to the MAC; ``mac``: how many bytes of MAC will follow."""
    control = sequence & SQN | WITH_CRC | (WITH_SCB if scs is not None else 0)
    block = b"" if scs is None else bytes((2 + len(scb), scs)) + scb
    length = HEADER + len(block) + 1 + len(data) + mac + 2
    return bytes((SOM, address, length & 0xFF, length >> 8, control)) + block + bytes((code,)) + data


def finish(content: bytes) -> bytes:
    """The packet as it goes on the wire: mark, content (with its MAC), CRC."""
    return b"\xff" + content + crc(content)


def parse(content: bytes) -> Packet:
    """A whole packet from SOM to CRC. FrameError when it is damaged."""
    if len(content) < HEADER + 3 or content[0] != SOM:
        raise FrameError("not a packet")
    control = content[4]
    if not control & WITH_CRC:
        raise FrameError("checksum instead of CRC")
    if crc(content[:-2]) != content[-2:]:
        raise FrameError("CRC")
    at, scs, scb = HEADER, None, b""
    if control & WITH_SCB:
        size = content[at]
        if size < 2 or at + size >= len(content) - 2:
            raise FrameError("security block")
        scs, scb = content[at + 1], content[at + 2 : at + size]
        at += size
    end = len(content) - 2
    mac = signed = b""
    if scs is not None and Scs.MAC_CMD <= scs <= Scs.ENC_REPLY:
        end -= 4
        if end <= at:
            raise FrameError("too short for its MAC")
        mac, signed = content[end : end + 4], content[:end]
    return Packet(content[1], control & SQN, content[at], content[at + 1 : end], scs, scb, mac, signed)


class Scanner:
    """Finds packets in what comes from the line; noise between them is dropped."""

    def __init__(self) -> None:
        self._rest = b""
        self.bad = 0

    def feed(self, content: bytes) -> list[Packet]:
        """Packets that are whole now."""
        data = self._rest + content if self._rest else content
        found: list[Packet] = []
        at = 0
        while True:
            at = data.find(b"\x53", at)
            if at < 0:
                self._rest = b""
                return found
            if len(data) - at < HEADER:
                break
            length = data[at + 2] | data[at + 3] << 8
            if not HEADER + 3 <= length <= MAX_PACKET:
                at += 1
                continue
            if len(data) - at < length:
                break
            try:
                found.append(parse(data[at : at + length]))
            except FrameError:
                self.bad += 1
                at += 1
                continue
            at += length
        self._rest = data[at:]
        return found

    def reset(self) -> None:
        """Forget a packet that has begun (its end did not come in time)."""
        self._rest = b""
