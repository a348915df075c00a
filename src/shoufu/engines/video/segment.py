"""One segment of a recording, MPEG-TS (ISO/IEC 13818-1): written packet by packet, so that a kill loses one at most."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import av
import av.error

COPIED = frozenset({"h264", "hevc"})
"""Codecs that MPEG-TS carries and browsers play: their packets are kept as they come."""

TICKS = 90_000
WRAP = 1 << 33
_BASE = Fraction(1, TICKS)
# No offset, nothing held back: the bytes of a packet are on their way before the next one comes.
_OPTIONS = {"mpegts_copyts": "1", "flush_packets": "1"}


@dataclass(frozen=True, slots=True)
class Chunk:
    """What a segment holds. `start`, `end`: seconds since 1970. `keyed`: it begins with a key picture. `group`: the
    longest picture group seen in it, seconds (0 where it holds only one key picture). `sha256` is over its bytes."""

    start: float
    end: float
    size: int
    sha256: bytes
    keyed: bool
    group: float


class Segment(Protocol):
    """A segment that is being written."""

    def close(self, end: float | None = None) -> Chunk:
        """End it; `end` where the next one's beginning is known."""


class _Hashed:
    """A file that counts and hashes what is written; nothing waits in memory."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        self._hash.update(data)
        self.size += len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()

    def digest(self) -> bytes:
        return self._hash.digest()


class _Written:
    """What both kinds of segment keep of what they wrote."""

    def __init__(self, path: Path, start: float) -> None:
        self.start = self.last = start
        self.file = _Hashed(path)
        # Without seek or tell PyAV takes it for a stream: nothing is rewritten later, so the hash is right.
        self.output: Any = av.open(self.file, "w", format="mpegts", options=_OPTIONS, buffer_size=1316)
        self.keyed: bool | None = None
        self.key = start
        self.group = 0.0
        self.before = start
        self.step = 0.5

    def note(self, time: float, key: bool) -> None:
        if self.keyed is None:
            self.keyed = key
        elif key:
            self.group = max(self.group, time - self.key)
        if key:
            self.key = time
        # In decoding order pictures jump; the smallest step is the one from picture to picture.
        if time != self.before:
            self.step = min(self.step, abs(time - self.before))
        self.before = time
        self.last = max(self.last, time)

    def close(self, end: float | None) -> Chunk:
        try:
            self.output.close()
        finally:
            self.file.close()
        until = end if end is not None and end > self.last else self.last + self.step
        return Chunk(self.start, until, self.file.size, self.file.digest(), bool(self.keyed), self.group)


class SegmentWriter:
    """Keeps packets of `stream` as they are. Raises OSError where the disk does not take them."""

    def __init__(self, path: Path, stream: Any, start: float) -> None:
        self._written = _Written(path, start)
        self._target = self._written.output.add_stream_from_template(stream)

    @property
    def start(self) -> float:
        """When it begins, seconds since 1970."""
        return self._written.start

    def write(self, packet: av.Packet[Any], time: float) -> None:
        """Add a packet whose picture is shown at `time`. Packets come in decoding order; `packet` is not changed."""
        self._written.note(time, packet.is_keyframe)
        copy: av.Packet[Any] = av.Packet(bytes(packet))
        pts = round(time * TICKS)
        ahead = (
            0
            if packet.pts is None or packet.dts is None
            else round(float((packet.pts - packet.dts) * packet.time_base) * TICKS)
        )
        copy.pts, copy.dts, copy.time_base = pts, pts - ahead, _BASE
        copy.is_keyframe = packet.is_keyframe
        copy.stream = self._target
        self._written.output.mux(copy)

    def close(self, end: float | None = None) -> Chunk:
        """See `Segment`."""
        return self._written.close(end)


class EncodedSegment:
    """Makes H.264 of decoded pictures, for codecs that browsers do not play; at most `widest` pixels wide."""

    def __init__(self, path: Path, size: tuple[int, int], rate: float, start: float, widest: int = 1280) -> None:
        self._written = _Written(path, start)
        scale = min(1.0, widest / size[0])
        stream = self._written.output.add_stream(
            "libx264",
            rate=Fraction(rate).limit_denominator(1000),
            options={"preset": "ultrafast", "tune": "zerolatency", "crf": "27"},
        )
        stream.width, stream.height = (max(2, round(side * scale / 2) * 2) for side in size)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        stream.codec_context.time_base = _BASE
        stream.codec_context.gop_size = 10_000
        self._stream = stream
        self._pts = -1

    @property
    def start(self) -> float:
        """When it begins, seconds since 1970."""
        return self._written.start

    def write(self, frame: av.VideoFrame, time: float) -> None:
        """Add a picture shown at `time`."""
        pts = round(time * TICKS)
        if pts <= self._pts:
            return
        self._pts = pts
        self._written.note(time, self._written.keyed is None)
        picture = frame.reformat(self._stream.width, self._stream.height, "yuv420p")
        picture.pts, picture.time_base = pts, _BASE
        picture.pict_type = av.video.frame.PictureType.NONE
        self._written.output.mux(self._stream.encode(picture))

    def close(self, end: float | None = None) -> Chunk:
        """See `Segment`."""
        self._written.output.mux(self._stream.encode(None))
        return self._written.close(end)


def salvage(path: Path, near: float) -> Chunk | None:
    """What a segment holds that was not closed, `near` being about when it begins; None where nothing can be shown.

    Times in the file are the world's, modulo 2³³ ticks (26.5 h); `near` tells which turn.
    """
    times: list[tuple[float, bool]] = []
    try:
        with av.open(str(path), format="mpegts") as container:
            stream = container.streams.video[0]
            for packet in container.demux(stream):
                if packet.pts is not None and packet.size:
                    times.append((unwrapped(packet.pts, near), packet.is_keyframe))
    except (av.error.FFmpegError, OSError, IndexError):
        pass  # cut short: what came before stands
    if not times:
        return None
    keys = [time for time, key in times if key]
    shown = sorted(time for time, _ in times)
    step = shown[1] - shown[0] if len(shown) > 1 else 0.04
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    group = max((b - a for a, b in zip(keys, keys[1:], strict=False)), default=0.0)
    return Chunk(shown[0], shown[-1] + step, path.stat().st_size, digest, times[0][1], group)


def unwrapped(ticks: int, near: float) -> float:
    """The moment, seconds since 1970, that a 33-bit time stamp means: the one nearest to `near`."""
    wanted = round(near * TICKS)
    off = (ticks - wanted + WRAP // 2) % WRAP - WRAP // 2
    return (wanted + off) / TICKS
