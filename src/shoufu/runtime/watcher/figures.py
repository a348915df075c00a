"""What a watcher costs, for the page that shows it: published on NATS every few seconds."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import nats.errors
import psutil
import structlog
from nats.aio.client import Client

from .camera import Camera
from .costs import Cost
from .http_sink import Delivered

log = structlog.get_logger("watcher")

EVERY = 5.0


class FigureBook:
    """Turns running totals into figures of the time since the last page."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._process = psutil.Process()
        self._process.cpu_percent()
        self._before: dict[str, tuple[int, int, dict[str, Cost]]] = {}
        self._at = time.monotonic()

    def page(self, cameras: Sequence[Camera], delivered: Sequence[Delivered]) -> dict[str, Any]:
        """For JSON. Rates and stages are of the time since the last call; counts since the start."""
        now = time.monotonic()
        elapsed, self._at = max(now - self._at, 1e-3), now
        return {
            "group": self._name,
            "time": round(time.time(), 3),
            "interval": round(elapsed, 2),
            "memory_mb": round(self._process.memory_info().rss / 2**20, 1),
            "cpu_percent": self._process.cpu_percent(),
            "delivery": {
                "sent": sum(one.sent for one in delivered),
                "refused": sum(one.refused for one in delivered),
                "dropped": sum(one.dropped for one in delivered),
                "waiting": sum(one.waiting for one in delivered),
                "retries": sum(one.retries for one in delivered),
            },
            "cameras": [self._camera(camera, elapsed) for camera in cameras],
        }

    def _camera(self, camera: Camera, elapsed: float) -> dict[str, Any]:
        figures = camera.figures
        stages = {name: Cost(cost.runs, cost.seconds) for name, cost in list(figures.costs.stages.items())}
        pictures, analysed, before = self._before.get(camera.spec.code, (0, 0, {}))
        self._before[camera.spec.code] = (figures.pictures, figures.analysed, stages)
        return {
            "code": camera.spec.code,
            "state": figures.state.value,
            "reason": figures.reason,
            "fps": round(max(0, figures.pictures - pictures) / elapsed, 1),
            "analysed_fps": round(max(0, figures.analysed - analysed) / elapsed, 1),
            "lag": round(figures.lag, 3),
            "skipped": figures.skipped,
            "broken": figures.broken,
            "connects": figures.connects,
            "tampered": figures.tampered,
            "stages": {name: _since(cost, before.get(name, Cost()), elapsed) for name, cost in stages.items()},
        }


def _since(cost: Cost, before: Cost, elapsed: float) -> dict[str, float]:
    recent = Cost(max(0, cost.runs - before.runs), max(0.0, cost.seconds - before.seconds))
    return {
        "runs": recent.runs,
        "mean_ms": round(recent.mean_ms, 3),
        "core_percent": round(100 * recent.seconds / elapsed, 2),
    }


class FigurePublisher:
    """Publishes a page of figures on `stats.watcher.<name>` every `EVERY` seconds, in a thread of its own; while NATS
    is away the pages are dropped."""

    def __init__(self, url: str, name: str, page: Callable[[], dict[str, Any]]) -> None:
        self._url = url
        self._name = name
        self._page = page
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="figures", daemon=True)

    def start(self) -> None:
        """Begin to publish."""
        self._thread.start()

    def close(self) -> None:
        """Stop publishing."""
        self._stop.set()
        self._thread.join(3)

    async def _run(self) -> None:
        client = Client()
        while not self._stop.is_set():
            try:
                if not client.is_connected:
                    await client.connect(self._url, name=f"{self._name}-figures", allow_reconnect=False, error_cb=_told)
                await client.publish(f"stats.watcher.{self._name}", msgspec.json.encode(self._page()))
                await client.flush(2)
            except (OSError, nats.errors.Error, TimeoutError) as error:
                log.debug("figures not published", reason=str(error) or type(error).__name__)
                client = Client()
            await self._pause(EVERY)
        if client.is_connected:
            await client.close()

    async def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._stop.is_set() and time.monotonic() < end:
            await asyncio.sleep(0.2)


async def _told(error: Exception) -> None:
    log.debug("NATS", reason=str(error))
