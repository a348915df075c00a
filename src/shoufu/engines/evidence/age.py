"""Files in the format of age (age-encryption.org/v1), so that the recipient can open them with the tool `age` too.

Recipients are a passphrase (scrypt) or an X25519 key (`age1…`). https://github.com/C2SP/C2SP/blob/main/age.md
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Iterable, Iterator
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from .bech32 import decode as bech32_decode
from .bech32 import encode as bech32_encode

VERSION = b"age-encryption.org/v1"
CHUNK = 64 * 1024
WORK = 16
MOST_WORK = 22
_TAG, _ZERO = 16, bytes(12)


class AgeError(ValueError):
    """The file is damaged, or the passphrase or key is not the right one; the text says which."""


def _b64(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _unb64(text: bytes) -> bytes:
    data = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    if _b64(data) != text:
        raise ValueError("not the one spelling of these bytes")
    return data


def _hkdf(key: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=salt, info=info).derive(key)


def make_identity() -> tuple[str, str]:
    """A new key pair: (`AGE-SECRET-KEY-1…` to keep, `age1…` to give away)."""
    key = X25519PrivateKey.generate()
    secret = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return bech32_encode("age-secret-key-", secret).upper(), bech32_encode("age", public)


def read_recipient(text: str) -> bytes:
    """The 32 bytes of an `age1…` recipient. Raises AgeError."""
    try:
        prefix, data = bech32_decode(text.strip())
    except ValueError as error:
        raise AgeError(f"not an age recipient: {error}") from error
    if prefix != "age" or len(data) != 32:
        raise AgeError("not an age recipient; it begins with age1 and has 62 characters")
    return data


def _passphrase_stanza(file_key: bytes, passphrase: str, work: int) -> bytes:
    salt = os.urandom(16)
    body = ChaCha20Poly1305(_scrypt(passphrase, salt, work)).encrypt(_ZERO, file_key, None)
    return b"-> scrypt %s %d\n%s\n" % (_b64(salt), work, _b64(body))


def _scrypt(passphrase: str, salt: bytes, work: int) -> bytes:
    return Scrypt(salt=VERSION + b"/scrypt" + salt, length=32, n=1 << work, r=8, p=1).derive(passphrase.encode())


def _key_stanza(file_key: bytes, recipient: bytes) -> bytes:
    ephemeral = X25519PrivateKey.generate()
    share = ephemeral.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient))
    wrap = _hkdf(shared, share + recipient, VERSION + b"/X25519")
    return b"-> X25519 %s\n%s\n" % (_b64(share), _b64(ChaCha20Poly1305(wrap).encrypt(_ZERO, file_key, None)))


def _nonce(counter: int, *, last: bool) -> bytes:
    return counter.to_bytes(11, "big") + bytes([last])


def encrypt(source: Iterable[bytes], sink: IO[bytes], *, passphrase: str = "", recipient: str = "") -> None:
    """Encrypt `source` to a passphrase or to an `age1…` key. Raises AgeError for a wrong key."""
    if bool(passphrase) == bool(recipient):
        raise AgeError("give a passphrase or a recipient")
    file_key = os.urandom(16)
    stanza = (
        _key_stanza(file_key, read_recipient(recipient))
        if recipient
        else _passphrase_stanza(file_key, passphrase, WORK)
    )
    head = VERSION + b"\n" + stanza + b"---"
    mac = hmac.digest(_hkdf(file_key, b"", b"header"), head, hashlib.sha256)
    nonce = os.urandom(16)
    sink.write(head + b" " + _b64(mac) + b"\n" + nonce)
    cipher = ChaCha20Poly1305(_hkdf(file_key, nonce, b"payload"))
    pieces = list_last(_resized(source))
    for counter, (piece, last) in enumerate(pieces):
        sink.write(cipher.encrypt(_nonce(counter, last=last), piece, None))


def _resized(source: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of 64 KiB; one empty piece for nothing."""
    kept, any_piece = bytearray(), False
    for piece in source:
        kept += piece
        while len(kept) > CHUNK:
            any_piece = True
            yield bytes(kept[:CHUNK])
            del kept[:CHUNK]
    if kept or not any_piece:
        yield bytes(kept)


def list_last(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each piece and whether it is the last."""
    waiting: bytes | None = None
    for piece in pieces:
        if waiting is not None:
            yield waiting, False
        waiting = piece
    if waiting is not None:
        yield waiting, True


def decrypt(source: IO[bytes], *, passphrase: str = "", identity: str = "") -> Iterator[bytes]:
    """The plain bytes, a piece at a time; each was checked before it is given out. Raises AgeError."""
    head, file_key = _open_head(source, passphrase, identity)
    line = source.readline(128)
    said = _decoded(line[1:-1])
    if line[:1] + line[-1:] != b" \n" or not hmac.compare_digest(
        said, hmac.digest(_hkdf(file_key, b"", b"header"), head + b"---", hashlib.sha256)
    ):
        raise AgeError("the head of the sealed file was changed")
    cipher = ChaCha20Poly1305(_hkdf(file_key, source.read(16), b"payload"))
    pieces = iter(lambda: source.read(CHUNK + _TAG), b"")
    counter, ended = 0, False
    for piece, last in list_last(pieces):
        try:
            plain = cipher.decrypt(_nonce(counter, last=last), piece, None)
        except InvalidTag as error:
            raise AgeError(f"the sealed file was changed or cut short near byte {counter * CHUNK}") from error
        counter, ended = counter + 1, last
        yield plain
    if not ended:
        raise AgeError("the sealed file ends early")


def _decoded(text: bytes) -> bytes:
    try:
        return _unb64(text)
    except ValueError as error:
        raise AgeError("the head of the sealed file was changed") from error


def _open_head(source: IO[bytes], passphrase: str, identity: str) -> tuple[bytes, bytes]:
    """The head up to its end mark, and the file key of the first stanza that opens; leaves the MAC to be read."""
    head = source.readline(64)
    if head != VERSION + b"\n":
        raise AgeError("not a file of age, version 1")
    file_key: bytes | None = None
    while True:
        mark = source.read(3)
        if mark == b"---":
            break
        if mark != b"-> ":
            raise AgeError("the head of the sealed file was changed")
        words, body = source.readline(512), _body(source)
        head += mark + words + body
        file_key = file_key or _opened(words.split(), _decoded(body.replace(b"\n", b"")), passphrase, identity)
    if file_key is None:
        raise AgeError("this passphrase or key does not open the sealed file")
    return head, file_key


def _body(source: IO[bytes]) -> bytes:
    """The lines of a stanza's body: all of 64 characters but the last, which is shorter."""
    body = b""
    while len(line := source.readline(128)) == 65:
        body += line
    return body + line


def _opened(words: list[bytes], body: bytes, passphrase: str, identity: str) -> bytes | None:
    try:
        if words[0] == b"scrypt" and passphrase and int(words[2]) <= MOST_WORK:
            key = _scrypt(passphrase, _unb64(words[1]), int(words[2]))
        elif words[0] == b"X25519" and identity:
            key = _agreed(_unb64(words[1]), identity)
        else:
            return None
        return ChaCha20Poly1305(key).decrypt(_ZERO, body, None)
    except (InvalidTag, IndexError, ValueError):
        return None


def _agreed(share: bytes, identity: str) -> bytes:
    prefix, secret = bech32_decode(identity.strip().lower())
    if prefix != "age-secret-key-":
        raise AgeError("not an age identity; it begins with AGE-SECRET-KEY-1")
    key = X25519PrivateKey.from_private_bytes(secret)
    own = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return _hkdf(key.exchange(X25519PublicKey.from_public_bytes(share)), share + own, VERSION + b"/X25519")
