"""Pictures out of a video file or a camera stream, by PyAV; broken ones are counted and left out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.container
import av.error
import numpy as np
import numpy.typing as npt

from .costs import Costs

Image = npt.NDArray[np.uint8]

LARGEST_SIDE = 8192
_ENOUGH_BROKEN = 0.5


class VideoError(Exception):
    """A video cannot be used; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded picture. `index` counts from 0, `time` is seconds of the stream, never falling."""

    index: int
    time: float
    frame: av.VideoFrame

    def rgb(self, width: int, height: int) -> Image:
        """Scaled to `width` x `height`, RGB."""
        return np.asarray(self.frame.reformat(width, height, "rgb24", interpolation="BILINEAR").to_ndarray(), np.uint8)

    def grey(self, width: int, height: int) -> Image:
        """Scaled to `width` x `height`, grey."""
        return np.asarray(self.frame.reformat(width, height, "gray", interpolation="BILINEAR").to_ndarray(), np.uint8)


class Video:
    """A video that is being read. Use it as a context manager."""

    def __init__(self, container: av.container.InputContainer, name: str, costs: Costs | None = None) -> None:
        self._container = container
        self._name = name
        self._costs = costs or Costs()
        self.broken = 0
        self.decoded = 0
        self.stream = _video_stream(container, name)
        self.width, self.height = self.stream.codec_context.width, self.stream.codec_context.height
        if max(self.width, self.height) > LARGEST_SIDE:
            container.close()
            raise VideoError(
                f"{name}: {self.width} x {self.height} is larger than {LARGEST_SIDE} pixels a side; scale it down first"
            )
        self.rate = float(self.stream.average_rate or self.stream.guessed_rate or 25)
        # Frame threads hold a picture each: of use only where decoding is heavy.
        self.stream.thread_type = "FRAME" if max(self.width, self.height) > 2560 else "NONE"

    def __enter__(self) -> Video:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file or connection."""
        self._container.close()

    @property
    def expected(self) -> int:
        """Frames that the container claims to hold; 0 where it does not say."""
        return int(self.stream.frames)

    def pictures(self) -> Iterator[Picture]:
        """Every good picture in order. Raises `VideoError` where nothing can be decoded."""
        yield from self._numbered(self._frames(self._packets()))
        if self.decoded == 0:
            raise VideoError(f"{self._name}: not one frame can be decoded; the file is damaged or not a video")

    def _packets(self) -> Iterator[av.Packet[Any]]:
        try:
            yield from self._container.demux(self.stream)
        except av.error.FFmpegError as error:
            if self.decoded == 0:
                raise VideoError(f"{self._name}: cannot be read: {error.strerror}") from error
            self.broken += 1

    def _frames(self, packets: Iterator[av.Packet[Any]]) -> Iterator[av.VideoFrame]:
        for packet in packets:
            yield from self.decode(packet)

    def decode(self, packet: av.Packet[Any]) -> list[av.VideoFrame]:
        """The good pictures that a packet completes; broken ones are counted."""
        start = time.perf_counter()
        try:
            frames = [frame for frame in packet.decode() if isinstance(frame, av.VideoFrame)]
        except av.error.FFmpegError:
            self.broken += 1
            return []
        finally:
            self._costs.add("decode", time.perf_counter() - start)
        good = [frame for frame in frames if not frame.is_corrupt]
        self.broken += len(frames) - len(good)
        return good

    def _numbered(self, frames: Iterator[av.VideoFrame]) -> Iterator[Picture]:
        last = 0.0
        for frame in frames:
            index = self.decoded
            self.decoded += 1
            now = frame.time if frame.time is not None else index / self.rate
            last = max(last, now)
            yield Picture(index, last, frame)


def open_file(path: Path, costs: Costs | None = None) -> Video:
    """Open a video file. Raises `VideoError` with what is wrong with it."""
    if not path.exists():
        raise VideoError(f"{path}: there is no such file")
    if not path.is_file():
        raise VideoError(f"{path}: is not a file")
    try:
        if path.stat().st_size == 0:
            raise VideoError(f"{path}: is empty (0 bytes)")
        return Video(av.open(str(path)), str(path), costs)
    except av.error.FFmpegError as error:
        raise VideoError(f"{path}: is not a video, or its header is damaged ({error.strerror})") from error
    except OSError as error:
        raise VideoError(f"{path}: cannot be opened: {error.strerror}") from error


def _video_stream(container: av.container.InputContainer, name: str) -> Any:
    streams = [stream for stream in container.streams.video if stream.codec_context.width]
    if not streams:
        container.close()
        raise VideoError(f"{name}: holds no video")
    return streams[0]
