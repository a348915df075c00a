"""The watcher process: reads which cameras are its, watches them, tells the edge and shows what it costs."""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
import time
from pathlib import Path

import cv2
import structlog
from django.conf import settings
from django.db import Error, connections

from shoufu.engines.vision import Detector, DetectorOptions
from shoufu.kernel.base.errors import Problem
from shoufu.runtime import env, heartbeat, models
from shoufu.runtime.servers import nats

from .cameras import Part, Watched, cameras, gateway_secret, roots_of
from .config import CameraSpec
from .costs import Costs
from .figures import FigureBook, FigurePublisher
from .group import Group, SharedDetector
from .http_sink import HttpSink
from .indexer import DatabaseIndex
from .readers import PlateReaders
from .recorder import Recorder
from .sink import Observed

log = structlog.get_logger("watcher")

_M_ARENA_MAX = -8
_RELOAD = 5.0
_BEAT = 30.0


class Watcher:
    """One watcher process."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.name = "watcher" if part.of == 1 else f"watcher-{part.number}"
        self._stop = threading.Event()
        self._sinks: dict[int, tuple[str, HttpSink]] = {}
        self._told: set[str] = set()
        self._started = time.monotonic()
        self._beaten = float("-inf")
        self._group: Group | None = None
        self._book = FigureBook(self.name)
        self._media = Path(settings.MEDIA_ROOT)
        self._index = DatabaseIndex(self._media)

    def stop(self) -> None:
        """Ask `run` to end."""
        self._stop.set()

    def run(self) -> None:
        """Until stopped. Raises `ModelError` where the detector is not installed."""
        figures = FigurePublisher(nats.url(), self.name, self._page)
        figures.start()
        self._index.start()
        try:
            while not self._stop.is_set():
                self._reload()
                self._beat()
                self._stop.wait(_RELOAD)
        finally:
            figures.close()
            if self._group is not None:
                self._group.close()
            self._index.close()
            for _, sink in self._sinks.values():
                sink.close()

    def _reload(self) -> None:
        try:
            watched = cameras(self.part, self._told)
            self._credentials(watched)
        except (Error, Problem) as error:
            log.warning("cameras not read", reason=str(error).strip()[:200])
            return
        finally:
            connections.close_all()
        if watched and self._group is None:
            self._group = Group(_detector(), PlateReaders().get, self._recorder)
        if self._group is not None:
            self._group.apply({camera.spec.code: (camera.spec, self._sinks[camera.root][1]) for camera in watched})

    def _credentials(self, watched: list[Watched]) -> None:
        for root in roots_of(watched) - self._sinks.keys():
            code, secret = gateway_secret(self.part, root)
            sink = HttpSink(f"http://127.0.0.1:{env.get('SHOUFU_PORT')}", secret, f"sink-{root}")
            sink.start()
            self._sinks[root] = (code, sink)

    def _recorder(self, spec: CameraSpec, costs: Costs) -> Recorder:
        return Recorder(spec, self._media, self._index, costs)

    def _beat(self) -> None:
        heartbeat.beat(self.name)
        now = time.monotonic()
        if now - self._beaten < _BEAT:
            return
        self._beaten = now
        uptime = round(now - self._started, 1)
        for code, sink in self._sinks.values():
            sink.publish([Observed(code, "device.heartbeat", time.time(), {"uptime": uptime})])

    def _page(self) -> dict[str, object]:
        watching = self._group.cameras if self._group is not None else []
        return self._book.page(watching, [sink.delivered for _, sink in self._sinks.values()])


def run(part: Part) -> None:
    """Watch until SIGTERM or SIGINT."""
    _spare_memory()
    watcher = Watcher(part)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: watcher.stop())
    watcher.run()


def _spare_memory() -> None:
    """Of many threads each gets a heap of its own from glibc, which fill up with holes; and OpenCV's small jobs here
    gain nothing from threads."""
    cv2.setNumThreads(1)
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
        if mallopt is not None:
            mallopt(_M_ARENA_MAX, 2)


def _detector() -> SharedDetector:
    return SharedDetector(Detector(models.path("detector"), DetectorOptions(threads=1)))
