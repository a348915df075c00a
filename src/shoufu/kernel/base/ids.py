import os
import time
from uuid import UUID


def uuid7(milliseconds: int | None = None, random_bytes: bytes | None = None) -> UUID:
    """A UUID of version 7 (RFC 9562): 48 bits of Unix milliseconds, then 74 random bits.

    `random_bytes` (10 bytes) makes it reproducible: the same time and bytes give the same id.
    """
    stamp = time.time_ns() // 1_000_000 if milliseconds is None else milliseconds
    tail = int.from_bytes(os.urandom(10) if random_bytes is None else random_bytes[:10], "big")
    value = (stamp & 0xFFFFFFFFFFFF) << 80
    value |= 0x7 << 76
    value |= ((tail >> 64) & 0xFFF) << 64
    value |= 0b10 << 62
    value |= tail & 0x3FFFFFFFFFFFFFFF
    return UUID(int=value)
