"""RFC 3161 time stamp tokens (CMS SignedData over TSTInfo) by ECDSA P-256 and SHA-256."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

POLICY = "1.3.6.1.4.1.13762.3"
YEARS = 20


class BadTimestamp(ValueError):
    """The token is not whole, not genuine, or about other bytes; the text says which."""


@dataclass(frozen=True)
class Stamp:
    """What a token proves: that its authority saw the bytes at `at`. `authority` is its certificate's SHA-256."""

    at: datetime
    serial: int
    authority: str
    name: str


def make_certificate(key: ec.EllipticCurvePrivateKey, name: str, now: datetime) -> x509.Certificate:
    """A self-signed certificate that may only stamp times (RFC 3161, 2.3: the one, critical key purpose)."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .add_extension(_usage(), critical=True)
    )
    return builder.sign(key, hashes.SHA256())


def _usage() -> x509.KeyUsage:
    names = (
        "content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign "
        "encipher_only decipher_only"
    )
    return x509.KeyUsage(digital_signature=True, **dict.fromkeys(names.split(), False))


def stamp(
    data: bytes, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate, *, at: datetime, serial: int
) -> bytes:
    """A token (DER) that says that `data` existed at `at` (whole seconds)."""
    info = tsp.TSTInfo(
        {
            "version": "v1",
            "policy": POLICY,
            "message_imprint": {
                "hash_algorithm": {"algorithm": "sha256"},
                "hashed_message": hashlib.sha256(data).digest(),
            },
            "serial_number": serial,
            "gen_time": at.astimezone(UTC).replace(microsecond=0),
        }
    ).dump()
    der = certificate.public_bytes(Encoding.DER)
    attributes = _attributes(info, der)
    signed = key.sign(attributes.dump(), ec.ECDSA(hashes.SHA256()))
    return _token(info, der, attributes, signed)


def _attributes(info: bytes, certificate: bytes) -> cms.CMSAttributes:
    binding = tsp.SigningCertificateV2(
        {
            "certs": [
                {
                    "hash_algorithm": {"algorithm": "sha256"},
                    "cert_hash": hashlib.sha256(certificate).digest(),
                }
            ]
        }
    )
    return cms.CMSAttributes(
        [
            {"type": "content_type", "values": ["tst_info"]},
            {"type": "message_digest", "values": [hashlib.sha256(info).digest()]},
            {"type": "signing_certificate_v2", "values": [binding]},
        ]
    )


def _token(info: bytes, certificate: bytes, attributes: cms.CMSAttributes, signed: bytes) -> bytes:
    parsed = asn1_x509.Certificate.load(certificate)
    signer = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                name="issuer_and_serial_number",
                value={"issuer": parsed.issuer, "serial_number": parsed.serial_number},
            ),
            "digest_algorithm": {"algorithm": "sha256"},
            "signed_attrs": attributes,
            "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
            "signature": signed,
        }
    )
    content = cms.EncapsulatedContentInfo({"content_type": "tst_info", "content": core.ParsableOctetString(info)})
    data = cms.SignedData(
        {
            "version": "v3",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": content,
            "certificates": [parsed],
            "signer_infos": [signer],
        }
    )
    token: bytes = cms.ContentInfo({"content_type": "signed_data", "content": data}).dump()
    return token


def check(token: bytes, data: bytes) -> Stamp:
    """What the token proves about `data`. Raises BadTimestamp.

    The certificate within must be its own issuer (a local authority); compare its fingerprint with one you trust.
    """
    try:
        return _check(token, data)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise BadTimestamp(f"the time stamp is damaged: {error}") from error


def _check(token: bytes, data: bytes) -> Stamp:
    outer = cms.ContentInfo.load(token, strict=True)
    signed = outer["content"]
    info_der = signed["encap_content_info"]["content"].contents
    info = tsp.TSTInfo.load(info_der, strict=True)
    if info["message_imprint"]["hash_algorithm"]["algorithm"].native != "sha256":
        raise BadTimestamp("the time stamp does not use SHA-256")
    if info["message_imprint"]["hashed_message"].native != hashlib.sha256(data).digest():
        raise BadTimestamp("the time stamp is about another manifest")
    signer = signed["signer_infos"][0]
    attributes = {item["type"].native: item["values"][0] for item in signer["signed_attrs"]}
    if attributes["message_digest"].native != hashlib.sha256(info_der).digest():
        raise BadTimestamp("the time in the time stamp was changed")
    der = signed["certificates"][0].chosen.dump()
    if attributes["signing_certificate_v2"]["certs"][0]["cert_hash"].native != hashlib.sha256(der).digest():
        raise BadTimestamp("the time stamp names another certificate")
    certificate = x509.load_der_x509_certificate(der)
    _check_signatures(certificate, signer)
    at: datetime = info["gen_time"].native
    name = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    return Stamp(at, info["serial_number"].native, hashlib.sha256(der).hexdigest(), str(name))


def _check_signatures(certificate: x509.Certificate, signer: cms.SignerInfo) -> None:
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise BadTimestamp("the time stamp's certificate holds no elliptic curve key")
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    if list(purposes) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise BadTimestamp("the certificate in the time stamp is not one for stamping times")
    # The signature is over the attributes as a SET OF (RFC 5652, 5.4), not with the implicit tag they are sent with.
    attributes = signer["signed_attrs"].untag().dump(force=True)
    try:
        key.verify(signer["signature"].native, attributes, ec.ECDSA(hashes.SHA256()))
        certificate.verify_directly_issued_by(certificate)
    except InvalidSignature as error:
        raise BadTimestamp("the time stamp's signature is not genuine") from error
