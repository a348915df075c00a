"""Alipay open platform: RSA2 signatures over sorted parameters.

Source: Alipay open platform documentation, "自行实现签名", "自行实现验签" and "异步通知说明" (opendocs.alipay.com).
"""

from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from shoufu.engines.paysign import keys


def _joined(parameters: Mapping[str, str], without: frozenset[str]) -> bytes:
    wanted = sorted((name, value) for name, value in parameters.items() if name not in without and value != "")
    return "&".join(f"{name}={value}" for name, value in wanted).encode()


def sign_request(key: RSAPrivateKey, parameters: Mapping[str, str]) -> str:
    """The parameter `sign` of a request: over all others with a value, by name, not URL-encoded."""
    return keys.sign(key, _joined(parameters, frozenset({"sign"})))


def verify_request(key: RSAPublicKey, parameters: Mapping[str, str]) -> bool:
    """Whether a request is the merchant's."""
    return keys.verify(key, _joined(parameters, frozenset({"sign"})), parameters.get("sign", ""))


def sign_notification(key: RSAPrivateKey, parameters: Mapping[str, str]) -> str:
    """The parameter `sign` of an asynchronous notification: `sign_type` is left out too."""
    return keys.sign(key, _joined(parameters, frozenset({"sign", "sign_type"})))


def verify_notification(key: RSAPublicKey, parameters: Mapping[str, str]) -> bool:
    """Whether a notification (its form fields, decoded) is Alipay's."""
    if parameters.get("sign_type") != "RSA2":
        return False
    return keys.verify(key, _joined(parameters, frozenset({"sign", "sign_type"})), parameters.get("sign", ""))


def answer_node(body: str, method: str) -> str:
    """The text of an answer's own node, as it was signed: the JSON object after `"<method>_response":`, or after
    `"error_response":`. Empty where there is none."""
    for name in (f"{method.replace('.', '_')}_response", "error_response"):
        at = body.find(f'"{name}"')
        if at < 0:
            continue
        start = body.find("{", at)
        return _object(body, start) if start >= 0 else ""
    return ""


def _object(text: str, start: int) -> str:
    """The JSON object that begins at `start`, by counting braces outside strings."""
    depth, quoted, escaped = 0, False, False
    for at in range(start, len(text)):
        sign = text[at]
        if quoted:
            escaped, quoted = sign == "\\" and not escaped, quoted and (sign != '"' or escaped)
            continue
        if sign == '"':
            quoted = True
        elif sign in "{}":
            depth += 1 if sign == "{" else -1
            if depth == 0:
                return text[start : at + 1]
    return ""


def sign_answer(key: RSAPrivateKey, node: str) -> str:
    """The field `sign` of an answer, over the text of its node."""
    return keys.sign(key, node.encode())


def verify_answer(key: RSAPublicKey, node: str, signature: str) -> bool:
    """Whether an answer's node is Alipay's."""
    return bool(node) and keys.verify(key, node.encode(), signature)
