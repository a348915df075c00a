"""The installation's keys for doors: what signs rule sets and commands, and what codes and hashes are derived from."""

import os
import secrets
import tempfile
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from django.conf import settings

from shoufu.engines.doors import group_key


def _once(name: str, content: bytes) -> bytes:
    """The content of a file of the keys folder (mode 0600), made with `content` at the first call."""
    path = Path(settings.KEYS_ROOT) / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, draft = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as output:
            output.write(content)
            output.flush()
            os.fsync(output.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(draft)
    return path.read_bytes()


@lru_cache(maxsize=4)
def _keys(root: str) -> tuple[Ed25519PrivateKey, bytes]:
    made = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key = load_pem_private_key(_once("doors.pem", made), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError("doors.pem holds no Ed25519 key; restore it from the backup of the keys folder")
    return key, _once("doors.key", secrets.token_bytes(32))


def signing_key() -> Ed25519PrivateKey:
    """Signs rule sets and commands; made at the first call."""
    return _keys(str(settings.KEYS_ROOT))[0]


def public_key() -> bytes:
    """The 32 bytes that every controller of this installation is configured with."""
    return signing_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def hash_key(epoch: int) -> bytes:
    """16 bytes that hash credentials in rule sets."""
    master = _keys(str(settings.KEYS_ROOT))[1]
    return HKDF(SHA256(), 16, salt=None, info=f"shoufu doors hash {epoch}".encode()).derive(master)


def qr_key(place_code: str, epoch: int) -> bytes:
    """32 bytes of a door group, from which the keys of its codes are derived."""
    return group_key(_keys(str(settings.KEYS_ROOT))[1], f"{place_code}:{epoch}")
