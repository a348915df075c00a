"""OSDP Secure Channel (annex D): session keys, cryptograms, rolling MACs, encryption of data. AES-128 throughout."""

from __future__ import annotations

import hmac
import os

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from . import frame
from .frame import Packet, Scs

BLOCK = 16
ONES = b"\xff" * BLOCK


class SecureError(ValueError):
    """The other side does not hold the key, or a packet was changed on its way."""


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(BLOCK, "big")


class _Block:
    """AES on single blocks; chaining is done here, since a new cipher object a packet costs more than the cipher."""

    def __init__(self, key: bytes) -> None:
        cipher = Cipher(AES(key), ECB())
        self.encrypt = cipher.encryptor().update
        self.decrypt = cipher.decryptor().update

    def chain(self, vector: bytes, content: bytes) -> bytes:
        out = []
        for start in range(0, len(content), BLOCK):
            vector = self.encrypt(_xor(vector, content[start : start + BLOCK]))
            out.append(vector)
        return b"".join(out)

    def unchain(self, vector: bytes, content: bytes) -> bytes:
        out = []
        for start in range(0, len(content), BLOCK):
            block = content[start : start + BLOCK]
            out.append(_xor(vector, self.decrypt(block)))
            vector = block
        return b"".join(out)


class Session:
    """One secure channel, of either side: first the handshake, then :meth:`seal` and :meth:`open` packets in order."""

    def __init__(self, key: bytes, random_a: bytes | None = None) -> None:
        self._key = key
        self.random_a = random_a or os.urandom(8)
        self.random_b = b""
        self._c_mac = self._r_mac = bytes(BLOCK)
        self.established = False

    def derive(self, random_b: bytes) -> None:
        """Session keys, once the peripheral's random number is known."""
        self.random_b = random_b
        base = _Block(self._key)
        tail = self.random_a[:6] + bytes(8)
        self._enc = _Block(base.encrypt(b"\x01\x82" + tail))
        self._mac1 = _Block(base.encrypt(b"\x01\x01" + tail))
        self._mac2 = _Block(base.encrypt(b"\x01\x02" + tail))

    def client_cryptogram(self) -> bytes:
        """What the peripheral shows (16 bytes)."""
        return self._enc.encrypt(self.random_a + self.random_b)

    def server_cryptogram(self) -> bytes:
        """What the panel shows (16 bytes)."""
        return self._enc.encrypt(self.random_b + self.random_a)

    def start(self) -> bytes:
        """The first reply MAC (16 bytes); the channel stands."""
        self._r_mac = self._mac2.encrypt(self._mac1.encrypt(self.server_cryptogram()))
        self.established = True
        return self._r_mac

    def _mac(self, content: bytes, command: bool) -> bytes:
        size = len(content) % BLOCK
        padded = content if size == 0 else content + b"\x80" + bytes(BLOCK - size - 1)
        vector = self._r_mac if command else self._c_mac
        for start in range(0, len(padded) - BLOCK, BLOCK):
            vector = self._mac1.encrypt(_xor(vector, padded[start : start + BLOCK]))
        found = self._mac2.encrypt(_xor(vector, padded[-BLOCK:]))
        if command:
            self._c_mac = found
        else:
            self._r_mac = found
        return found[:4]

    def _vector(self, command: bool) -> bytes:
        last = self._r_mac if command else self._c_mac
        return _xor(last, ONES)

    def seal(self, address: int, sequence: int, code: int, data: bytes) -> bytes:
        """A packet on the wire, encrypted and with its MAC."""
        command = not address & frame.REPLY
        if data:
            padded = data + b"\x80" + bytes(-(len(data) + 1) % BLOCK)
            data = self._enc.chain(self._vector(command), padded)
            scs = Scs.ENC_CMD if command else Scs.ENC_REPLY
        else:
            scs = Scs.MAC_CMD if command else Scs.MAC_REPLY
        content = frame.head(address, sequence, code, data, scs, b"", 4)
        return frame.finish(content + self._mac(content, command))

    def open(self, packet: Packet) -> bytes:
        """The data of a packet; SecureError when its MAC does not fit or its padding is wrong."""
        command = not packet.is_reply
        plain = Scs.MAC_CMD if command else Scs.MAC_REPLY
        sealed = Scs.ENC_CMD if command else Scs.ENC_REPLY
        if packet.scs not in (plain, sealed):
            raise SecureError("not in the secure channel")
        vector = self._vector(command)
        before = (self._c_mac, self._r_mac)
        if not hmac.compare_digest(self._mac(packet.signed, command), packet.mac):
            self._c_mac, self._r_mac = before
            raise SecureError("MAC")
        if packet.scs == plain or not packet.data:
            return packet.data
        if len(packet.data) % BLOCK:
            raise SecureError("length of encrypted data")
        padded = self._enc.unchain(vector, packet.data)
        data, mark, rest = padded.rpartition(b"\x80")
        if not mark or rest.strip(b"\x00"):
            raise SecureError("padding")
        return data
