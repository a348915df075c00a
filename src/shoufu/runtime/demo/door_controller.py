"""A simulated door controller: an MQTT 3.1.1 device that knows nothing of the product but its own code and secret."""

from __future__ import annotations

import collections
import functools
import json
import random
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from shoufu.kernel.base.ids import uuid7
from shoufu.runtime.demo.door import Door, Event, Reading
from shoufu.runtime.demo.holding import Holding
from shoufu.runtime.demo.outbox import Outbox

log = structlog.get_logger("door")

TICK = 0.25
IN_FLIGHT = 50
OPENING = frozenset({"unlock", "open"})


@dataclass(frozen=True, slots=True)
class Login:
    """How a device signs in to the broker."""

    code: str
    secret: str
    host: str
    port: int


class DoorController:
    """One device: publishes on ``obs/<code>`` with QoS 1 out of a durable queue, obeys orders from ``cmd/<code>``."""

    def __init__(self, login: Login, door: Door, outbox: Outbox) -> None:
        self.login = login
        self.door = door
        self._outbox = outbox
        # Filled by paho's thread, emptied by ours: calling paho from its own callbacks under a lock can deadlock.
        self._taken: collections.deque[int] = collections.deque()
        self._orders: collections.deque[mqtt.MQTTMessage] = collections.deque()
        self._numbers: dict[int, int] = {}
        self._last = 0
        self._greeted = False
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=login.code, clean_session=False)
        self._client.username_pw_set(login.code, login.secret)
        self._client.reconnect_delay_set(min_delay=1, max_delay=15)
        self._client.max_inflight_messages_set(IN_FLIGHT)
        self._client.on_connect = self._connected
        self._client.on_publish = self._published
        self._client.on_message = self._received

    def start(self) -> None:
        """Connect in the background; tried again for ever."""
        self._client.connect_async(self.login.host, self.login.port, keepalive=30)
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect; what was not taken stays in the queue."""
        self._client.disconnect()
        self._client.loop_stop()
        self._outbox.close()

    def tick(self, now: float) -> None:
        """Let the door live up to ``now`` (epoch seconds) and send what is queued."""
        if not self._greeted:
            self._greeted = True
            self._say([self.door.hello()])
        while self._taken:
            self._outbox.done(self._numbers.pop(self._taken.popleft(), 0))
        while self._orders:
            self._obey(json.loads(self._orders.popleft().payload), now)
        self._say(self.door.step(now))
        self._send()

    def _say(self, readings: Iterable[Reading]) -> None:
        for reading in readings:
            body = {
                "id": str(uuid7()),
                "kind": reading.kind,
                "phenomenonTime": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "result": reading.result,
            }
            self._outbox.put(f"obs/{self.login.code}", json.dumps(body).encode())

    def _send(self) -> None:
        if not self._client.is_connected():
            return
        for number, topic, payload in self._outbox.after(self._last, IN_FLIGHT - len(self._numbers)):
            info = self._client.publish(topic, payload, qos=1)
            if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return
            self._numbers[info.mid] = number
            self._last = number

    def _connected(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            log.warning("refused by the broker", device=self.login.code, reason=str(reason))
            return
        client.subscribe([(f"cmd/{self.login.code}", 1), (f"err/{self.login.code}", 1)])

    def _published(self, _client: mqtt.Client, _data: Any, mid: int, _reason: Any, _properties: Any) -> None:
        self._taken.append(mid)

    def _received(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        if message.topic.startswith("err/"):
            log.warning("refused", device=self.login.code, problem=message.payload.decode(errors="replace")[:500])
            return
        self._orders.append(message)

    def _obey(self, order: dict[str, Any], now: float) -> None:
        known = order["name"] in OPENING
        if known:
            self._say(self.door.unlock(now))
        answer = {} if known else {"reason": f"this door knows no order {order['name']!r}"}
        reply = {"id": order["id"], "ok": known, "answer": answer}
        self._outbox.put(f"ack/{self.login.code}", json.dumps(reply).encode())


def run(
    logins: list[Login], queues: Path, stop: threading.Event, incidents: bool, holding: Holding | None = None
) -> None:
    """Run the doors of one controller cabinet until ``stop`` is set.

    With ``incidents`` the first door is held open soon after the start and the second is forced, so that there is
    something to see; all else comes by chance. With ``holding`` whoever passes is somebody of the rule sets.
    """
    now = time.time()
    doors = []
    for index, login in enumerate(logins):
        planned = [(now + 4, Event.HELD_OPEN)] if incidents and index == 0 else []
        planned += [(now + 20, Event.FORCED)] if incidents and index == 1 else []
        dice = random.Random(f"{login.code} {now}")
        door = Door(dice, now, planned)
        if holding is not None:
            door.who = functools.partial(holding.somebody, login.code, dice)
        doors.append(DoorController(login, door, Outbox(queues / f"{login.code}.sqlite")))
    for controller in doors:
        controller.start()
    if holding is not None:
        threading.Thread(target=holding.run, args=(stop,), name="rule-sets", daemon=True).start()
    while not stop.wait(TICK):
        for controller in doors:
            controller.tick(time.time())
    for controller in doors:
        controller.stop()
