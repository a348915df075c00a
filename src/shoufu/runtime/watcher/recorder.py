"""Records one camera: its stream as it comes, in short segments on the disk, and a small live picture."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import av
import av.error
import cv2
import numpy as np
import structlog

from shoufu.engines.video import COPIED, EncodedSegment, SegmentWriter
from shoufu.kernel.media.recordings import FOLDER, WATCHED_NAME, Lost, Recorded, key_of

from .config import CameraSpec
from .costs import Costs
from .video import Picture, Video

log = structlog.get_logger("watcher")

LENGTH = 2.0
LONGEST = 10.0
LIVE_EVERY = 1.0
LIVE_IDLE = 10.0
"""Seconds between two live pictures while nobody looks: the first look finds one that is fresh enough."""
LIVE_NAME = "latest.jpg"
WATCHED_SECONDS = 20.0
_LIVE_WIDEST = 480
_RETRY = 5.0


class Index(Protocol):
    """Takes what was recorded; returns at once."""

    def put(self, event: Recorded | Lost) -> None:
        """Note a segment or a loss."""

    def began(self, code: str, moment: float) -> None:
        """A camera's recording begins: segments of before `moment` that were never noted are to be found."""


@dataclass(slots=True)
class _Open:
    """The segment that is being written."""

    writer: SegmentWriter | EncodedSegment
    key: str
    first: bool


class Recorder:
    """Keeps everything that a camera shows. Not to be shared between threads."""

    def __init__(self, spec: CameraSpec, root: Path, index: Index, costs: Costs) -> None:
        self._spec = spec
        self._root = root
        self._index = index
        self._costs = costs
        self._video: Video | None = None
        self._copied = True
        self._open: _Open | None = None
        self._first = True
        self._lost = False
        self._retry_at = float("-inf")
        self._live_at = float("-inf")
        self.clock_offset: float | None = None
        self.group = 0.0
        self._key_at: float | None = None

    @property
    def copies(self) -> bool:
        """Whether the stream is kept as it comes; else it is made H.264, for browsers do not play its coding."""
        return self._copied

    def begin(self, video: Video) -> None:
        """A stream begins."""
        if self._first:
            # What this recorder itself writes is no find: its first picture may be a little older than now.
            self._index.began(self._spec.code, time.time() - LENGTH)
        self._video = video
        self._copied = video.stream.codec_context.name in COPIED
        self._key_at = None

    def keep(self, packet: av.Packet[Any], moment: float) -> None:
        """A packet, shown at `moment` (seconds since 1970 by this machine's clock), in decoding order."""
        if packet.dts is None or packet.size == 0 or self._video is None:
            return
        if packet.is_keyframe:
            self._note_group(moment)
        self._note_clock(packet, moment)
        if not self._copied:
            return
        with self._costs.measure("record"):
            self._guarded(lambda: self._keep(packet, moment), moment)

    def show(self, picture: Picture) -> None:
        """A decoded picture, its time the world's: for the live picture, and for streams that are not copied."""
        age = picture.time - self._live_at
        if age < 0 or age >= LIVE_IDLE or (age >= LIVE_EVERY and self._is_watched()):
            self._live_at = picture.time
            with self._costs.measure("live picture"):
                self._guarded(lambda: self._write_live(picture), picture.time)
        if not self._copied and self._video is not None:
            with self._costs.measure("record"):
                self._guarded(lambda: self._encode(picture), picture.time)

    def end(self, moment: float | None = None) -> None:
        """The stream is over, or its time jumped: the segment is closed as it is."""
        self._guarded(lambda: self._close(moment), moment or 0.0)

    def lose(self, moment: float, reason: str) -> None:
        """The camera does not answer any more."""
        self._say_lost(moment, "camera", reason)

    def _keep(self, packet: av.Packet[Any], moment: float) -> None:
        if self._due(moment, packet.is_keyframe):
            self._close(moment)
        if self._open is None:
            if not packet.is_keyframe and self._first:
                return  # nothing before the first key picture can be shown
            assert self._video is not None
            stream = self._video.stream
            self._start(moment, lambda path: SegmentWriter(path, stream, moment))
        if self._open is not None and isinstance(self._open.writer, SegmentWriter):
            self._open.writer.write(packet, moment)

    def _encode(self, picture: Picture) -> None:
        assert self._video is not None
        video = self._video
        if self._due(picture.time, True):
            self._close(picture.time)
        if self._open is None:
            size = (video.width, video.height)
            self._start(picture.time, lambda path: EncodedSegment(path, size, video.rate, picture.time))
        if self._open is not None and isinstance(self._open.writer, EncodedSegment):
            self._open.writer.write(picture.frame, picture.time)

    def _due(self, moment: float, key: bool) -> bool:
        if self._open is None:
            return False
        age = moment - self._open.writer.start
        return age < -1 or age >= LONGEST or (key and age >= LENGTH - 0.05)

    def _start(self, moment: float, make: Any) -> None:
        if moment < self._retry_at:
            return
        key = key_of(self._spec.code, datetime.fromtimestamp(moment, UTC))
        path = self._root / key
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        self._open = _Open(make(path), key, self._first)
        self._first = self._lost = False

    def _close(self, end: float | None) -> None:
        if self._open is None:
            return
        done, self._open = self._open, None
        chunk = done.writer.close(end if end is None or end - done.writer.start < 2 * LONGEST else None)
        start, until = (datetime.fromtimestamp(value, UTC) for value in (chunk.start, chunk.end))
        told = Recorded(
            self._spec.code,
            start,
            until,
            done.key,
            chunk.size,
            chunk.sha256,
            chunk.keyed,
            max(chunk.group, self.group) if chunk.keyed else self.group,
            self.clock_offset,
            done.first,
        )
        self._index.put(told)

    def _guarded(self, write: Any, moment: float) -> None:
        """What the disk refuses is a hole, not the end of watching."""
        try:
            write()
        except (OSError, av.error.FFmpegError) as error:
            self._open = None
            self._retry_at = moment + _RETRY
            reason = error.strerror or str(error)
            if not self._lost:
                log.error("not recorded", camera=self._spec.code, reason=reason)
            self._say_lost(moment, "disk", reason)

    def _say_lost(self, moment: float, gap: str, reason: str) -> None:
        if self._lost or self._first:
            return
        self._lost = True
        self._index.put(Lost(self._spec.code, datetime.fromtimestamp(moment, UTC), gap, reason))

    def _note_group(self, moment: float) -> None:
        if self._key_at is not None and 0 < moment - self._key_at < 600:
            # The longest of late, forgotten slowly: cameras change their key interval with the scene.
            self.group = max(moment - self._key_at, self.group * 0.9)
        self._key_at = moment

    def _note_clock(self, packet: av.Packet[Any], moment: float) -> None:
        told = camera_clock(packet)
        if told is not None:
            offset = told - moment
            self.clock_offset = offset if self.clock_offset is None else 0.9 * self.clock_offset + 0.1 * offset

    def _is_watched(self) -> bool:
        """Whether somebody asked for the live picture a moment ago: whoever serves it touches a file beside it."""
        try:
            touched = (self._root / FOLDER / self._spec.code / WATCHED_NAME).stat().st_mtime
        except OSError:
            return False
        return time.time() - touched < WATCHED_SECONDS

    def _write_live(self, picture: Picture) -> None:
        frame = picture.frame
        scale = min(1.0, _LIVE_WIDEST / frame.width)
        size = round(frame.width * scale), round(frame.height * scale)
        pixels = np.asarray(frame.reformat(*size, "bgr24", interpolation="BILINEAR").to_ndarray(), np.uint8)
        done, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 75])
        if not done:
            return
        folder = self._root / FOLDER / self._spec.code
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        draft = folder / f".{LIVE_NAME}"
        draft.write_bytes(jpeg.tobytes())
        os.replace(draft, folder / LIVE_NAME)


def camera_clock(packet: av.Packet[Any]) -> float | None:
    """What the camera's own clock said when it took the picture, seconds since 1970, from the RTCP sender report
    (RFC 3550, 6.4.1) that FFmpeg hands on as producer reference time; None where the camera does not tell."""
    if not packet.has_sidedata("prft"):
        return None
    told = int.from_bytes(bytes(packet.get_sidedata("prft"))[:8], "little", signed=True)
    return told / 1e6 if told > 0 else None
