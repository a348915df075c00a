"""WeChat Pay API v3: SHA256-RSA2048 signatures and AES-256-GCM resources.

Source: WeChat Pay merchant documentation, "签名生成", "签名验证" and "回调报文解密" (pay.weixin.qq.com/doc/v3).
"""

import base64
import binascii

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shoufu.engines.paysign import keys

SCHEME = "WECHATPAY2-SHA256-RSA2048"
ALGORITHM = "AEAD_AES_256_GCM"
KEY_BYTES = 32


class CannotOpen(ValueError):
    """The encrypted resource does not open: another key, or it was changed."""


def request_message(method: str, target: str, timestamp: str, nonce: str, body: str) -> bytes:
    """What a merchant signs: `target` is the path with its query, `body` empty for GET."""
    return f"{method}\n{target}\n{timestamp}\n{nonce}\n{body}\n".encode()


def answer_message(timestamp: str, nonce: str, body: bytes) -> bytes:
    """What the platform signs in its answers and callbacks, over the body's bytes as they came."""
    return f"{timestamp}\n{nonce}\n".encode() + body + b"\n"


def authorization(
    key: RSAPrivateKey, *, mchid: str, serial: str, method: str, target: str, timestamp: str, nonce: str, body: str = ""
) -> str:
    """The value of the `Authorization` header; `timestamp` is Unix seconds, `serial` that of the merchant's key."""
    signature = keys.sign(key, request_message(method, target, timestamp, nonce, body))
    parts = {
        "mchid": mchid,
        "nonce_str": nonce,
        "signature": signature,
        "timestamp": timestamp,
        "serial_no": serial,
    }
    return f"{SCHEME} " + ",".join(f'{name}="{value}"' for name, value in parts.items())


def read_authorization(header: str) -> dict[str, str]:
    """The parts of an `Authorization` header; empty where it is not of this scheme."""
    scheme, _space, rest = header.partition(" ")
    if scheme != SCHEME:
        return {}
    pairs = (part.partition("=") for part in rest.split(","))
    return {name.strip(): value.strip().strip('"') for name, _equals, value in pairs}


def sign_answer(key: RSAPrivateKey, timestamp: str, nonce: str, body: bytes) -> str:
    """The value of `Wechatpay-Signature`."""
    return keys.sign(key, answer_message(timestamp, nonce, body))


def verify_answer(key: RSAPublicKey, timestamp: str, nonce: str, body: bytes, signature: str) -> bool:
    """Whether an answer or callback is the platform's. How old it may be is the caller's to check."""
    return keys.verify(key, answer_message(timestamp, nonce, body), signature)


def verify_request(
    key: RSAPublicKey, method: str, target: str, timestamp: str, nonce: str, body: str, signature: str
) -> bool:
    """Whether a request is the merchant's."""
    return keys.verify(key, request_message(method, target, timestamp, nonce, body), signature)


def seal_resource(api_key: bytes, nonce: str, associated: str, plain: bytes) -> str:
    """The `ciphertext` of a callback's resource: base64 of ciphertext and tag. `api_key` is 32 bytes."""
    return base64.b64encode(AESGCM(api_key).encrypt(nonce.encode(), plain, associated.encode())).decode()


def open_resource(api_key: bytes, nonce: str, associated: str, ciphertext: str) -> bytes:
    """What `seal_resource` took. CannotOpen where key, nonce, associated data or bytes are not the same."""
    try:
        sealed = base64.b64decode(ciphertext, validate=True)
        return AESGCM(api_key).decrypt(nonce.encode(), sealed, associated.encode())
    except (InvalidTag, binascii.Error, ValueError) as error:
        raise CannotOpen("the resource does not open with this API v3 key") from error
