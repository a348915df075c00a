"""Which cameras to watch and with which credential to tell what they see: read from the kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import structlog

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.devices import services
from shoufu.kernel.devices.models import Device
from shoufu.kernel.devices.services import DeviceDraft
from shoufu.kernel.places.models import Place

from .config import CameraSpec, ConfigError, camera_spec

log = structlog.get_logger("watcher")


@dataclass(frozen=True, slots=True)
class Part:
    """Which share of the cameras is this process's: `number` of `of`, from 0."""

    number: int = 0
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> Part:
        """From "1/4". Raises ValueError."""
        number, _, of = text.partition("/")
        part = cls(int(number), int(of))
        if not 0 <= part.number < part.of:
            raise ValueError(f"{text!r} is not like 0/2: the first number counts from 0 and is less than the second")
        return part

    def has(self, code: str) -> bool:
        """Whether the camera with this code is one of this part's."""
        return crc32(code.encode()) % self.of == self.number


@dataclass(frozen=True, slots=True)
class Watched:
    """A camera and the id of the root place of its tree."""

    spec: CameraSpec
    root: int


def cameras(part: Part, told: set[str]) -> list[Watched]:
    """Every camera in service with a source, of this part (two queries). A faulty configuration is logged once:
    `told` keeps what was said."""
    roots = {root.path: root.pk for root in Place.objects.filter(parent__isnull=True)}
    rows = Device.objects.filter(kind=Device.Kind.CAMERA, retired_at__isnull=True).select_related("place")
    found = []
    for device in rows.exclude(config__source="").filter(config__has_key="source").order_by("code"):
        if not part.has(device.code):
            continue
        try:
            spec = camera_spec(device.code, device.config)
        except (ConfigError, KeyError, TypeError, ValueError) as error:
            if str(error) not in told:
                told.add(str(error))
                log.error("camera left out", camera=device.code, reason=str(error))
            continue
        root = next((pk for path, pk in roots.items() if device.place.path.startswith(path)), device.place_id)
        found.append(Watched(spec, root))
    return found


def gateway_secret(part: Part, root: int) -> tuple[str, str]:
    """Code and a fresh secret of the gateway device by which this process tells what the cameras below `root` see.

    The secret lives in this process's memory only: every start has another, and the one before is refused.
    """
    code = f"watcher-{root}-{part.number}"
    existing = Device.objects.filter(code=code, retired_at__isnull=True).first()
    if existing is not None:
        return code, services.rotate_secret(SYSTEM, existing.pk).secret
    draft = DeviceDraft(
        code,
        Device.Kind.GATEWAY,
        f"视频分析 {part.number + 1}",
        root,
        name_en=f"Watcher {part.number + 1}",
        protocol="http",
    )
    return code, services.register(SYSTEM, draft).secret


def roots_of(watched: Sequence[Watched]) -> set[int]:
    """Root places of these cameras."""
    return {camera.root for camera in watched}
