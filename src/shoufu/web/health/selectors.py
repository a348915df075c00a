import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Count, Q

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.devices import selectors as device_selectors
from shoufu.kernel.devices.models import Device

STALE_SECONDS = 15.0


@dataclass(frozen=True)
class DeviceHealth:
    """One line of health: devices online of all in the scope."""

    online: int
    total: int

    @property
    def level(self) -> str:
        if self.total == 0:
            return "none"
        if self.online == self.total:
            return "good"
        return "warn" if self.online / self.total >= 0.9 else "bad"


def devices(actor: Actor, path: str) -> DeviceHealth:
    """Online and all devices in service below a path (one query)."""
    rows = device_selectors.visible(actor).filter(place__path__startswith=path)
    counted = rows.aggregate(total=Count("pk"), online=Count("pk", filter=Q(status=Device.Status.ONLINE)))
    return DeviceHealth(counted["online"], counted["total"])


@dataclass(frozen=True)
class Process:
    """A process of this machine as the supervisor last saw it; `rss` in bytes."""

    name: str
    state: str
    pid: int | None
    restarts: int
    since: datetime
    rss: int
    last_error: str


def _run_folder() -> Path:
    return Path(settings.MEDIA_ROOT).parent / "run"


def processes() -> list[Process]:
    """From the supervisor's status file; empty where the processes were started by something else."""
    try:
        status = json.loads((_run_folder() / "status.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [_process(entry) for entry in status.get("processes", ())]


def _process(entry: dict[str, Any]) -> Process:
    return Process(
        entry["name"], entry["state"], entry["pid"], entry["restarts"],
        datetime.fromtimestamp(entry["since"], UTC), entry["rss"], entry["last_error"],
    )


@dataclass(frozen=True)
class Stage:
    """What one stage of a camera's pipeline costs: runs, and milliseconds a run; `share` of the camera's time."""

    camera: str
    name: str
    runs: int
    milliseconds: float
    share: float


def watcher_stages() -> list[Stage]:
    """From the watchers' cost files (`run/watcher*.json`); empty while no watcher runs."""
    found: list[Stage] = []
    for path in sorted(_run_folder().glob("watcher*.json")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        found.extend(_stages(content))
    return found


def _stages(content: Any) -> Iterator[Stage]:
    cameras = content.get("cameras", {}) if isinstance(content, dict) else {}
    for camera, entry in cameras.items():
        stages = entry.get("stages", {}) if isinstance(entry, dict) else {}
        total = sum(float(stage.get("seconds", 0)) for stage in stages.values()) or 1.0
        for name, stage in stages.items():
            runs, seconds = int(stage.get("runs", 0)), float(stage.get("seconds", 0))
            yield Stage(camera, name, runs, seconds / runs * 1000 if runs else 0.0, seconds / total)
