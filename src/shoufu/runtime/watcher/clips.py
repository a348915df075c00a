"""Clips of one camera: asked for when something happens, cut when its end has been seen."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import av
import structlog

from shoufu.kernel.base.ids import uuid7

from .clip import ClipError, Coding, Kept, PacketRing, coding_of, copy_clip, encode_clip
from .config import CameraSpec
from .costs import Costs
from .sink import Sink
from .video import Video

log = structlog.get_logger("watcher")

# Encoding is heavy and may wait: one thread for all cameras of the process.
_encoding = ThreadPoolExecutor(1, thread_name_prefix="clips")


@dataclass(slots=True)
class _Asked:
    id: UUID
    start: float
    end: float


class Clips:
    """Keeps the last seconds of the stream and cuts clips out of them."""

    def __init__(self, spec: CameraSpec, sink: Sink, costs: Costs) -> None:
        self._spec = spec
        self._sink = sink
        self._costs = costs
        settings = spec.settings
        self._ring = PacketRing(settings.before + settings.after + 2)
        self._asked: list[_Asked] = []
        self._video: Video | None = None
        self._coding: Coding | None = None

    def begin(self, video: Video) -> None:
        """A stream begins; clips never reach across its ends."""
        self._ring.clear()
        self._video, self._coding = video, coding_of(video.stream)

    def keep(self, packet: av.Packet[Any], moment: float | None) -> None:
        """Keep a packet, seen at `moment` (None: unknown, left out)."""
        if moment is not None:
            self._ring.add(packet, moment)

    def around(self, moment: float) -> UUID:
        """Ask for a clip around `moment`; its id at once. What happens within a clip that is asked for shares it."""
        settings = self._spec.settings
        for asked in self._asked:
            if asked.start <= moment <= asked.end:
                asked.end = max(asked.end, min(moment + settings.after, asked.start + 2 * _span(self._spec)))
                return asked.id
        made = _Asked(uuid7(), moment - settings.before, moment + settings.after)
        self._asked.append(made)
        return made.id

    def cut_due(self, moment: float) -> None:
        """Cut the clips whose end has been seen."""
        due = [asked for asked in self._asked if asked.end <= moment]
        for asked in due:
            self._asked.remove(asked)
            self._cut(asked)

    def finish(self) -> None:
        """The stream is over: cut what there is of the clips still asked for."""
        for asked in self._asked:
            self._cut(asked)
        self._asked.clear()
        self._ring.clear()
        self._video = None

    def _cut(self, asked: _Asked) -> None:
        kept = self._ring.between(asked.start, asked.end)
        coding, video = self._coding, self._video
        if not kept or coding is None or video is None:
            log.warning("no clip", camera=self._spec.code, reason="nothing of the stream is kept for this time")
            return
        if coding.copied:
            self._write(asked, kept, lambda path: copy_clip(kept, video.stream, path))
        else:
            _encoding.submit(self._write, asked, kept, lambda path: encode_clip(kept, coding, path))

    def _write(self, asked: _Asked, kept: list[Kept], write: Callable[[Path], None]) -> None:
        with tempfile.NamedTemporaryFile(prefix="shoufu-clip-", suffix=".mp4", delete=False) as file:
            path = Path(file.name)
        try:
            with self._costs.measure("clip"):
                write(path)
        except ClipError as error:
            path.unlink(missing_ok=True)
            log.warning("no clip", camera=self._spec.code, reason=str(error))
            return
        self._sink.store_clip(self._spec.code, asked.id, path, kept[0].time, kept[-1].time)


def _span(spec: CameraSpec) -> float:
    return spec.settings.before + spec.settings.after
