import base64
import json
from typing import Any

import nkeys
import pytest

from shoufu.gateways.mqtt import violations
from shoufu.gateways.mqtt.auth import AuthError, Issuer, Request, read_request, refusal
from shoufu.runtime.servers import nats


def _request(**more: Any) -> Request:
    values = {
        "user_key": "U1",
        "server_id": "N1",
        "user": "door-1",
        "password": "x",
        "client_id": "door-1",
        "is_mqtt": True,
    }
    return Request(**(values | more))


@pytest.mark.parametrize(
    "more",
    [
        {"is_mqtt": False},
        {"user": "batch", "client_id": "batch"},
        {"user": "a.b", "client_id": "a.b"},
        {"user": "a/b", "client_id": "a/b"},
        {"user": ">", "client_id": ">"},
        {"user": "$SYS", "client_id": "$SYS"},
        {"user": "", "client_id": ""},
        {"client_id": "door-2"},
        {"client_id": "door-10"},
    ],
)
def test_names_that_are_not_a_device_are_refused(more: dict[str, Any]) -> None:
    assert refusal(_request(**more))


def test_a_device_and_its_second_session_are_fine() -> None:
    assert refusal(_request()) == ""
    assert refusal(_request(client_id="door-1/backup")) == ""
    assert refusal(_request(user="门-1", client_id="门-1")) == ""


def _claims(part: str) -> dict[str, Any]:
    text = part.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))))


def test_an_answer_gives_the_devices_own_topics_and_is_signed() -> None:
    seed = nats._make_seed()
    answer = Issuer(seed, "APP").allow(_request(), "door-1").decode()
    outer = _claims(answer)
    user = _claims(outer["nats"]["jwt"])
    assert (outer["aud"], outer["sub"], user["aud"]) == ("N1", "U1", "APP")
    assert user["nats"]["pub"]["allow"] == ["obs.door-1", "ack.door-1"]
    assert user["exp"] > user["iat"]
    head, _, signature = answer.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    assert nkeys.from_seed(seed.encode()).verify(head.encode(), raw)


def test_a_broken_request_is_an_error() -> None:
    for text in (b"", b"a.b.c", b"x.e30.y"):
        with pytest.raises(AuthError):
            read_request(text)


def test_a_violation_is_read_from_the_brokers_log() -> None:
    line = (
        b'[7] 2026/11/23 21:44:30 [ERR] 127.0.0.1:5 - mid:29 - "door-1/b" - Publish Violation - Subject "obs.door-2"\n'
    )
    found = violations.read(line)
    assert found is not None
    assert (found.device, found.action, found.topic) == ("door-1", "publish", "obs/door-2")
    assert violations.read(b"[7] [INF] Server is ready\n") is None
