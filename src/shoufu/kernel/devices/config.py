from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import FieldError, Invalid

MAXIMUM_BYTES = 64 * 1024
MAXIMUM_ZONES = 32
MAXIMUM_POINTS = 64


class Zone(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """An area or a line drawn on a camera's picture; points (x, y) are fractions of width and height."""

    name: str
    points: list[tuple[float, float]]
    kind: Literal["zone", "line"] = "zone"
    name_en: str = ""


class CameraConfig(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """`source` is an address (rtsp://…) or file to watch; `watch` holds settings of the watcher, scalars or lists.
    `view_degrees` is the angle of view across the picture, `view_metres` how far it is of use: what maps draw."""

    source: str = ""
    zones: list[Zone] = []
    watch: dict[str, str | int | float | bool | None | list[str | int | float]] = {}
    view_degrees: float | None = None
    view_metres: float | None = None


@dataclass(frozen=True)
class _Check:
    zone: Zone
    field: str

    def errors(self) -> list[FieldError]:
        found = []
        zone, least = self.zone, 3 if self.zone.kind == "zone" else 2
        if not zone.name.strip() or len(zone.name) > 40:
            found.append(FieldError(f"{self.field}/name", _("A name of 1 to 40 characters.")))
        if not least <= len(zone.points) <= MAXIMUM_POINTS:
            message = _("Between %(least)d and %(most)d points.") % {"least": least, "most": MAXIMUM_POINTS}
            found.append(FieldError(f"{self.field}/points", message))
        for number, point in enumerate(zone.points):
            if not all(0 <= value <= 1 for value in point):
                message = _("x and y are fractions of the picture, from 0 to 1.")
                found.append(FieldError(f"{self.field}/points/{number}", message))
        return found


def checked(kind: str, config: Mapping[str, Any], field: str = "config") -> dict[str, Any]:
    """The configuration as it may be stored for a device of this kind; Invalid names every fault.

    Cameras have a fixed form; other devices take any JSON object of at most 64 kB.
    """
    if len(msgspec.json.encode(config)) > MAXIMUM_BYTES:
        raise Invalid.one(field, _("At most 64 kB of configuration."))
    if kind != "camera":
        return dict(config)
    try:
        camera = msgspec.convert(config, CameraConfig)
    except msgspec.ValidationError as error:
        raise Invalid.one(*_located(str(error), field)) from error
    errors = [*_zone_errors(camera.zones, f"{field}/zones"), *_view_errors(camera, field)]
    if errors:
        raise Invalid(*errors)
    stored: dict[str, Any] = msgspec.to_builtins(camera)
    return stored


def _view_errors(camera: CameraConfig, field: str) -> list[FieldError]:
    found = []
    if camera.view_degrees is not None and not 1 <= camera.view_degrees <= 360:
        found.append(FieldError(f"{field}/view_degrees", _("An angle from 1 to 360 degrees.")))
    if camera.view_metres is not None and not 1 <= camera.view_metres <= 1000:
        found.append(FieldError(f"{field}/view_metres", _("A distance from 1 to 1,000 metres.")))
    for name in ("before", "after"):
        value = camera.watch.get(name)
        if value is not None and (not isinstance(value, int | float) or not 0 <= value <= 120):
            found.append(FieldError(f"{field}/watch/{name}", _("From 0 to 120 seconds.")))
    return found


def _zone_errors(zones: Sequence[Zone], field: str) -> list[FieldError]:
    if len(zones) > MAXIMUM_ZONES:
        return [FieldError(field, _("At most %(n)d zones and lines.") % {"n": MAXIMUM_ZONES})]
    errors = [error for n, zone in enumerate(zones) for error in _Check(zone, f"{field}/{n}").errors()]
    names = [zone.name for zone in zones]
    for number, name in enumerate(names):
        if name in names[:number]:
            errors.append(FieldError(f"{field}/{number}/name", _("Another zone or line has this name.")))
    return errors


def _located(message: str, field: str) -> tuple[str, str]:
    """msgspec's message, as a JSON pointer and the rest: "… - at `$.zones[0].points`" → "config/zones/0/points"."""
    text, mark, where = message.partition(" - at `$")
    if not mark:
        return field, text
    pointer = where.rstrip("`").replace("[...]", "").replace("[", "/").replace("]", "").replace(".", "/")
    return f"{field}{pointer}", text
