"""The sensors of the demo's watched home: heartbeats each minute, and the signs of somebody who lives there by day."""

from __future__ import annotations

import random
import signal
import threading
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import structlog

from shoufu.runtime import env
from shoufu.runtime.demo import identities
from shoufu.runtime.demo.identities import Identity

log = structlog.get_logger("home")

BEAT = 60.0
PREFIX = "home-"
ZONE = ZoneInfo("Asia/Shanghai")
AWAKE, ASLEEP = 6, 21
# Twice in a quarter of an hour somebody walks past a sensor.
MOVES = BEAT / 450.0


def run() -> None:
    """Post what the sensors see until SIGTERM or SIGINT; a server that is away is tried again at the next beat."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    client = httpx.Client(base_url=f"http://127.0.0.1:{env.get('SHOUFU_PORT')}", timeout=10, trust_env=False)
    sensors = [one for one in identities.read() if one.code.startswith(PREFIX)]
    dice = random.Random()
    with client:
        while True:
            now = datetime.now(UTC)
            moved = AWAKE <= now.astimezone(ZONE).hour < ASLEEP and dice.random() < MOVES
            for sensor in sensors:
                _post(client, sensor, _seen(sensor.code, moved, now))
            if stop.wait(BEAT):
                return


def _seen(code: str, moved: bool, now: datetime) -> list[dict[str, Any]]:
    """A heartbeat, and movement where somebody walks past; the door stays shut."""
    time = now.isoformat()
    seen: list[dict[str, Any]] = [{"kind": "device.heartbeat", "phenomenonTime": time, "result": {}}]
    if moved and not code.endswith("-door"):
        seen.append({"kind": "home.activity", "phenomenonTime": time, "result": {"signal": "motion"}})
    return seen


def _post(client: httpx.Client, sensor: Identity, items: list[dict[str, Any]]) -> None:
    try:
        answer = client.post("/v1/observations", json=items, headers={"Authorization": f"Bearer {sensor.secret}"})
    except httpx.HTTPError as error:
        log.info("not reached", device=sensor.code, error=str(error))
        return
    if answer.status_code >= 400:
        log.warning("refused", device=sensor.code, status=answer.status_code, answer=answer.text[:200])
