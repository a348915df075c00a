"""A camera from footage to a sink in memory, in real time; only the detector is scripted."""

import threading
import time
from pathlib import Path

import av
import cv2
import numpy as np

from shoufu.engines.vision import Detections, Label
from shoufu.runtime.watcher.camera import Camera, CameraState
from shoufu.runtime.watcher.config import camera_spec

from . import footage
from .rtsp import RtspServer

ZONE = {"name": "yard", "points": [[0, 0], [1, 0], [1, 1], [0, 1]]}


class RedBox:
    """Finds what is red: stands for the detector where its model is not installed."""

    size = 320

    def detect(self, image: np.ndarray) -> Detections:
        pixels = image.astype(int)
        rows, columns = np.nonzero((pixels[..., 0] > 170) & (pixels[..., 1] < 120))
        if len(rows) < 200:
            return Detections.empty()
        box = np.array([[columns.min(), rows.min(), columns.max(), rows.max()]], np.float32)
        return Detections(box, np.array([0.8], np.float32), np.array([Label.PERSON], np.int64))


class Memory:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.observations: list = []
        self.snapshots: dict[str, bytes] = {}
        self.clips: dict[str, int] = {}

    def publish(self, observations) -> None:
        self.observations += observations

    def store_snapshot(self, device, media, jpeg, moment) -> None:
        self.snapshots[str(media)] = jpeg

    def store_clip(self, device, media, path: Path, start, end) -> None:
        with av.open(str(path)) as clip:
            self.clips[str(media)] = sum(1 for _ in clip.decode(video=0))
        path.unlink()

    def of(self, kind: str) -> list:
        return [one for one in self.observations if one.kind == kind]


def camera(source: str, sink: Memory, **watch: object) -> Camera:
    config = {"source": source, "zones": [ZONE], "watch": {"dwell": [1], "before": 1, "after": 1, **watch}}
    return Camera(camera_spec("cam", config), RedBox(), sink)


def until(condition, seconds: float = 30.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_footage_becomes_observations_with_a_snapshot_and_a_clip(tmp_path: Path):
    sink = Memory()
    watched = camera(str(footage.write(tmp_path / "a.mp4", 45)), sink, loop=False)
    watched.run(threading.Event())
    (online,) = sink.of("camera.status")
    assert online.result == {"state": "online"}
    (dwell,) = sink.of("zone.dwell")
    assert dwell.result["object"] == "person"
    assert dwell.result["zone"] == "yard"
    assert dwell.feature.startswith("track:")
    assert sink.snapshots[dwell.result["snapshot"]][:2] == b"\xff\xd8"
    assert sink.clips[dwell.result["clip"]] >= 10
    assert max(one.result["persons"] for one in sink.of("object.count")) == 1
    assert watched.figures.pictures == 45
    assert {"decode", "motion", "track"} <= watched.figures.costs.stages.keys()


def test_a_camera_that_vanishes_is_told_and_taken_up_again(tmp_path: Path):
    path, sink, stop = tmp_path / "a.mp4", Memory(), threading.Event()
    footage.write(path, 10)
    watched = camera(str(path), sink)
    thread = threading.Thread(target=watched.run, args=(stop,))
    thread.start()
    try:
        assert until(lambda: watched.figures.state is CameraState.ONLINE)
        path.rename(tmp_path / "away.mp4")
        assert until(lambda: watched.figures.state is CameraState.OFFLINE)
        (tmp_path / "away.mp4").rename(path)
        assert until(lambda: watched.figures.state is CameraState.ONLINE)
    finally:
        stop.set()
        thread.join(10)
    assert [one.result["state"] for one in sink.of("camera.status")] == ["online", "offline", "online"]
    assert "no such file" in sink.of("camera.status")[1].result["reason"]


def test_an_rtsp_camera_is_watched_and_taken_up_again_after_a_power_cut(tmp_path: Path):
    path, sink, stop = footage.write(tmp_path / "a.mp4", 45), Memory(), threading.Event()
    server = RtspServer(path)
    watched = camera(f"rtsp://user:pass@127.0.0.1:{server.port}/live", sink)
    thread = threading.Thread(target=watched.run, args=(stop,))
    thread.start()
    try:
        assert until(lambda: len(sink.of("zone.dwell")) >= 1)
        server.close()
        assert until(lambda: watched.figures.state is CameraState.OFFLINE)
        server = RtspServer(path, server.port)
        assert until(lambda: watched.figures.state is CameraState.ONLINE)
        assert until(lambda: len(sink.of("zone.dwell")) >= 2 and sink.clips)
    finally:
        stop.set()
        server.close()
        thread.join(15)
    assert not thread.is_alive()
    assert all("pass" not in str(one.result) for one in sink.observations)


def test_the_box_that_is_told_lies_on_the_object_in_the_snapshot(tmp_path: Path):
    sink = Memory()
    watched = camera(str(footage.write(tmp_path / "a.mp4", 45)), sink, loop=False, record=False)
    watched.run(threading.Event())
    (dwell,) = sink.of("zone.dwell")
    jpeg = np.frombuffer(sink.snapshots[dwell.result["snapshot"]], np.uint8)
    pixels = cv2.imdecode(jpeg, cv2.IMREAD_COLOR).astype(int)
    rows, columns = np.nonzero((pixels[..., 2] > 170) & (pixels[..., 1] < 120))
    height, width = pixels.shape[:2]
    seen = (columns.min() / width, rows.min() / height, columns.max() / width, rows.max() / height)
    told = dwell.result["box"]
    assert _overlap(seen, told) > 0.7


def _overlap(a, b) -> float:
    """Intersection over union."""
    inner = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return inner / (areas - inner)
