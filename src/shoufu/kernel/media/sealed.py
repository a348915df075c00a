"""Pictures that only the key of the person whom they show opens: for scenes that keep pictures of bodies or papers.

They lie beside the other media, are no `MediaObject`, and whoever owns the row that names the key removes them.
"""

import hashlib
from datetime import datetime
from uuid import UUID

from shoufu.kernel.base import keyring
from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.media import store
from shoufu.kernel.media.store import FORMS, Stored

MOST = FORMS["image/jpeg"].most
"""Bytes of the largest picture that is taken."""


def put(secret: bytes, media_id: UUID, content_type: str, t: datetime, plain: bytes) -> Stored:
    """Encrypt a picture with a person's data key and write it for good. `size` and `sha256` are those of the picture.

    Raises Invalid for what is no whole picture or too large, and Problem (507) when the disk does not take it.
    """
    if not content_type.startswith("image/"):
        raise Invalid.one("content_type", "image/jpeg, image/png, image/webp")
    store.check(content_type, plain[:16], plain[-32:], len(plain))
    key = f"sealed/{t:%Y/%m/%d}/{media_id}.bin"
    store.write(key, keyring.seal(secret, plain, media_id.bytes))
    return Stored(key, len(plain), hashlib.sha256(plain).digest())


def read(secret: bytes, media_id: UUID, key: str) -> bytes:
    """The picture in clear. FileNotFoundError when its bytes are gone, CannotDecrypt when they were changed."""
    with store.open_key(key) as file:
        return keyring.unseal(secret, file.read(), media_id.bytes)
