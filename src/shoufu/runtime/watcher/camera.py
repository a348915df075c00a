"""One camera from its source to the sink; takes up a source that vanished again by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import av
import structlog

from .backoff import Backoff
from .clips import Clips
from .config import CameraSpec
from .costs import Costs
from .observe import Counted, Crossed, Dwelt, Event, Observer, Seen
from .pipeline import Finder, Pipeline, PipelineOptions, Sight
from .plates import PlateWatch, Reader
from .recorder import Recorder
from .sink import Observed, Sink
from .snapshot import Snapshots
from .tampering import Tampering
from .video import Picture, Video, VideoError, open_source

log = structlog.get_logger("watcher")

_LATE = 1.0
_LOST_COUNT = 5.0
_STATUS_EVERY = 60.0
# Until then packets of a live stream wait for the recorder.
_SETTLE = 3.0


class CameraState(StrEnum):
    """As the kind `camera.status` has it, and before anything is known."""

    STARTING = "starting"
    ONLINE = "online"
    OFFLINE = "offline"


@dataclass(slots=True)
class CameraFigures:
    """What the page about costs shows of one camera. Counts are since the start."""

    state: CameraState = CameraState.STARTING
    reason: str = ""
    pictures: int = 0
    analysed: int = 0
    skipped: int = 0
    broken: int = 0
    connects: int = 0
    lag: float = 0.0
    tampered: str = ""
    costs: Costs = field(default_factory=Costs)


@dataclass(slots=True)
class _Pace:
    """Which moment of the world a moment of the stream is; sure enough to record from `settled` on."""

    world: float
    stream: float
    settled: float

    def moment(self, stream: float) -> float:
        return self.world + stream - self.stream


class Camera:
    """Watches one camera in the thread that calls `run`."""

    def __init__(
        self,
        spec: CameraSpec,
        finder: Finder,
        sink: Sink,
        *,
        reader: Reader | None = None,
        recorder: Callable[[CameraSpec, Costs], Recorder] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.spec = spec
        self.figures = CameraFigures()
        self._sink = sink
        self._now = now
        costs = self.figures.costs
        self._pipeline = Pipeline(finder, costs, PipelineOptions(rate=spec.settings.rate))
        self._observer = Observer(spec)
        self._snapshots = Snapshots(spec.code, sink, costs)
        # What is recorded all the time needs no second memory of its last seconds.
        self.recorder = recorder(spec, costs) if recorder is not None and spec.settings.record else None
        self._clips = Clips(spec, sink, costs) if self.recorder is None and spec.settings.clips else None
        self._plates = PlateWatch(reader, costs) if reader is not None and spec.settings.plates else None
        self._tampering = Tampering(costs)
        self._session = f"{int(now()):x}"
        self._told_status = float("-inf")

    def run(self, stop: threading.Event) -> None:
        """Until `stop`. Never raises for what a camera or its stream does."""
        backoff = Backoff(1, 30)
        while not stop.is_set():
            connected = self.figures.connects
            try:
                reason = self._watch(stop)
            except VideoError as error:
                reason = str(error)
            self._seam()
            if stop.is_set():
                return
            if self.figures.connects > connected:
                backoff.reset()
            if reason:
                self._offline(reason)
                stop.wait(backoff.next())

    def _watch(self, stop: threading.Event) -> str:
        """Watch until the stream ends; why that is bad, or "" where it is to be expected."""
        spec = self.spec
        with open_source(spec.source, spec.shown, self.figures.costs) as video:
            if self._clips is not None:
                self._clips.begin(video)
            if self.recorder is not None:
                self.recorder.begin(video)
            try:
                self._follow(video, stop)
            finally:
                # While the stream is still open: clips are cut with its description.
                if self._clips is not None:
                    self._clips.finish()
                if self.recorder is not None:
                    self.recorder.end()
            if stop.is_set():
                return ""
            if video.decoded == 0:
                return f"{spec.shown}: not one picture can be decoded"
        if not spec.is_file:
            return f"{spec.shown}: the stream ended"
        if not spec.settings.loop:
            stop.set()
        return ""

    def _follow(self, video: Video, stop: threading.Event) -> None:
        """Every packet of the stream, kept for clips and shown."""
        broken = self.figures.broken
        pace: _Pace | None = None
        early: list[av.Packet[Any]] = []
        for packet in video.packets():
            if stop.is_set():
                return
            pictures = video.decode(packet)
            self.figures.broken = broken + video.broken
            if pace is None and pictures:
                pace = self._begin(pictures[0])
            seen = None if packet.dts is None else float(packet.dts * packet.time_base)
            if self._clips is not None:
                self._clips.keep(packet, pace.moment(seen) if pace and seen is not None else self._now())
            if self.recorder is not None:
                early.append(packet)
                if pace is not None and self._now() >= pace.settled:
                    self._record(self.recorder, early, pace)
                    early.clear()
            for picture in pictures:
                pace = self._paced(pace or self._begin(picture), picture, stop)
                self._show(picture, pace, video)

    @staticmethod
    def _record(recorder: Recorder, packets: list[av.Packet[Any]], pace: _Pace) -> None:
        for packet in packets:
            if packet.pts is not None:
                recorder.keep(packet, pace.moment(float(packet.pts * packet.time_base)))

    def _begin(self, first: Picture) -> _Pace:
        """The stream shows something: from here on its time is bound to the world's."""
        self._online()
        now = self._now()
        return _Pace(now, first.time, now if self.spec.is_file else now + _SETTLE)

    def _paced(self, pace: _Pace, picture: Picture, stop: threading.Event) -> _Pace:
        """Wait until a file's picture is due; note how late a picture is, and give up on what cannot be caught up."""
        now = self._now()
        late = now - pace.moment(picture.time)
        if late < 0 and self.spec.is_file:
            stop.wait(-late)
            late = 0.0
        elif late < 0:
            # The quickest picture tells best: the first ones waited while the stream was looked into.
            pace.world, pace.stream, late = now, picture.time, 0.0
        if not -_LOST_COUNT < late < _LOST_COUNT:
            if self.recorder is not None:
                self.recorder.end()
            pace = _Pace(now, picture.time, now)
            late = 0.0
        self.figures.lag = late
        return pace

    def _show(self, picture: Picture, pace: _Pace, video: Video) -> None:
        self.figures.pictures += 1
        moment = pace.moment(picture.time)
        if self._clips is not None:
            self._clips.cut_due(moment)
        self._repeat_status(moment, video.rate)
        timed = Picture(picture.index, moment, picture.frame)
        if self.recorder is not None:
            self.recorder.show(timed)
        self._check_tampering(timed)
        if not self._pipeline.due(moment):
            return
        if self.figures.lag > _LATE:
            self.figures.skipped += 1
            return
        sight = self._pipeline.process(timed)
        if sight is None:
            return
        self.figures.analysed += 1
        self._pipeline.tracker.take_ended()
        observations = [self._told(event, timed) for event in self._observer.update(sight)]
        if self._plates is not None:
            observations += self._read_plates(self._plates, sight, timed)
        if observations:
            self._sink.publish(observations)

    def _check_tampering(self, picture: Picture) -> None:
        offset = self.recorder.clock_offset if self.recorder is not None else None
        found = self._tampering.look(picture, offset)
        if found is None:
            return
        self.figures.tampered = "" if found.what == "clear" else found.what
        log.warning("camera tampering", camera=self.spec.code, what=found.what)
        result: dict[str, object] = {"tamper": found.what, "seconds": round(found.seconds, 1)}
        if found.offset is not None:
            result["offset"] = found.offset
        result["snapshot"] = self._snapshots.of(picture)
        self._sink.publish([Observed(self.spec.code, "camera.tamper", picture.time, result)])

    def _told(self, event: Event, picture: Picture) -> Observed:
        code = self.spec.code
        snapshot = self._snapshots.of(picture)
        match event:
            case Counted(moment, persons, vehicles):
                result = {"persons": persons, "vehicles": vehicles, "snapshot": snapshot}
                return Observed(code, "object.count", moment, result)
            case Crossed(moment, line, inwards, seen):
                result = {"line": line, "direction": "in" if inwards else "out", **_about(seen), "snapshot": snapshot}
                return Observed(code, "line.crossing", moment, result, self._feature(seen.track))
            case Dwelt(moment, zone, seconds, first, seen):
                result = {"zone": zone, "seconds": round(seconds, 1), **_about(seen), "snapshot": snapshot}
                if first and self._clips is not None:
                    result["clip"] = str(self._clips.around(moment))
                return Observed(code, "zone.dwell", moment, result, self._feature(seen.track))

    def _read_plates(self, plates: PlateWatch, sight: Sight, picture: Picture) -> list[Observed]:
        found = []
        for plate in plates.update(sight, picture):
            result = {
                "plate": plate.text,
                "score": plate.score,
                "colour": plate.colour,
                "snapshot": self._snapshots.of(picture),
            }
            found.append(Observed(self.spec.code, "plate.read", sight.time, result, f"plate:{plate.text}"))
        return found

    def _feature(self, track: int) -> str:
        return f"track:{self._session}-{track}"

    def _seam(self) -> None:
        self._pipeline.seam()
        self._observer.seam()
        if not self.spec.is_file:
            # A file that begins anew shows the same scene; a camera that comes back may have been turned on purpose.
            self._tampering.seam()

    def _online(self) -> None:
        figures = self.figures
        figures.connects += 1
        if figures.state is CameraState.ONLINE:
            return
        figures.state, figures.reason = CameraState.ONLINE, ""
        log.info("camera online", camera=self.spec.code)
        self._status(self._now(), {"state": "online"})

    def _offline(self, reason: str) -> None:
        figures = self.figures
        figures.reason = reason
        if self.recorder is not None:
            self.recorder.lose(self._now(), reason)
        if figures.state is CameraState.OFFLINE and self._now() - self._told_status < _STATUS_EVERY:
            return
        figures.state = CameraState.OFFLINE
        log.warning("camera offline", camera=self.spec.code, reason=reason)
        self._status(self._now(), {"state": "offline", "reason": reason[:200]})

    def _repeat_status(self, moment: float, rate: float) -> None:
        if moment - self._told_status >= _STATUS_EVERY:
            self._status(moment, {"state": "online", "fps": round(rate, 1)})

    def _status(self, moment: float, result: dict[str, object]) -> None:
        self._told_status = moment
        self._sink.publish([Observed(self.spec.code, "camera.status", moment, result)])


def _about(seen: Seen) -> dict[str, object]:
    return {"object": seen.label, "score": seen.score, "box": list(seen.box)}
