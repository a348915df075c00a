"""Load of drills: devices that send each observation until it is acknowledged, and remember what was."""

from __future__ import annotations

import http.client
import itertools
import json
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from shoufu.kernel.base.ids import uuid7
from shoufu.runtime.bench.stage import Sender

PER_REQUEST = 10
PAUSE = 0.05
PATIENCE = 90.0


@dataclass
class Acknowledged:
    """Ids that were acknowledged, and how many items were refused; shared by threads."""

    ids: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    retries: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, ids: list[str]) -> None:
        """These were acknowledged."""
        with self.lock:
            self.ids.update(ids)

    def refuse(self, why: str) -> None:
        """An item was refused: with this load, that is a fault."""
        with self.lock:
            self.refused.append(why)


def observations(chance: random.Random) -> Iterator[dict[str, Any]]:
    """What a door tells: opened, closed, passed, forced now and then."""
    for number in itertools.count():
        yield _observation("door.state", {"state": "open" if number % 2 == 0 else "closed"})
        if chance.random() < 0.3:
            yield _observation("door.access", {"granted": chance.random() < 0.8, "credential": "card"})
        if chance.random() < 0.05:
            yield _observation("door.alarm", {"alarm": "forced"})
        if number % 20 == 0:
            yield _observation("device.heartbeat", {"uptime": number})


def _observation(kind: str, result: dict[str, Any]) -> dict[str, Any]:
    moment = datetime.now(UTC).isoformat(timespec="microseconds")
    return {"id": str(uuid7()), "kind": kind, "phenomenonTime": moment, "result": result}


class HttpDoor(threading.Thread):
    """Posts ten observations at a time, each body again and again until it is answered."""

    def __init__(self, port: int, sender: Sender, tally: Acknowledged, stop: threading.Event, seed: int) -> None:
        super().__init__(name=f"http-{sender.code}", daemon=True)
        self._port, self._sender, self._tally, self._stopping = port, sender, tally, stop
        self._source = observations(random.Random(seed))

    def run(self) -> None:
        """Until told to stop; the last body is brought to its answer."""
        while not self._stopping.is_set():
            batch = list(itertools.islice(self._source, PER_REQUEST))
            deadline = time.monotonic() + PATIENCE
            while not self._post(batch) and time.monotonic() < deadline:
                self._tally.retries += 1
                time.sleep(PAUSE * 4)
            time.sleep(PAUSE)

    def _post(self, batch: list[dict[str, Any]]) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        headers = {"Authorization": f"Bearer {self._sender.secret}", "Content-Type": "application/json"}
        try:
            connection.request("POST", "/v1/observations", json.dumps(batch), headers)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        if answer.status in {200, 207}:
            items = json.loads(text)["items"]
            self._tally.add([item["id"] for item in items if item["status"] != "refused"])
            for item in items:
                if item["status"] == "refused":
                    self._tally.refuse(json.dumps(item))
            return True
        if answer.status in {401, 429} or answer.status >= 500:  # 401: the edge learns of new devices within seconds
            return False
        self._tally.refuse(text.decode(errors="replace")[:300])
        return True


class MqttDoor(threading.Thread):
    """Publishes with QoS 1; the client sends again after a reconnect what the broker has not acknowledged."""

    def __init__(self, port: int, sender: Sender, tally: Acknowledged, stop: threading.Event, seed: int) -> None:
        super().__init__(name=f"mqtt-{sender.code}", daemon=True)
        self._sender, self._tally, self._stopping = sender, tally, stop
        self._source = observations(random.Random(seed))
        self._ids: dict[int, str] = {}
        self._early: set[int] = set()
        self._lock = threading.Lock()
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=sender.code, clean_session=False, protocol=mqtt.MQTTv311
        )
        self._client.username_pw_set(sender.code, sender.secret)
        self._client.reconnect_delay_set(min_delay=1, max_delay=1)
        self._client.on_publish = self._published
        self._client.on_message = lambda _client, _data, message: tally.refuse(message.payload.decode()[:300])
        self._client.on_connect = lambda client, _data, _flags, _reason, _more: client.subscribe(
            f"err/{sender.code}", 1
        )
        self._client.connect_async("127.0.0.1", port, keepalive=10)

    def run(self) -> None:
        """Until told to stop, then until everything is acknowledged."""
        self._client.loop_start()
        while not self._stopping.is_set():
            if len(self._ids) < 200:
                self._publish(next(self._source))
            time.sleep(PAUSE)
        deadline = time.monotonic() + PATIENCE
        while self._ids and time.monotonic() < deadline:
            time.sleep(PAUSE)
        self._client.disconnect()
        self._client.loop_stop()

    def _publish(self, one: dict[str, Any]) -> None:
        info = self._client.publish(f"obs/{self._sender.code}", json.dumps(one), qos=1)
        with self._lock:
            if info.mid in self._early:  # acknowledged before we got here
                self._early.discard(info.mid)
                self._tally.add([one["id"]])
                return
            self._ids[info.mid] = one["id"]

    def _published(self, _client: Any, _data: Any, mid: int, _reason: Any, _more: Any) -> None:
        with self._lock:
            known = self._ids.pop(mid, None)
            if known is None:
                self._early.add(mid)
                return
        self._tally.add([known])
