"""Keys of credentials and codes, and canonical identifiers."""

from __future__ import annotations

import re
from hashlib import blake2b

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .model import Technology

_HEX = re.compile(r"[0-9A-F]{2,40}")
WIEGAND = {26: 24, 34: 32}
"""Payload bits of the Wiegand formats with one parity bit at each end."""


def credential_key(hash_key: bytes, technology: Technology, identifier: bytes) -> bytes:
    """8 bytes of keyed BLAKE2b (RFC 7693) by which a credential is found; two of 20,000 collide with 1e-11."""
    return blake2b(bytes((technology,)) + identifier, digest_size=8, key=hash_key).digest()


def card_identifier(number: str) -> bytes:
    """Canonical identifier of a card from its number in hex (UID or facility and number); separators are dropped.

    ValueError when it is not hex.
    """
    text = re.sub(r"[\s:\-]", "", number).upper()
    if len(text) % 2:
        text = "0" + text
    if not _HEX.fullmatch(text):
        raise ValueError("The card number must be hexadecimal, such as 04A1B2C3.")
    return text.encode()


def wiegand(bits: int, data: bytes) -> bytes | None:
    """Identifier of a card from raw reader bits (left aligned, as OSDP RAW has them); None when parity is wrong.

    26 and 34 bits: even parity over the first half in front, odd over the second half behind. Other lengths are taken
    whole, since their parity is not agreed.
    """
    value = int.from_bytes(data, "big") >> (8 * len(data) - bits)
    payload = WIEGAND.get(bits)
    if payload is None:
        size = (bits + 7) // 8
        return value.to_bytes(size, "big").hex().upper().encode()
    half = bits // 2
    if (value >> half).bit_count() % 2 != 0 or (value & ((1 << half) - 1)).bit_count() % 2 != 1:
        return None
    return (value >> 1 & ((1 << payload) - 1)).to_bytes(payload // 8, "big").hex().upper().encode()


def pin_valid(digits: str) -> bool:
    """Whether a code may be given out: eight digits, no run, no repetition, not a date of the form YYYYMMDD."""
    if not re.fullmatch(r"\d{8}", digits):
        return False
    steps = {(int(b) - int(a)) % 10 for a, b in zip(digits, digits[1:], strict=False)}
    if len(steps) == 1 or len(set(digits)) < 3:
        return False
    return not re.fullmatch(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])", digits)


def _derive(key: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(key)


def group_key(master: bytes, group: bytes | str) -> bytes:
    """Key of a door group (32 bytes) by HKDF-SHA256 (RFC 5869) from the installation's master key."""
    name = group.encode() if isinstance(group, str) else group
    return _derive(master, b"shoufu doors group\x00" + name)


def resident_key(group_key: bytes, credential_id: bytes) -> bytes:
    """Key of one resident's rotating code (32 bytes): lives in the phone, and is derived again at the door."""
    return _derive(group_key, b"shoufu doors resident\x00" + credential_id)


def visitor_key(group_key: bytes, claims: bytes) -> bytes:
    """Key of one visitor's code (32 bytes), bound to its claims: other claims need another key."""
    return _derive(group_key, b"shoufu doors visitor\x00" + claims)
