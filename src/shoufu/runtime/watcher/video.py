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
_LIVE_SIDE = 4096
_OPEN_SECONDS = 10.0
_PICTURES = frozenset({"image2"})
_READ_SECONDS = 10.0


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

    def yuv(self, width: int, height: int) -> Image:
        """Scaled to `width` x `height`, one channel each of Y, U and V."""
        planes = self.frame.reformat(width, height, "yuv444p", interpolation="BILINEAR").to_ndarray()
        return np.ascontiguousarray(np.moveaxis(np.asarray(planes, np.uint8), 0, -1))


class Video:
    """A video that is being read. Use it as a context manager."""

    def __init__(
        self,
        container: av.container.InputContainer,
        name: str,
        costs: Costs | None = None,
        *,
        largest: int = LARGEST_SIDE,
    ) -> None:
        self._container = container
        self._name = name
        self._costs = costs or Costs()
        self.broken = 0
        self.decoded = 0
        self._last = 0.0
        self.stream = _video_stream(container, name)
        self.width, self.height = self.stream.codec_context.width, self.stream.codec_context.height
        if max(self.width, self.height) > largest:
            container.close()
            raise VideoError(
                f"{name}: {self.width} x {self.height} is larger than {largest} pixels a side; "
                "scale it down, or use the camera's smaller stream"
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
        for packet in self.packets():
            yield from self.decode(packet)
        if self.decoded == 0:
            raise VideoError(f"{self._name}: not one frame can be decoded; the file is damaged or not a video")

    def packets(self) -> Iterator[av.Packet[Any]]:
        """Encoded packets in order; the last ones are empty and flush the decoder. Raises `VideoError` where the
        stream breaks before anything was decoded; a break later on counts as broken and ends the stream."""
        try:
            yield from self._container.demux(self.stream)
        except (av.error.FFmpegError, OSError) as error:
            if self.decoded == 0:
                raise VideoError(f"{self._name}: cannot be read: {error.strerror or error}") from error
            self.broken += 1

    def decode(self, packet: av.Packet[Any]) -> list[Picture]:
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
        return [self._numbered(frame) for frame in good]

    def _numbered(self, frame: av.VideoFrame) -> Picture:
        index = self.decoded
        self.decoded += 1
        self._last = max(self._last, frame.time if frame.time is not None else index / self.rate)
        return Picture(index, self._last, frame)


def open_source(source: str, name: str, costs: Costs | None = None) -> Video:
    """Open a camera: an address (rtsp://…) or a file, at most 4,096 pixels a side. `name` stands in messages in the
    place of the address, which may hold a password. Raises `VideoError`; reading times out after 10 s."""
    if "://" not in source:
        path = Path(source)
        if not path.is_file():
            raise VideoError(f"{name}: there is no such file")
        options = {}
    else:
        options = {"rtsp_transport": "tcp"} if source.startswith("rtsp") else {}
    try:
        container = av.open(source, options=options, timeout=(_OPEN_SECONDS, _READ_SECONDS))
    except (av.error.FFmpegError, OSError) as error:
        raise VideoError(f"{name}: cannot be opened: {error.strerror or error}") from error
    return Video(container, name, costs, largest=_LIVE_SIDE)


def open_file(path: Path, costs: Costs | None = None) -> Video:
    """Open a video file. Raises `VideoError` with what is wrong with it."""
    if not path.exists():
        raise VideoError(f"{path}: there is no such file")
    if not path.is_file():
        raise VideoError(f"{path}: is not a file")
    try:
        if path.stat().st_size == 0:
            raise VideoError(f"{path}: is empty (0 bytes)")
        container = av.open(str(path))
        if container.format.name in _PICTURES or container.format.name.endswith("_pipe"):
            container.close()
            raise VideoError(f"{path}: is a picture, not a video")
        return Video(container, str(path), costs)
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
