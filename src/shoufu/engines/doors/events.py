"""Identity of what a controller tells."""

from __future__ import annotations

from hashlib import blake2b
from uuid import UUID


def event_id(controller: str, boot: int, sequence: int, milliseconds: int) -> UUID:
    """UUID of version 7 (RFC 9562): the same controller, boot, sequence and time (Unix ms) give the same id."""
    name = f"{controller}\x1f{boot}\x1f{sequence}".encode()
    tail = int.from_bytes(blake2b(name, digest_size=10).digest(), "big")
    value = (milliseconds & 0xFFFFFFFFFFFF) << 80 | 0x7 << 76 | (tail >> 64 & 0xFFF) << 64 | 0b10 << 62
    return UUID(int=value | tail & 0x3FFFFFFFFFFFFFFF)
