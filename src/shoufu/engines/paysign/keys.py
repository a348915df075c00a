import base64
import binascii

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate

LEAST_BITS = 2048


class BadKey(ValueError):
    """The key's text is no RSA key of at least 2048 bits; the message says what was found instead."""


def _armoured(text: str, kind: str) -> bytes:
    """PEM bytes; Alipay's tools give out the base64 alone."""
    if "-----BEGIN" in text:
        return text.encode()
    body = "".join(text.split())
    lines = "\n".join(body[n : n + 64] for n in range(0, len(body), 64))
    return f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----\n".encode()


def private_key(text: str) -> RSAPrivateKey:
    """The RSA private key in a PEM text (PKCS #1 or #8), or in the bare base64 of PKCS #8. BadKey otherwise."""
    try:
        found = serialization.load_pem_private_key(_armoured(text, "PRIVATE KEY"), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadKey("not a private key in PEM without a password") from error
    if not isinstance(found, RSAPrivateKey) or found.key_size < LEAST_BITS:
        raise BadKey(f"not an RSA private key of at least {LEAST_BITS} bits")
    return found


def public_key(text: str) -> RSAPublicKey:
    """The RSA public key in a PEM text, in the bare base64 of one, or in a PEM certificate. BadKey otherwise."""
    try:
        if "CERTIFICATE-----" in text:
            found = load_pem_x509_certificate(text.encode()).public_key()
        else:
            found = serialization.load_pem_public_key(_armoured(text, "PUBLIC KEY"))  # type: ignore[assignment]
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadKey("not a public key or certificate in PEM") from error
    if not isinstance(found, RSAPublicKey) or found.key_size < LEAST_BITS:
        raise BadKey(f"not an RSA public key of at least {LEAST_BITS} bits")
    return found


def new_private_pem(bits: int = LEAST_BITS) -> str:
    """A new RSA private key as PEM (PKCS #8, no password)."""
    form = serialization.PrivateFormat.PKCS8
    made = generate_private_key(public_exponent=65537, key_size=bits)
    return made.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def public_pem(key: RSAPrivateKey) -> str:
    """The public half of a private key as PEM."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def sign(key: RSAPrivateKey, message: bytes) -> str:
    """RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017), in base64."""
    return base64.b64encode(key.sign(message, PKCS1v15(), SHA256())).decode()


def verify(key: RSAPublicKey, message: bytes, signature: str) -> bool:
    """Whether the base64 signature is the key's over these bytes."""
    try:
        key.verify(base64.b64decode(signature, validate=True), message, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
