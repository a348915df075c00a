"""The keys of this installation that sign evidence and stamp times; in the keys folder, mode 0600."""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from django.conf import settings
from django.utils import timezone

from shoufu.engines.evidence import fingerprint
from shoufu.engines.evidence.timestamp import make_certificate
from shoufu.kernel.audit.signing import write_once

AUTHORITY = "Shoufu local time stamping"


def _folder() -> Path:
    return Path(settings.KEYS_ROOT)


def _pem(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def signing_key() -> Ed25519PrivateKey:
    """The key that signs bundles, made at the first call. Apart from the audit's: its fingerprint is given away."""
    path = _folder() / "evidence.pem"
    if not path.exists():
        write_once(path, _pem(Ed25519PrivateKey.generate()))
    key = load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{path} holds no Ed25519 key; restore it from the backup of the keys folder")
    return key


def own_fingerprint() -> str:
    """What recipients compare a bundle's key with: told by another way than the bundle."""
    return fingerprint(signing_key().public_key())


def clock() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """The local time stamping key and its certificate, made at the first call."""
    path, certificate_path = _folder() / "clock.pem", _folder() / "clock.crt"
    if not path.exists():
        write_once(path, _pem(ec.generate_private_key(ec.SECP256R1())))
    key = load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{path} holds no elliptic curve key; restore it from the backup of the keys folder")
    if not certificate_path.exists():
        write_once(certificate_path, make_certificate(key, AUTHORITY, timezone.now()).public_bytes(Encoding.PEM))
    return key, x509.load_pem_x509_certificate(certificate_path.read_bytes())
