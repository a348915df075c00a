from hashlib import blake2b
from uuid import UUID

from shoufu.kernel.base.ids import uuid7


def content_id(device_id: int, kind: str, t: float, feature: str | None, result: bytes) -> UUID:
    """The id of an observation that came without one: the same content always gets the same id.

    A UUID of version 7 whose time is `t` (epoch seconds) and whose random bits are a hash of the content;
    `result` is the result as JSON with sorted keys.
    """
    head = f"{device_id}\x1f{kind}\x1f{t!r}\x1f{'' if feature is None else 'f' + feature}\x1f".encode()
    return uuid7(int(t * 1000), blake2b(head + result, digest_size=10).digest())
