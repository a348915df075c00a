import base64
import json
import re
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import nkeys

SUBJECT = "$SYS.REQ.USER.AUTH"
SESSION_SECONDS = 900
"""A device signs in anew after this time, so that an old session never outlives a revoked secret by more."""
RESERVED = frozenset({"batch"})
"""Codes whose subjects belong to the product itself."""
_plain_code = re.compile(r"[^\s./#+*>$\x00-\x1f][^\s./#+*>\x00-\x1f]{0,63}").fullmatch


@dataclass(frozen=True)
class Request:
    """A client that wants to connect. `user` and `password` as it sent them; `client_id` is its MQTT client id."""

    user_key: str
    server_id: str
    user: str
    password: str
    client_id: str
    is_mqtt: bool


class AuthError(ValueError):
    """The server's request cannot be read."""


def read_request(token: bytes) -> Request:
    """Decode the broker's question. It comes over the product's own account, which devices cannot publish to."""
    try:
        payload = token.split(b".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
        asked = claims["nats"]
        options, client = asked["connect_opts"], asked["client_info"]
        return Request(
            asked["user_nkey"], asked["server_id"]["id"], options.get("user", ""),
            options.get("pass", ""), client.get("mqtt_id", ""), client.get("type") == "mqtt",
        )  # fmt: skip
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise AuthError(f"auth call-out request: {error}") from error


def refusal(request: Request) -> str:
    """Why the names in a request are not fit for a device, or "" when they are.

    The client id must be the device's code (or begin with it and a slash): nobody takes over another's session, and
    the broker's log tells whose publish it refused.
    """
    if not request.is_mqtt:
        return "devices connect over MQTT"
    if not _plain_code(request.user) or request.user in RESERVED:
        return "the user name must be the device's code"
    if request.client_id != request.user and not request.client_id.startswith(f"{request.user}/"):
        return "the client id must be the device's code, or begin with it and a slash"
    return ""


class Issuer:
    """Signs answers that the broker trusts. `seed` is the account seed (SA…), `account` the devices' account."""

    def __init__(self, seed: str, account: str) -> None:
        self._keys = nkeys.from_seed(seed.encode())
        self._public = self._keys.public_key.decode()
        self._account = account

    def allow(self, request: Request, code: str) -> bytes:
        """Let it in, with the rights of one device: its own topics and nothing else."""
        user = self._claims(request.user_key, self._account) | {
            "name": code,
            "exp": int(time.time()) + SESSION_SECONDS,
            "nats": {
                "type": "user",
                "version": 2,
                "subs": -1,
                "data": -1,
                "payload": -1,
                "pub": {"allow": [f"obs.{code}", f"ack.{code}"]},
                "sub": {"allow": [f"cmd.{code}", f"err.{code}", "$MQTT.sub.>", "$MQTT.deliver.>"]},
            },
        }
        return self._answer(request, {"jwt": self._sign(user).decode()})

    def refuse(self, request: Request, reason: str) -> bytes:
        """Keep it out; the broker answers the device with "not authorised" and logs the reason."""
        return self._answer(request, {"error": reason})

    def _answer(self, request: Request, content: dict[str, Any]) -> bytes:
        body = {"type": "authorization_response", "version": 2} | content
        return self._sign(self._claims(request.user_key, request.server_id) | {"nats": body})

    def _claims(self, subject: str, audience: str) -> dict[str, Any]:
        return {"jti": uuid4().hex, "iat": int(time.time()), "iss": self._public, "sub": subject, "aud": audience}

    def _sign(self, claims: dict[str, Any]) -> bytes:
        head = _base64(b'{"typ":"JWT","alg":"ed25519-nkey"}') + b"." + _base64(json.dumps(claims).encode())
        return head + b"." + _base64(self._keys.sign(head))


def _base64(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")
