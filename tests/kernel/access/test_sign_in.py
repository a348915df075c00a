"""Passwords and passkeys at the level of URLs; the passkey is a software authenticator that signs as a phone would."""

import hashlib
import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from django.test import Client
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_decode

from shoufu.kernel.audit.models import AuditEntry

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


class Passkey:
    """A discoverable credential of one site (WebAuthn level 2, ES256, attestation "none")."""

    def __init__(self, site: str) -> None:
        self.site, self.key, self.id = site, ec.generate_private_key(ec.SECP256R1()), b"passkey-credential-1"
        self.user = b""

    def _data(self, flags: int) -> bytes:
        return hashlib.sha256(self.site.encode()).digest() + bytes([flags]) + (1).to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": f"http://{self.site}"}).encode()

    def register(self, options: dict[str, Any]) -> dict[str, Any]:
        self.user = websafe_decode(options["user"]["id"])
        cose = cbor.encode(dict(ES256.from_cryptography_key(self.key.public_key())))
        data = self._data(PRESENT | VERIFIED | ATTESTED) + bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cose
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options["challenge"])
        response = {"clientDataJSON": text(client), "attestationObject": text(attestation)}
        return self._credential(response) | {"clientExtensionResults": {"credProps": {"rk": True}}}

    def sign(self, options: dict[str, Any]) -> dict[str, Any]:
        data, client = self._data(PRESENT | VERIFIED), self._client("webauthn.get", options["challenge"])
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._credential(
            {
                "clientDataJSON": text(client),
                "authenticatorData": text(data),
                "signature": text(signature),
                "userHandle": text(self.user),
            }
        )

    def _credential(self, response: dict[str, str]) -> dict[str, Any]:
        return {
            "id": text(self.id),
            "rawId": text(self.id),
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
        }


def plain(options: Any) -> dict[str, Any]:
    """Creation or request options as the browser gets them."""
    found: dict[str, Any] = json.loads(json.dumps(dict(options), default=dict))
    return found.get("publicKey", found)


def actions() -> list[str]:
    rows = AuditEntry.objects.filter(action__startswith="access.").order_by("id")
    return list(rows.values_list("action", flat=True))


@pytest.fixture
def alice(world: Any) -> Any:
    world.alice.set_password(PASSWORD)
    world.alice.save()
    return world.alice


def sign_in(client: Client, username: str, password: str) -> Any:
    return client.post("/accounts/login/", {"login": username, "password": password})


def test_a_password_signs_in_and_leaves_a_trace(alice: Any, client: Client) -> None:
    assert client.get("/api/access/me").status_code == 401
    assert sign_in(client, "alice", PASSWORD).status_code == 302
    assert client.get("/api/access/me").json()["label"] == "Alice"
    client.post("/accounts/logout/")
    assert client.get("/api/access/me").status_code == 401
    assert actions() == ["access.sign_in", "access.sign_out"]


def test_a_wrong_password_is_kept_without_what_was_typed(alice: Any, client: Client) -> None:
    assert sign_in(client, "alice", "wrong-secret").status_code == 200
    assert sign_in(client, "hunter2-typed-as-name", "x").status_code == 200
    assert actions() == ["access.sign_in_failed"]
    assert "wrong-secret" not in str(list(AuditEntry.objects.values()))


def test_nobody_signs_up_by_themselves(client: Client, db: None) -> None:
    from shoufu.kernel.access.models import User

    client.post("/accounts/signup/", {"username": "eve", "password1": PASSWORD, "password2": PASSWORD})
    assert not User.objects.filter(username="eve").exists()


def test_many_wrong_passwords_lock_the_door_for_a_while(alice: Any, client: Client) -> None:
    from django.core.cache import cache

    cache.clear()
    for _ in range(12):
        sign_in(client, "alice", "wrong")
    sign_in(client, "alice", PASSWORD)
    assert client.get("/api/access/me").status_code == 401
    cache.clear()


def test_a_passkey_is_added_and_signs_in_alone(alice: Any, client: Client) -> None:
    sign_in(client, "alice", PASSWORD)
    assert client.get("/accounts/2fa/webauthn/add/").status_code == 302  # a stolen session alone adds no key
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = client.get("/accounts/2fa/webauthn/add/")
    assert page.status_code == 200
    passkey = Passkey("testserver")
    credential = passkey.register(plain(page.context["js_data"]["creation_options"]))
    added = client.post(
        "/accounts/2fa/webauthn/add/",
        {"name": "手机", "passwordless": "on", "credential": json.dumps(credential)},
    )
    assert added.status_code == 302, added.context["form"].errors
    assert "access.credential" in actions()

    other = Client()
    options = other.get("/accounts/2fa/webauthn/login/", headers={"Accept": "application/json"}).json()
    signed = passkey.sign(plain(options["request_options"]))
    assert other.post("/accounts/2fa/webauthn/login/", {"credential": json.dumps(signed)}).status_code == 302
    assert other.get("/api/access/me").json()["label"] == "Alice"

    thief = Client()
    options = thief.get("/accounts/2fa/webauthn/login/", headers={"Accept": "application/json"}).json()
    passkey.key = ec.generate_private_key(ec.SECP256R1())
    forged = passkey.sign(plain(options["request_options"]))
    thief.post("/accounts/2fa/webauthn/login/", {"credential": json.dumps(forged)})
    assert thief.get("/api/access/me").status_code == 401
