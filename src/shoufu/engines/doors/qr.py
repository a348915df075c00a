"""Codes shown on a phone: 19 bytes for residents (QR version 2), 32 for visitors (version 3), as base45 (RFC 9285).

Resident: ``0x1g`` (g = door group) · credential id 6 · step u32 · HMAC-SHA256 cut to 8 bytes.
Visitor: ``0x2g`` · claims 17 (:class:`VisitorClaims`) · step u32 · HMAC cut to 10 bytes.
The HMAC is over all bytes before it, keyed with the resident's or visitor's own key, which the door derives again from
the key of its group; a visitor's key is bound to the claims. Steps are 30 s of Unix time, one either side is accepted.
A visitor's code with step 0 does not rotate (a link without JavaScript, a print) and needs ``fixed``.
"""

from __future__ import annotations

import hmac

import msgspec

from . import keys

STEP = 30
RESIDENT = 1
VISITOR = 2
RESIDENT_BYTES = 19
VISITOR_BYTES = 32
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}


class QrError(ValueError):
    """Not one of our codes, or damaged."""


class VisitorClaims(msgspec.Struct, frozen=True, kw_only=True):
    """What a visitor's code says. ``minutes`` ≤ 65,535 after ``valid_from`` (Unix s)."""

    pass_id: bytes
    valid_from: int
    minutes: int
    doors: int
    """Mask of ``Door.group_bit``."""
    passes: int = 0
    """0 any number, else 1–31: at each door by itself, which alone holds without a network …"""
    total: bool = False
    """… or over all doors; then they must all belong to one controller, another one refuses."""
    fixed: bool = False
    """May be shown without rotation."""

    def pack(self) -> bytes:
        """17 bytes; ValueError names the field that does not fit."""
        if len(self.pass_id) != 6:
            raise ValueError("pass_id: must be 6 bytes.")
        if not 0 < self.minutes <= 0xFFFF:
            raise ValueError("minutes: must be 1–65535.")
        if not 0 < self.doors < 1 << 32:
            raise ValueError("doors: name at least one door; the mask has 32 bits.")
        if not 0 <= self.passes <= 31:
            raise ValueError("passes: must be 0–31.")
        use = self.passes | self.total << 5 | self.fixed << 6
        head = self.pass_id + self.valid_from.to_bytes(4, "big") + self.minutes.to_bytes(2, "big")
        return head + self.doors.to_bytes(4, "big") + bytes((use,))

    @classmethod
    def unpack(cls, content: bytes) -> VisitorClaims:
        """The claims of 17 bytes."""
        return cls(
            pass_id=content[:6],
            valid_from=int.from_bytes(content[6:10], "big"),
            minutes=int.from_bytes(content[10:12], "big"),
            doors=int.from_bytes(content[12:16], "big"),
            passes=content[16] & 31,
            total=bool(content[16] & 32),
            fixed=bool(content[16] & 64),
        )


class ResidentCode(msgspec.Struct, frozen=True):
    """A resident's code as read; not yet verified."""

    group: int
    credential_id: bytes
    step: int
    content: bytes

    def genuine(self, group_key: bytes) -> bool:
        """Whether its HMAC fits the group's key."""
        return _genuine(keys.resident_key(group_key, self.credential_id), self.content, 8)


class VisitorCode(msgspec.Struct, frozen=True):
    """A visitor's code as read; not yet verified."""

    group: int
    claims: VisitorClaims
    step: int
    content: bytes

    def genuine(self, group_key: bytes) -> bool:
        """Whether its HMAC fits the group's key and these claims."""
        return _genuine(keys.visitor_key(group_key, self.content[1:18]), self.content, 10)


def _genuine(key: bytes, content: bytes, size: int) -> bool:
    return hmac.compare_digest(hmac.digest(key, content[:-size], "sha256")[:size], content[-size:])


def make_resident_code(key: bytes, group: int, credential_id: bytes, step: int) -> str:
    """Text (29 characters) of a resident's code; ``key`` from ``resident_key``, ``step`` = Unix s // 30."""
    if len(credential_id) != 6:
        raise ValueError("credential_id: must be 6 bytes.")
    head = bytes((RESIDENT << 4 | group,)) + credential_id + step.to_bytes(4, "big")
    return encode(head + hmac.digest(key, head, "sha256")[:8])


def make_visitor_code(key: bytes, group: int, claims: VisitorClaims, step: int) -> str:
    """Text (48 characters) of a visitor's code; ``key`` from ``visitor_key(…, claims.pack())``; step 0: fixed."""
    head = bytes((VISITOR << 4 | group,)) + claims.pack() + step.to_bytes(4, "big")
    return encode(head + hmac.digest(key, head, "sha256")[:10])


def read_code(text: str) -> ResidentCode | VisitorCode:
    """The code of a reader's text; QrError when it is none of ours."""
    content = decode(text)
    kind, group = content[0] >> 4 if content else 0, content[0] & 15 if content else 0
    if kind == RESIDENT and len(content) == RESIDENT_BYTES:
        return ResidentCode(group, content[1:7], int.from_bytes(content[7:11], "big"), content)
    if kind == VISITOR and len(content) == VISITOR_BYTES:
        return VisitorCode(group, VisitorClaims.unpack(content[1:18]), int.from_bytes(content[18:22], "big"), content)
    raise QrError("This is not a door code.")


def encode(content: bytes) -> str:
    """Base45 (RFC 9285)."""
    out: list[str] = []
    for start in range(0, len(content) - 1, 2):
        value = content[start] << 8 | content[start + 1]
        out += (_ALPHABET[value % 45], _ALPHABET[value // 45 % 45], _ALPHABET[value // 2025])
    if len(content) % 2:
        out += (_ALPHABET[content[-1] % 45], _ALPHABET[content[-1] // 45])
    return "".join(out)


def decode(text: str) -> bytes:
    """Bytes of base45 text; QrError when it is not canonical."""
    if len(text) > 512 or len(text) % 3 == 1:
        raise QrError("This is not a door code.")
    try:
        values = [_VALUES[letter] for letter in text]
    except KeyError:
        raise QrError("This is not a door code.") from None
    out = bytearray()
    for start in range(0, len(values), 3):
        part = values[start : start + 3]
        number = sum(value * 45**place for place, value in enumerate(part))
        size = len(part) - 1
        if number >= 1 << 8 * size:
            raise QrError("This is not a door code.")
        out += number.to_bytes(size, "big")
    return bytes(out)
