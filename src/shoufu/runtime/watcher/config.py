"""What a camera is asked to watch for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from shoufu.engines.tracking import Line
from shoufu.runtime.models import ModelError

from . import footage

Place = tuple[float, float]


class ConfigError(ValueError):
    """A camera's configuration cannot be used; the text names the field and what it takes."""


@dataclass(frozen=True, slots=True)
class NamedLine:
    """A line across the picture, one or more pieces, in fractions of width and height.

    Crossing it to the right, seen from its first point to its last, is `in`.
    """

    name: str
    pieces: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class NamedZone:
    """A polygon in fractions of the picture's width and height."""

    name: str
    points: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """`rate`: pictures a second looked at. `dwell`: stays reported, seconds. `count_every`: longest time between two
    counts, seconds. `record`: keep everything that the camera shows; `clips`: where it is not, what happened only.
    `before`, `after`: what a clip shows around what happened, seconds."""

    rate: float = 6.0
    dwell: tuple[float, ...] = (10.0, 30.0, 60.0, 300.0)
    count_every: float = 60.0
    record: bool = True
    clips: bool = True
    before: float = 10.0
    after: float = 20.0
    plates: bool = False
    loop: bool = True


@dataclass(frozen=True, slots=True)
class CameraSpec:
    """A camera to watch: `source` is rtsp://…, http(s)://… or the path of a file, which is looped in real time."""

    code: str
    source: str
    lines: tuple[NamedLine, ...] = ()
    zones: tuple[NamedZone, ...] = ()
    settings: WatchSettings = WatchSettings()

    @property
    def is_file(self) -> bool:
        return "://" not in self.source

    @property
    def shown(self) -> str:
        """The source without user name, password and query, for logs and messages."""
        if self.is_file:
            return self.source
        parts = urlsplit(self.source)
        return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"


def camera_spec(code: str, config: Mapping[str, Any]) -> CameraSpec:
    """A camera device's configuration (`source`, `zones`, `watch`) as what to watch. Raises `ConfigError`."""
    source = str(config.get("source", ""))
    if not source:
        raise ConfigError(f"{code}: source is empty; give an rtsp:// address or a file")
    try:
        source = footage.resolve(source)
    except ModelError as error:
        raise ConfigError(f"{code}: source {source!r}: {error}") from error
    drawn = list(config.get("zones", ()))
    lines = tuple(_line(shape) for shape in drawn if shape.get("kind") == "line")
    zones = tuple(
        NamedZone(shape["name"], tuple((float(x), float(y)) for x, y in shape["points"]))
        for shape in drawn
        if shape.get("kind", "zone") == "zone"
    )
    return CameraSpec(code, source, lines, zones, _settings(code, config.get("watch", {})))


def _line(shape: Mapping[str, Any]) -> NamedLine:
    points = [(float(x), float(y)) for x, y in shape["points"]]
    return NamedLine(shape["name"], tuple(Line(a, b) for a, b in zip(points, points[1:], strict=False)))


def _settings(code: str, watch: Mapping[str, Any]) -> WatchSettings:
    default = WatchSettings()
    stays = watch.get("dwell", default.dwell)
    return WatchSettings(
        rate=_number(code, watch, "rate", default.rate, 0.2, 30),
        dwell=tuple(sorted(_within(code, "dwell", value, 1, 86_400) for value in stays)),
        count_every=_number(code, watch, "count_every", default.count_every, 1, 3600),
        record=bool(watch.get("record", default.record)),
        clips=bool(watch.get("clips", default.clips)),
        before=_number(code, watch, "before", default.before, 0, 120),
        after=_number(code, watch, "after", default.after, 0, 120),
        plates=bool(watch.get("plates", default.plates)),
        loop=bool(watch.get("loop", default.loop)),
    )


def _number(code: str, watch: Mapping[str, Any], name: str, default: float, low: float, high: float) -> float:
    return _within(code, name, watch.get(name, default), low, high)


def _within(code: str, name: str, value: object, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ConfigError(f"{code}: watch.{name} is {value!r}; it takes a number from {low:g} to {high:g}")
    return float(value)
