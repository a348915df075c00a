import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .manifest import Signature, canonical, fingerprint


def sign(key: Ed25519PrivateKey, manifest: bytes, timestamp: bytes) -> bytes:
    """The bundle's `signature.json`: Ed25519 (RFC 8032) over the hashes of manifest and time stamp."""
    public = key.public_key()
    draft = Signature(
        algorithm="Ed25519",
        key=fingerprint(public),
        public_key=public.public_bytes(Encoding.Raw, PublicFormat.Raw).hex(),
        manifest_sha256=hashlib.sha256(manifest).hexdigest(),
        timestamp_sha256=hashlib.sha256(timestamp).hexdigest(),
        signature="",
    )
    signed = key.sign(draft.payload()).hex()
    return canonical({name: getattr(draft, name) for name in draft.__struct_fields__} | {"signature": signed})
