"""Clips around what happened: a ring of encoded packets, cut and put into MP4 without encoding where that can be."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error

# What browsers play in MP4 as it comes; everything else is encoded again.
_COPIED = {"h264", "hevc", "av1"}
_WIDEST = 1280


class ClipError(Exception):
    """A clip cannot be written; the text says why."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An encoded packet and when it was seen, seconds since 1970; `data` is a copy."""

    time: float
    data: bytes
    pts: int | None
    dts: int
    key: bool


class PacketRing:
    """The last `seconds` of a stream as it came, beginning with a key frame; at most `most_bytes`."""

    def __init__(self, seconds: float, most_bytes: int = 48 << 20) -> None:
        self._seconds = seconds
        self._most = most_bytes
        self._groups: deque[list[Kept]] = deque()
        self.size = 0

    def add(self, packet: av.Packet[Any], time: float) -> None:
        """Keep a packet (of a running group: what comes before the first key frame cannot be shown)."""
        if packet.dts is None or packet.size == 0 or not (packet.is_keyframe or self._groups):
            return
        kept = Kept(time, bytes(packet), packet.pts, packet.dts, packet.is_keyframe)
        if kept.key:
            self._groups.append([])
        self._groups[-1].append(kept)
        self.size += len(kept.data)
        self._trim(time)

    def clear(self) -> None:
        """Forget everything: the stream begins anew."""
        self._groups.clear()
        self.size = 0

    def between(self, start: float, end: float) -> list[Kept]:
        """Packets from the key frame at or before `start` until `end`."""
        chosen: list[Kept] = []
        for group in self._groups:
            if group[0].time <= start:
                chosen = []
            chosen += [kept for kept in group if kept.time <= end]
        return chosen

    def _trim(self, now: float) -> None:
        while len(self._groups) > 1 and (self._groups[1][0].time <= now - self._seconds or self.size > self._most):
            self.size -= sum(len(kept.data) for kept in self._groups.popleft())
        if self.size > self._most:
            # One endless group: nothing of it can be shown without its beginning.
            self.clear()


@dataclass(frozen=True, slots=True)
class Coding:
    """How the packets of a stream are coded: all that is needed to decode them elsewhere."""

    codec: str
    width: int
    height: int
    time_base: Fraction
    extradata: bytes | None

    @property
    def copied(self) -> bool:
        """Whether clips hold the packets as they came."""
        return self.codec in _COPIED


def coding_of(stream: Any) -> Coding:
    """The coding of an open video stream."""
    context = stream.codec_context
    return Coding(context.name, context.width, context.height, stream.time_base, context.extradata)


def copy_clip(kept: Sequence[Kept], stream: Any, path: Path) -> None:
    """Write packets into an MP4 at `path` as they are. `stream` is the open stream that they came from."""
    if not kept:
        raise ClipError("nothing of the stream is kept for this time")
    try:
        with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as output:
            target = output.add_stream_from_template(stream)
            for packet in _packets(kept, stream.time_base):
                packet.stream = target
                output.mux(packet)
    except (av.error.FFmpegError, OSError) as error:
        raise ClipError(f"the clip cannot be written: {error.strerror}") from error


def encode_clip(kept: Sequence[Kept], coding: Coding, path: Path) -> None:
    """Write packets into an MP4 at `path`, encoded as H.264, at most 1,280 pixels wide."""
    if not kept:
        raise ClipError("nothing of the stream is kept for this time")
    decoder: Any = av.CodecContext.create(coding.codec, "r")
    decoder.extradata = coding.extradata
    decoder.width, decoder.height = coding.width, coding.height
    scale = min(1.0, _WIDEST / coding.width)
    width, height = round(coding.width * scale / 2) * 2, round(coding.height * scale / 2) * 2
    try:
        with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as output:
            target = _encoder(output, _rate(kept, coding.time_base), width, height)
            for packet in [*_packets(kept, coding.time_base), None]:
                for frame in _decoded(decoder, packet):
                    picture = frame.reformat(width, height, "yuv420p")
                    picture.pts, picture.time_base = frame.pts, coding.time_base
                    output.mux(target.encode(picture))
            output.mux(target.encode(None))
    except (av.error.FFmpegError, OSError) as error:
        raise ClipError(f"the clip cannot be encoded: {error.strerror}") from error


def _encoder(output: Any, rate: Fraction, width: int, height: int) -> Any:
    name = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    options = {"preset": "ultrafast", "crf": "26"} if name == "libx264" else {"q:v": "5"}
    stream = output.add_stream(name, rate=rate, options=options)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.codec_context.thread_count = 1
    return stream


def _decoded(decoder: Any, packet: av.Packet[Any] | None) -> list[Any]:
    try:
        return list(decoder.decode(packet))
    except av.error.InvalidDataError:
        return []  # a broken picture in the middle does not spoil the clip


def _packets(kept: Sequence[Kept], time_base: Fraction) -> list[av.Packet[Any]]:
    """Packets with times from zero."""
    first = kept[0].dts
    made = []
    for one in kept:
        packet: av.Packet[Any] = av.Packet(one.data)
        packet.dts = one.dts - first
        packet.pts = packet.dts if one.pts is None else one.pts - first
        packet.time_base = time_base
        packet.is_keyframe = one.key
        made.append(packet)
    return made


def _rate(kept: Sequence[Kept], time_base: Fraction) -> Fraction:
    span = (kept[-1].dts - kept[0].dts) * time_base
    if len(kept) < 2 or span <= 0:
        return Fraction(10)
    return Fraction((len(kept) - 1) / span).limit_denominator(1000)
