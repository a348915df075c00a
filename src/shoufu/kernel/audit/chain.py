"""The form of the chain: which bytes are hashed and signed. Fixed for ever: old chains must verify."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

GENESIS = bytes(32)

# The canonical bytes of an entry are its line in PostgreSQL's COPY text format over these columns: unambiguous (tabs
# and line ends inside are escaped), independent of session settings, and hashed as it arrives, so verifying is fast.
CANONICAL = """
    e.id, e.xid, (extract(epoch from e.at) * 1000000)::bigint, e.actor_kind, e.actor_id, e.actor_label, e.action,
    e.object_type, e.object_id, e.place, e.reason, e.data::text, e.subject, encode(e.personal, 'hex')
"""


def link_hash(previous: bytes, sequence: int, line: bytes) -> bytes:
    """SHA-256 over the previous hash (32 bytes), the sequence (8 bytes, big-endian) and the entry's canonical bytes."""
    return hashlib.sha256(previous + sequence.to_bytes(8, "big") + line).digest()


@dataclass(frozen=True)
class Root:
    """A signed statement "the chain up to `sequence` has this hash"; all bytes as hexadecimal text."""

    sequence: int
    hash: str
    previous: str
    made_at: str
    key_id: str
    signature: str = ""

    def message(self) -> bytes:
        """The bytes that are signed: canonical JSON of everything but the signature."""
        body = {name: value for name, value in asdict(self).items() if name != "signature"}
        return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()

    def digest(self) -> bytes:
        """SHA-256 of the root with its signature: what the next root names as `previous`."""
        return hashlib.sha256(self.message() + bytes.fromhex(self.signature)).digest()

    def line(self) -> str:
        """The root as one line of the exported file."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":")) + "\n"

    def genuine(self, key: Ed25519PublicKey) -> bool:
        """Whether the signature is by this key."""
        try:
            key.verify(bytes.fromhex(self.signature), self.message())
        except (InvalidSignature, ValueError):
            return False
        return True


def key_id(key: Ed25519PublicKey) -> str:
    """Sixteen hexadecimal digits that name a public key."""
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:16]


def sign(key: Ed25519PrivateKey, sequence: int, digest: bytes, previous: bytes, made_at: datetime) -> Root:
    """A root signed with the key."""
    bare = Root(sequence, digest.hex(), previous.hex(), made_at.isoformat(), key_id(key.public_key()))
    return Root(**(asdict(bare) | {"signature": key.sign(bare.message()).hex()}))


def parse(line: str) -> Root:
    """A root from a line of the exported file; ValueError when it is none."""
    try:
        root = Root(**json.loads(line))
        int(root.sequence), bytes.fromhex(root.hash), bytes.fromhex(root.previous), bytes.fromhex(root.signature)
    except (TypeError, ValueError) as error:
        raise ValueError(f"not a root: {line[:80]!r}") from error
    return root
