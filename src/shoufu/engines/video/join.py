"""Segments to one MP4 (ISO/IEC 14496-14) without encoding again; holes stay holes, as long as they were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error

from shoufu.engines.video.segment import TICKS, unwrapped

_HOLE = 1.0


class JoinError(Exception):
    """Nothing of the segments can be shown; the text says why."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A segment's file and when it begins, seconds since 1970."""

    path: Path
    start: float


@dataclass(frozen=True, slots=True)
class Joined:
    """What the MP4 shows: from `start` (the key picture at or before what was asked for) to `end`, seconds since 1970.

    `gaps`: holes of more than a second in between, during which the last picture stands still. `skipped`: files that
    were gone or could not be read.
    """

    start: float
    end: float
    pictures: int
    gaps: tuple[tuple[float, float], ...]
    skipped: tuple[Path, ...]


@dataclass(slots=True)
class _Packet:
    time: float
    ahead: int
    packet: av.Packet[Any]
    path: Path


def join(pieces: Sequence[Piece], since: float, until: float, output: Path) -> Joined:
    """Write what `pieces` (in order) show from the key picture at or before `since` until `until` to `output`.

    The picture's size and coding are the first segment's; where they change the rest is left out. Raises `JoinError`
    where nothing can be shown.
    """
    skipped: list[Path] = []
    joiner = _Joiner(output)
    try:
        for packet, stream in _packets(pieces, until, skipped):
            joiner.add(packet, stream, since)
        joiner.settle()
    except (OSError, av.error.FFmpegError) as error:
        raise JoinError(f"the clip cannot be written: {error.strerror or error}") from error
    finally:
        joiner.close()
    if joiner.first is None:
        output.unlink(missing_ok=True)
        raise JoinError("nothing was recorded that can be shown")
    return Joined(joiner.first, joiner.last, joiner.count, tuple(joiner.gaps), tuple(skipped))


def _packets(pieces: Sequence[Piece], until: float, skipped: list[Path]) -> Iterator[tuple[_Packet, Any]]:
    coding: tuple[str, int, int] | None = None
    for piece in pieces:
        if piece.start > until:
            return
        try:
            container = av.open(str(piece.path), format="mpegts")
        except (av.error.FFmpegError, OSError):
            skipped.append(piece.path)
            continue
        with container:
            stream = next(iter(container.streams.video), None)
            if stream is None or not stream.codec_context.width:
                skipped.append(piece.path)
                continue
            context = stream.codec_context
            found = (context.name, context.width, context.height)
            coding = coding or found
            if found != coding:
                return
            yield from _of(container, stream, piece, until)


def _of(container: Any, stream: Any, piece: Piece, until: float) -> Iterator[tuple[_Packet, Any]]:
    try:
        for packet in container.demux(stream):
            if packet.pts is None or packet.size == 0 or packet.is_corrupt:
                continue
            time = unwrapped(packet.pts, piece.start)
            if time <= until:
                dts = packet.pts if packet.dts is None else packet.dts
                yield _Packet(time, packet.pts - dts, packet, piece.path), stream
    except av.error.FFmpegError:
        return  # cut short while it was written: what came before is shown


class _Joiner:
    """Writes packets; those of the group before `since` wait until it is known that no later key picture serves."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._output: Any = None
        self._target: Any = None
        self._waiting: list[_Packet] = []
        self._origin = 0
        self._dts = -1
        self._shown = 0.0
        self.first: float | None = None
        self.last = 0.0
        self.count = 0
        self.gaps: list[tuple[float, float]] = []

    def add(self, item: _Packet, stream: Any, since: float) -> None:
        if self._output is None:
            if item.packet.is_keyframe:
                self._waiting = []
            elif not self._waiting:
                return  # without its key picture it cannot be shown
            self._waiting.append(item)
            if item.time >= since:
                self._begin(stream)
            return
        self._write(item)

    def _begin(self, stream: Any) -> None:
        self._output = av.open(str(self._path), "w", format="mp4", options={"movflags": "+faststart"})
        self._target = self._output.add_stream_from_template(stream)
        lead = self._waiting[0]
        self.first = self._shown = lead.time
        self._origin = round(lead.time * TICKS) - lead.ahead
        for item in self._waiting:
            self._write(item)
        self._waiting = []

    def _write(self, item: _Packet) -> None:
        pts = round(item.time * TICKS) - self._origin
        dts = pts - item.ahead
        if dts <= self._dts:
            return  # segments overlap by a picture
        self._dts = dts
        if item.time - self._shown > _HOLE:
            self.gaps.append((self._shown, item.time))
        self._shown = max(self._shown, item.time)
        packet: av.Packet[Any] = av.Packet(bytes(item.packet))
        packet.pts, packet.dts, packet.time_base = pts, dts, Fraction(1, TICKS)
        packet.is_keyframe, packet.stream = item.packet.is_keyframe, self._target
        self._output.mux(packet)
        self.count += 1
        self.last = max(self.last, item.time)

    def settle(self) -> None:
        """All was read, and all of it lies before what was asked for: the group that was still shown then serves."""
        if self._output is None and self._waiting:
            with av.open(str(self._waiting[0].path), format="mpegts") as container:
                self._begin(container.streams.video[0])

    def close(self) -> None:
        if self._output is not None:
            self._output.close()
