import hmac
import json
import os
import secrets
import tempfile
from base64 import b64decode, b64encode
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

FORMAT = 1
KEY_BYTES = 32
NONCE_BYTES = 12


class CannotDecrypt(ValueError):
    """The bytes were changed, belong to another record, or their key is gone."""


def seal(key: bytes, plain: bytes, context: bytes) -> bytes:
    """AES-256-GCM with a random 96-bit nonce in front; `context` is bound to it but not stored."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, context)


def unseal(key: bytes, sealed: bytes, context: bytes) -> bytes:
    """What `seal` took; CannotDecrypt when key, bytes or context are not the same."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
    except (InvalidTag, ValueError) as error:
        raise CannotDecrypt("the encrypted value does not open with this key") from error


@dataclass(frozen=True)
class KeyRing:
    """Master keys by number, newest active: what is new is encrypted with it, what is old still opens.

    Purposes are kept apart: encryption and look-up keys are derived from a master key by HKDF-SHA256 (RFC 5869).
    """

    keys: dict[int, bytes]

    @property
    def active(self) -> int:
        return max(self.keys)

    def _derived(self, number: int, purpose: str) -> bytes:
        return _derive(self.keys[number], purpose)

    def encrypt(self, plain: bytes, context: bytes = b"") -> bytes:
        """Format byte, key number (2 bytes), nonce, ciphertext and tag."""
        number = self.active
        return bytes([FORMAT]) + number.to_bytes(2, "big") + seal(self._derived(number, "encrypt"), plain, context)

    def decrypt(self, sealed: bytes, context: bytes = b"") -> bytes:
        """The plain bytes; CannotDecrypt when they were changed, moved to another context, or their key was dropped."""
        number = self.number_of(sealed)
        if number not in self.keys:
            raise CannotDecrypt(f"the key ring has no key {number}; restore it from the backup of the keys folder")
        return unseal(self._derived(number, "encrypt"), sealed[3:], context)

    @staticmethod
    def number_of(sealed: bytes) -> int:
        """The number of the key that sealed these bytes."""
        if len(sealed) < 3 or sealed[0] != FORMAT:
            raise CannotDecrypt("not a value encrypted by this key ring")
        return int.from_bytes(sealed[1:3], "big")

    def lookup(self, value: str, domain: str) -> bytes:
        """Keyed hash (HMAC-SHA256, 32 bytes) to find an encrypted value by, under the active key.

        Keyed because all phones and plates of a city can be hashed in hours: a plain hash hides nothing.
        """
        return self._lookup(self.active, value, domain)

    def lookups(self, value: str, domain: str) -> list[bytes]:
        """The keyed hashes under every key of the ring, for finding rows that a rotation has not reached yet."""
        return [self._lookup(number, value, domain) for number in sorted(self.keys, reverse=True)]

    def _lookup(self, number: int, value: str, domain: str) -> bytes:
        return hmac.digest(self._derived(number, f"lookup:{domain}"), value.encode(), "sha256")

    def rotated(self) -> "KeyRing":
        """The ring with one more key, which is active from then on."""
        return KeyRing(self.keys | {self.active + 1: secrets.token_bytes(KEY_BYTES)})

    def without(self, number: int) -> "KeyRing":
        """The ring without an old key; the active one stays."""
        if number == self.active:
            raise ValueError(f"key {number} is active; rotate first")
        return KeyRing({n: key for n, key in self.keys.items() if n != number})


@cache
def _derive(key: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"shoufu:{purpose}".encode()).derive(key)


def path() -> Path:
    """The ring's file in the keys folder of the data directory."""
    return _file(str(settings.KEYS_ROOT))


@cache
def _file(folder: str) -> Path:
    return Path(folder) / "ring.json"


def _read(file: Path) -> KeyRing:
    text = json.loads(file.read_text())
    return KeyRing({int(number): b64decode(key) for number, key in text["keys"].items()})


def _write(file: Path, ring: KeyRing, *, replace: bool) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, draft = tempfile.mkstemp(dir=file.parent)
    body = {"keys": {str(number): b64encode(key).decode() for number, key in sorted(ring.keys.items())}}
    with os.fdopen(handle, "w") as output:
        json.dump(body, output)
        output.flush()
        os.fsync(output.fileno())
    if replace:
        os.replace(draft, file)
        return
    try:
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)


_cached: dict[str, tuple[int, KeyRing]] = {}


def ring() -> KeyRing:
    """This installation's key ring, made at the first call (file mode 0600); a rotation by another process is seen."""
    file = path()
    name = str(file)
    try:
        stamp = os.stat(name).st_mtime_ns
    except FileNotFoundError:
        _write(file, KeyRing({1: secrets.token_bytes(KEY_BYTES)}), replace=False)
        stamp = os.stat(name).st_mtime_ns
    known = _cached.get(name)
    if known is None or known[0] != stamp:
        known = _cached[name] = (stamp, _read(file))
    return known[1]


def rotate() -> KeyRing:
    """Add a key and make it active. What older keys encrypted still opens; re-encrypt it before dropping them."""
    _write(path(), ring().rotated(), replace=True)
    return ring()


def drop(number: int) -> KeyRing:
    """Forget an old key: whatever only it opens is lost from then on."""
    _write(path(), ring().without(number), replace=True)
    return ring()
