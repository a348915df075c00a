import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _

from shoufu.kernel.access.policy import limit
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.devices import selectors as device_selectors
from shoufu.kernel.devices.models import Device
from shoufu.kernel.observations.models import Rejection
from shoufu.kernel.rules.models import Rule, RuleVersion
from shoufu.web.health import figures

STALE_SECONDS = 15.0
STATES = {
    "waiting": (_("waiting to start"), "low"),
    "starting": (_("starting"), "warn"),
    "ready": (_("runs"), "good"),
    "unhealthy": (_("does not answer"), "bad"),
    "backoff": (_("starts again soon"), "bad"),
    "done": (_("finished"), "low"),
    "stopped": (_("switched off"), "low"),
}
STAGES = {
    "decode": _("decode"),
    "record": _("record"),
    "live picture": _("live picture"),
    "tamper": _("tamper check"),
    "scale": _("scale"),
    "motion": _("motion"),
    "detect": _("detect"),
    "track": _("track"),
    "plates": _("plates"),
    "snapshot": _("snapshot"),
    "clip": _("clip"),
}
REASONS = {
    "credential": _("Wrong or revoked secret"),
    "device": _("Device unknown or not allowed"),
    "kind": _("Unknown kind of observation"),
    "schema": _("Result does not fit its kind"),
    "invalid": _("Not readable"),
    "refused": _("Refused by the store"),
    "topic": _("Another device's topic"),
    "too-large": _("Too large"),
}


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

    @property
    def word(self) -> str:
        """The state in the reader's language."""
        return str(STATES[self.state][0]) if self.state in STATES else self.state

    @property
    def level(self) -> str:
        """How the state is marked: good, warn, bad or low."""
        return STATES[self.state][1] if self.state in STATES else "warn"


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
        entry["name"],
        entry["state"],
        entry["pid"],
        entry["restarts"],
        datetime.fromtimestamp(entry["since"], UTC),
        entry["rss"],
        entry["last_error"],
    )


@dataclass(frozen=True)
class Stage:
    """One stage of a camera's pipeline: runs in the last seconds, milliseconds a run, per cent of a core."""

    name: str
    runs: int
    milliseconds: float
    core_percent: float

    @property
    def word(self) -> str:
        """The stage in the reader's language."""
        return str(STAGES.get(self.name, self.name))


@dataclass(frozen=True)
class Watched:
    """A camera as its watcher sees it; `lag` in seconds behind the picture."""

    code: str
    state: str
    reason: str
    fps: float
    analysed_fps: float
    lag: float
    stages: tuple[Stage, ...]

    @property
    def word(self) -> str:
        """The state in the reader's language."""
        return str(Device.Status(self.state).label) if self.state in Device.Status.values else self.state

    @property
    def core_percent(self) -> float:
        return sum(stage.core_percent for stage in self.stages)


def watched(actor: Actor) -> list[Watched]:
    """The cameras that the actor may see with what each stage costs, from the watchers' newest figures."""
    entries = {entry["code"]: entry for page in figures.pages() for entry in page.get("cameras", ())}
    seen = device_selectors.visible(actor).filter(code__in=entries).values_list("code", flat=True)
    return [_watched(entries[code]) for code in sorted(seen)]


def _watched(entry: dict[str, Any]) -> Watched:
    stages = tuple(
        Stage(name, int(cost["runs"]), float(cost["mean_ms"]), float(cost["core_percent"]))
        for name, cost in entry.get("stages", {}).items()
    )
    return Watched(
        entry["code"],
        entry["state"],
        entry.get("reason") or "",
        entry["fps"],
        entry["analysed_fps"],
        entry["lag"],
        stages,
    )


@dataclass(frozen=True)
class Evaluator:
    """A shard of the evaluator as it last said: `behind` in seconds between now and its watermark, `late` rows that
    came behind it, `waiting` rows in front of it."""

    shard: int
    rules: int
    behind: float
    waiting: int
    late: int
    rows_per_second: float


@dataclass(frozen=True)
class FailingRule:
    """A live rule that could not be read (`broken`) or whose expression fails on what comes in, with the reason."""

    rule: Rule
    reason: str
    broken: bool


def evaluators() -> list[Evaluator]:
    """Every shard's newest figures; empty where no evaluator runs."""
    now = time.time()
    return [
        Evaluator(
            shard=page["shard"],
            rules=page["rules"],
            behind=max(0.0, now - page["watermark"]) if page["watermark"] > 0 else 0.0,
            waiting=page["waiting"],
            late=page["late"],
            rows_per_second=page["rows_per_second"],
        )
        for page in figures.pages(figures.EVALUATORS)
    ]


def failing_rules(actor: Actor) -> list[FailingRule]:
    """The live rules that fail, of those that the actor may see; one query."""
    reasons: dict[int, tuple[str, bool]] = {}
    for page in figures.pages(figures.EVALUATORS):
        reasons |= {int(version): (str(text), False) for version, text in page["failing"].items()}
        reasons |= {int(version): (str(text), True) for version, text in page["broken"].items()}
    if not reasons:
        return []
    rows = limit(RuleVersion.objects.filter(pk__in=reasons), actor, "rules.view", "rule__place__path")
    return [FailingRule(row.rule, *reasons[row.pk]) for row in rows.select_related("rule").order_by("rule__code")]


@dataclass(frozen=True)
class Rejected:
    """One sender's refusals for one reason of one day."""

    word: str
    device_code: str
    sample: str
    count: int

    @classmethod
    def of(cls, row: Rejection) -> "Rejected":
        return cls(reason_word(row.reason), row.device_code, row.sample, row.count)


@dataclass(frozen=True)
class Refused:
    """What the edge refused for one reason, from all senders that the actor may see."""

    reason: str
    count: int
    senders: int

    @property
    def word(self) -> str:
        """The reason in the reader's language."""
        return reason_word(self.reason)


def reason_word(reason: str) -> str:
    """A reason of a refusal in the reader's language; its code where there is no word for it."""
    if reason.startswith("media-"):
        return str(_("Picture or clip not accepted"))
    return str(REASONS.get(reason, reason))


def refused(rejections: Sequence[Rejection]) -> list[Refused]:
    """Refusals added up by reason, most first."""
    counts: dict[str, list[int]] = {}
    for row in rejections:
        counts.setdefault(row.reason, []).append(row.count)
    found = [Refused(reason, sum(rows), len(rows)) for reason, rows in counts.items()]
    return sorted(found, key=lambda row: -row.count)
