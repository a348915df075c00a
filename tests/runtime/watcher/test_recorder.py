"""Recording: what a camera showed lies on the disk, whole, whatever dies meanwhile."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import av
import pytest

from shoufu.engines.video import Piece, join, salvage
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.devices.models import Device
from shoufu.kernel.media import recordings, selectors
from shoufu.kernel.media.models import Segment
from shoufu.kernel.media.recordings import Lost, Recorded
from shoufu.kernel.places.models import Place
from shoufu.runtime.watcher.camera import Camera
from shoufu.runtime.watcher.config import camera_spec
from shoufu.runtime.watcher.costs import Costs
from shoufu.runtime.watcher.indexer import unnoted
from shoufu.runtime.watcher.recorder import FOLDER, LIVE_NAME, Recorder
from shoufu.runtime.watcher.video import Picture, open_file

from . import footage
from .rtsp import RtspServer
from .test_camera import Memory, RedBox, until


class Notes:
    """An index in memory."""

    def __init__(self) -> None:
        self.events: list[Recorded | Lost] = []

    def put(self, event: Recorded | Lost) -> None:
        self.events.append(event)

    def began(self, code: str, moment: float) -> None:
        pass

    @property
    def recorded(self) -> list[Recorded]:
        return [event for event in self.events if isinstance(event, Recorded)]

    @property
    def lost(self) -> list[Lost]:
        return [event for event in self.events if isinstance(event, Lost)]


def camera(source: str, root: Path, notes: Notes, sink: Memory | None = None) -> Camera:
    spec = camera_spec("cam", {"source": source, "watch": {"loop": False}})
    return Camera(spec, RedBox(), sink or Memory(), recorder=lambda spec, costs: Recorder(spec, root, notes, costs))


def pictures(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_every_picture_of_a_camera_is_recorded_whatever_its_coding(tmp_path: Path, codec: str):
    notes = Notes()
    camera(str(footage.write(tmp_path / "a.mp4", 45, codec)), tmp_path, notes).run(threading.Event())
    files = [tmp_path / event.key for event in notes.recorded]
    assert [event.first for event in notes.recorded] == [True, False, False]
    assert sum(map(pictures, files)) == 45
    for event, file in zip(notes.recorded, files, strict=True):
        assert (event.size, event.sha256) == (file.stat().st_size, hashlib.sha256(file.read_bytes()).digest())
    lengths = [(event.until - event.t).total_seconds() for event in notes.recorded]
    assert lengths == pytest.approx([2.0, 2.0, 0.5], abs=0.02)
    live = tmp_path / FOLDER / "cam" / LIVE_NAME
    assert live.read_bytes()[:2] == b"\xff\xd8"


def test_the_camera_clock_and_its_picture_group_are_known(tmp_path: Path):
    notes, stop = Notes(), threading.Event()
    server = RtspServer(footage.write(tmp_path / "a.mp4", 45), ahead=120.0)
    watched = camera(f"rtsp://127.0.0.1:{server.port}/live", tmp_path, notes)
    thread = threading.Thread(target=watched.run, args=(stop,))
    thread.start()
    try:
        assert until(lambda: len(notes.recorded) >= 3)
    finally:
        stop.set()
        server.close()
        thread.join(10)
    assert notes.recorded[-1].clock_offset == pytest.approx(120, abs=1.5)
    assert notes.recorded[-1].group == pytest.approx(1.0, abs=0.1)
    assert notes.lost == [] or notes.lost[0].gap == "camera"


def test_a_disk_that_refuses_is_a_hole_and_recording_goes_on_by_itself(tmp_path: Path, monkeypatch):
    from shoufu.runtime.watcher import recorder as module

    monkeypatch.setattr(module, "_RETRY", 1.0)
    notes, real = Notes(), module.SegmentWriter
    full = {"now": False}

    class Filling(real):
        def write(self, packet, moment) -> None:
            if full["now"]:
                raise OSError(28, "No space left on device")
            super().write(packet, moment)

    monkeypatch.setattr(module, "SegmentWriter", Filling)
    watched = camera(str(footage.write(tmp_path / "a.mp4", 80)), tmp_path, notes)
    thread = threading.Thread(target=watched.run, args=(threading.Event(),))
    thread.start()
    assert until(lambda: len(notes.recorded) >= 1)
    full["now"] = True
    assert until(lambda: len(notes.lost) == 1)
    full["now"] = False
    thread.join(20)
    assert (notes.lost[0].gap, notes.lost[0].detail) == ("disk", "No space left on device")
    assert len(notes.recorded) >= 3
    assert notes.recorded[-1].t > notes.lost[0].t


KILLED = """
import sys, time
from pathlib import Path
import av
from shoufu.engines.video import SegmentWriter
source, target = map(Path, sys.argv[1:])
with av.open(str(source)) as container:
    stream = container.streams.video[0]
    writer = SegmentWriter(target, stream, 1_700_000_000.0)
    for number, packet in enumerate(container.demux(stream)):
        if packet.size:
            writer.write(packet, 1_700_000_000.0 + float(packet.pts * packet.time_base))
            print(number, flush=True)
            time.sleep(0.01)
"""


def test_a_recorder_killed_while_it_writes_loses_one_picture_at_most(tmp_path: Path):
    source, target = footage.write(tmp_path / "a.mp4", 300), tmp_path / "killed.ts"
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(source), str(target)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    written = [int(child.stdout.readline()) for _ in range(77)][-1] + 1
    child.send_signal(signal.SIGKILL)
    written += len(child.stdout.read().split())
    child.wait()
    chunk = salvage(target, 1_700_000_000.0)
    assert chunk is not None and chunk.keyed
    joined = join([Piece(target, chunk.start)], chunk.start, chunk.start + 60, tmp_path / "clip.mp4")
    assert joined.pictures >= written - 1
    assert pictures(tmp_path / "clip.mp4") == joined.pictures


@pytest.mark.django_db
def test_segments_of_a_killed_recorder_are_found_again_with_the_hole_after_them(tmp_path: Path, settings):
    settings.MEDIA_ROOT = tmp_path
    place = Place.objects.create(kind="compound", code="c", name="小区", path="/1/", depth=0)
    device = Device.objects.create(code="cam", kind="camera", name="院内", place=place)
    notes = Notes()
    camera(str(footage.write(tmp_path / "a.mp4", 45)), tmp_path, notes).run(threading.Event())
    first, second, third = notes.recorded
    recordings.index([first])
    broken = tmp_path / third.key
    broken.write_bytes(broken.read_bytes()[:-400])
    found = unnoted("cam", tmp_path, third.until.timestamp() + 30)
    assert [piece.key for piece in found] == [second.key, third.key]
    recordings.index(found)
    assert Segment.objects.filter(device=device, gap="").count() == 3
    made = recordings.cut(SYSTEM, device.pk, first.t, third.until)
    assert made.size > 1000
    assert selectors.recording(SYSTEM, device.pk).bytes_a_day > 1000


def test_recording_costs_little(tmp_path: Path):
    """Not a measurement: that the cost is noted, under its stage."""
    costs = Costs()
    recorder = Recorder(camera_spec("cam", {"source": "/nowhere.mp4"}), tmp_path, Notes(), costs)
    with open_file(footage.write(tmp_path / "a.mp4", 20)) as video:
        recorder.begin(video)
        begin = time.time()
        for packet in video.packets():
            for frame in video.decode(packet):
                recorder.show(Picture(frame.index, begin + frame.time, frame.frame))
            if packet.pts is not None:
                recorder.keep(packet, begin + float(packet.pts * packet.time_base))
        recorder.end()
    assert costs.stages["record"].runs == 20
    assert costs.stages["live picture"].runs == 1


def test_a_live_picture_a_second_while_somebody_looks(tmp_path: Path):
    costs = Costs()
    recorder = Recorder(camera_spec("cam", {"source": "/nowhere.mp4"}), tmp_path, Notes(), costs)
    with open_file(footage.write(tmp_path / "a.mp4", 20)) as video:
        frame = next(iter(video.pictures())).frame
    begin = time.time()

    def shown(since: int, until: int) -> int:
        before = costs.stages["live picture"].runs if costs.stages else 0
        for tenth in range(since * 10, until * 10):
            recorder.show(Picture(tenth, begin + tenth / 10, frame))
        return costs.stages["live picture"].runs - before

    assert shown(0, 30) == 3
    (tmp_path / FOLDER / "cam" / ".watched").touch()
    assert shown(30, 40) == 10
    os.utime(tmp_path / FOLDER / "cam" / ".watched", (begin - 60, begin - 60))
    assert shown(40, 60) == 2
