import hashlib
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

FORMAT = "shoufu-evidence/1"
MANIFEST = "manifest.json"
TIMESTAMP = "manifest.tst"
SIGNATURE = "signature.json"


class File(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A file of the bundle: `path`, `sha256` (hexadecimal) and `size` (bytes) fix it; the rest says what it is.

    `role`: "given" (for looking at), "original" (as the camera sent it), "sealed" (encrypted originals), "data",
    "page". `begins` and `ends` are RFC 3339 by the system's clock; `clock_offset` is seconds that the camera's clock
    was ahead of it (None: not measured). `original_sha256` fixes the bytes that a given copy was made of.
    `treatment` says what was done to the copy.
    """

    path: str
    sha256: str
    size: int
    role: str
    content_type: str = ""
    media: str = ""
    kind: str = ""
    device: str = ""
    device_name: str = ""
    place: str = ""
    begins: str = ""
    ends: str = ""
    clock_offset: float | None = None
    original_sha256: str = ""
    original_size: int = 0
    treatment: str = ""


class Gap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A span that should have been recorded and is not in the bundle, and why."""

    device: str
    begins: str
    ends: str
    reason: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the bundle holds, in the order of the ZIP, and where it comes from. Times are RFC 3339.

    `mark` stands in the picture of every given copy and tells whose copy it is. `key` is the fingerprint of the key
    that signs. `time_source` says how far the time stamp can be trusted.
    """

    format: str
    export: str
    software: str
    made_at: str
    expires_at: str
    case: dict[str, Any]
    exporter: str
    recipient: str
    reason: str
    mark: str
    key: str
    time_source: str
    files: list[File]
    gaps: list[Gap]
    notes: list[str] = []


class Signature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ed25519 over `payload()`; hashes, key and signature are hexadecimal."""

    algorithm: str
    key: str
    public_key: str
    manifest_sha256: str
    timestamp_sha256: str
    signature: str

    def payload(self) -> bytes:
        """The signed bytes: format, manifest's and time stamp's hash, key; one a line."""
        return f"{FORMAT}\n{self.manifest_sha256}\n{self.timestamp_sha256}\n{self.key}\n".encode()


def canonical(value: Any) -> bytes:
    """JSON with sorted keys, no spaces, UTF-8 and a newline: one value has one spelling."""
    return msgspec.json.encode(value, order="sorted") + b"\n"


def fingerprint(key: Ed25519PublicKey) -> str:
    """SHA-256 of the raw public key (32 bytes), hexadecimal."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()
