import json
import queue
import time
from collections.abc import Callable, Iterator
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.devices import commands
from shoufu.kernel.devices.commands import CommandDraft
from shoufu.kernel.devices.models import Command, Device
from shoufu.kernel.observations.models import Observation, Rejection
from shoufu.runtime.servers import nats

Item = Callable[..., dict[str, Any]]


class Controller:
    """A device: paho, MQTT 3.1.1, listening to its own topics."""

    def __init__(self, code: str, secret: str, client_id: str = "") -> None:
        self.code = code
        self.connected: queue.Queue[str] = queue.Queue()
        self.messages: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2,
            client_id=client_id or code,
            clean_session=True,
            reconnect_on_failure=False,
        )
        self.client.username_pw_set(code, secret)
        self.client.on_connect = lambda _c, _u, _f, reason, _p: self.connected.put(str(reason))
        self.client.on_message = lambda _c, _u, message: self.messages.put((message.topic, json.loads(message.payload)))
        self.ready: queue.Queue[Any] = queue.Queue()
        self.client.on_subscribe = lambda _c, _u, _mid, codes, _p: self.ready.put(codes)
        self.client.connect("127.0.0.1", nats.ports().mqtt)
        self.client.loop_start()

    def join(self) -> "Controller":
        assert self.connected.get(timeout=10) == "Success"
        self.client.subscribe([(f"cmd/{self.code}", 1), (f"err/{self.code}", 1)])
        self.ready.get(timeout=10)
        return self

    def publish(self, topic: str, body: Any) -> None:
        """Publish with QoS 1 and wait for PUBACK."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.client.publish(topic, content, qos=1).wait_for_publish(10)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def controller(edge: Any) -> Iterator[Callable[..., Controller]]:
    made: list[Controller] = []

    def make(code: str, secret: str = "", client_id: str = "") -> Controller:
        made.append(Controller(code, secret or f"secret-{code}", client_id))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_what_a_device_publishes_is_stored_once(controller: Any, item: Item, eventually: Any) -> None:
    door = controller("door-east").join()
    one = item(id=str(uuid7()))
    door.publish("obs/door-east", one)
    door.publish("obs/door-east", [one, item("closed")])
    eventually(lambda: Observation.objects.count() == 2)
    assert {row.device.code for row in Observation.objects.select_related("device")} == {"door-east"}


def test_errors_come_back_on_the_err_topic_and_good_items_stay(controller: Any, item: Item, eventually: Any) -> None:
    door = controller("door-east").join()
    door.publish("obs/door-east", [item("ajar"), item("open")])
    topic, problem = door.messages.get(timeout=10)
    assert topic == "err/door-east"
    assert problem["errors"][0]["field"] == "/0/result/state"
    eventually(lambda: Observation.objects.count() == 1)
    door.publish("obs/door-east", b"{broken")
    assert door.messages.get(timeout=10)[1]["type"] == "urn:shoufu:malformed"
    eventually(lambda: Rejection.objects.filter(device_code="door-east").count() == 2)


def test_a_wrong_secret_or_a_foreign_name_is_not_let_in(controller: Any) -> None:
    assert "Not authorized" in controller("door-east", "wrong").connected.get(timeout=10)
    assert "Not authorized" in controller("door-east", "secret-door-west").connected.get(timeout=10)
    assert "Not authorized" in controller("door-east", client_id="door-west").connected.get(timeout=10)
    controller("door-east", client_id="door-east/2").join()


def test_a_foreign_topic_is_refused_and_the_device_is_told(controller: Any, item: Item, eventually: Any) -> None:
    door = controller("door-east").join()
    door.publish("obs/door-west", item())
    topic, problem = door.messages.get(timeout=10)
    assert topic == "err/door-east"
    assert "obs/door-west" in problem["detail"]
    assert Observation.objects.count() == 0
    eventually(lambda: Rejection.objects.filter(device_code="door-east", reason="topic").exists())
    door.client.subscribe("cmd/door-west", 1)
    assert door.ready.get(timeout=10)[0].is_failure
    door.client.subscribe("$MQTT/sub/#", 1)
    assert door.ready.get(timeout=10)[0].is_failure


def test_what_was_acknowledged_while_the_database_was_away_is_stored_later(
    edge: Any, controller: Any, item: Item, eventually: Any
) -> None:
    door = controller("door-east").join()
    writers = edge.parts.group._writers
    good = writers[0]._dsn
    for writer in writers:
        writer._dsn, writer._connection = "host=127.0.0.1 port=1 dbname=none", None
    door.publish("obs/door-east", item())
    time.sleep(0.5)
    assert Observation.objects.count() == 0
    for writer in writers:
        writer._dsn = good
    eventually(lambda: Observation.objects.count() == 1, 15)


def test_a_command_reaches_its_device_and_the_answer_comes_back(controller: Any, eventually: Any) -> None:
    door = controller("door-east").join()
    order = commands.queue(SYSTEM, CommandDraft(Device.objects.get(code="door-east").pk, "open", {"seconds": 5}))
    topic, told = door.messages.get(timeout=10)
    assert (topic, told["id"], told["name"], told["parameters"]) == (
        "cmd/door-east",
        str(order.pk),
        "open",
        {"seconds": 5},
    )
    door.publish("ack/door-east", {"id": told["id"], "ok": True, "answer": {"took": 1}})
    eventually(lambda: Command.objects.get(pk=order.pk).state == Command.State.DONE)
    west = controller("door-west").join()
    west.publish("ack/door-west", {"id": told["id"], "ok": False})
    assert west.messages.get(timeout=10)[1]["status"] == 404
    west.publish("ack/door-west", b"nonsense")
    assert west.messages.get(timeout=10)[1]["status"] == 422


def test_a_session_ends_so_that_a_revoked_secret_does_not_live_on(controller: Any, monkeypatch: Any) -> None:
    from shoufu.gateways.mqtt import auth

    monkeypatch.setattr(auth, "SESSION_SECONDS", 2)
    door = controller("door-east")
    ended: queue.Queue[str] = queue.Queue()
    door.client.on_disconnect = lambda _c, _u, _f, reason, _p: ended.put(str(reason))
    door.join()
    assert ended.get(timeout=15)
