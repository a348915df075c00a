"""The cameras of one process: started, changed and stopped as their configuration says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from shoufu.engines.vision import Detections, Detector

from .camera import Camera
from .config import CameraSpec
from .costs import Costs
from .plates import Reader
from .recorder import Recorder
from .sink import Sink
from .video import Image

log = structlog.get_logger("watcher")

_STOPPING = 12.0


class SharedDetector:
    """One detector for many cameras, one picture at a time: memory stays that of one."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Longest side that it looks at."""
        return self._detector.size

    def detect(self, image: Image) -> Detections:
        """See `Detector.detect`."""
        with self._lock:
            return self._detector.detect(image)


@dataclass(slots=True)
class _Running:
    camera: Camera
    sink: Sink
    stop: threading.Event
    thread: threading.Thread


class Group:
    """Runs one thread a camera. Not to be shared between threads."""

    def __init__(
        self,
        detector: SharedDetector,
        reader: Callable[[], Reader | None],
        recorder: Callable[[CameraSpec, Costs], Recorder] | None = None,
    ) -> None:
        self._detector = detector
        self._reader = reader
        self._recorder = recorder
        self._running: dict[str, _Running] = {}

    @property
    def cameras(self) -> list[Camera]:
        """The cameras watched now."""
        return [running.camera for running in self._running.values()]

    def apply(self, wanted: Mapping[str, tuple[CameraSpec, Sink]]) -> None:
        """Watch exactly these cameras (by code); those that did not change go on undisturbed."""
        for code in [code for code, running in self._running.items() if _changed(running, wanted.get(code))]:
            self._stop([self._running.pop(code)])
            log.info("camera no longer watched as it was", camera=code)
        for code, (spec, sink) in wanted.items():
            if code not in self._running:
                self._running[code] = self._start(spec, sink)

    def close(self) -> None:
        """Stop every camera."""
        self._stop(list(self._running.values()))
        self._running.clear()

    def _start(self, spec: CameraSpec, sink: Sink) -> _Running:
        reader = self._reader() if spec.settings.plates else None
        camera = Camera(spec, self._detector, sink, reader=reader, recorder=self._recorder)
        stop = threading.Event()
        thread = threading.Thread(target=camera.run, args=(stop,), name=f"camera-{spec.code}", daemon=True)
        thread.start()
        log.info("watching", camera=spec.code, source=spec.shown)
        return _Running(camera, sink, stop, thread)

    def _stop(self, stopped: list[_Running]) -> None:
        for running in stopped:
            running.stop.set()
        for running in stopped:
            running.thread.join(_STOPPING)


def _changed(running: _Running, wanted: tuple[CameraSpec, Sink] | None) -> bool:
    """Whether it must be stopped: no longer wanted, wanted otherwise, or its thread has died."""
    return wanted is None or wanted != (running.camera.spec, running.sink) or not running.thread.is_alive()
