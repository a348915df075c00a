from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import get_language

from shoufu.kernel.base import registry
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.pages import Scope
from shoufu.kernel.cases import selectors as cases
from shoufu.kernel.cases.models import Severity
from shoufu.kernel.cases.pages import kind_label
from shoufu.kernel.observations import selectors as observations

SPANS = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}


@dataclass(frozen=True)
class SceneFigure:
    """A figure that a scene declares, with the list behind it."""

    name: str
    value: str
    unit: str
    url: str


def _address(name: str) -> str:
    try:
        return reverse(name) if name else ""
    except NoReverseMatch:
        return ""


def scene_figures(actor: Actor, path: str) -> list[SceneFigure]:
    """The figures of every scene, in the reader's language."""
    english = (get_language() or "").startswith("en")
    return [
        SceneFigure(
            figure.name_en if english else figure.name,
            f"{figure.read(actor, path):g}",
            figure.unit_en if english else figure.unit,
            _address(figure.url),
        )
        for scene in registry.scenes()
        for figure in scene.figures
    ]


@dataclass(frozen=True)
class Bar:
    """A kind of case and its share of the most frequent."""

    label: str
    count: int
    share: float


def by_kind(actor: Actor, scope: Scope, since: datetime, until: datetime) -> list[Bar]:
    """Cases by kind, most first."""
    rows = cases.trend_by_kind(actor, scope.path, since, until)[:8]
    most = max((count for _kind, count in rows), default=1)
    return [Bar(kind_label(kind), count, count / most) for kind, count in rows]


def charts(actor: Actor, scope: Scope, span: str, until: datetime) -> dict[str, Any]:
    """Series for the charts: cases by severity and observations by kind, per hour (a day) or per day (longer)."""
    since = until - SPANS[span]
    step = timedelta(hours=1) if span == "day" else timedelta(days=1)
    start = timezone.localtime(since).replace(minute=0, second=0, microsecond=0)
    start = start if span == "day" else start.replace(hour=0)
    slots = [start + step * n for n in range(int((until - start) / step) + 1)]
    severities = {code: [0] * len(slots) for code in Severity.values}
    for moment, severity, count in cases.per_bucket(
        actor, scope.path, since, until, "hour" if span == "day" else "day"
    ):
        index = int((moment - start) / step)
        if 0 <= index < len(slots):
            severities[severity][index] += count
    return {
        "slots": [slot.isoformat() for slot in slots],
        "daily": span != "day",
        "cases": [
            {"code": code, "name": str(Severity(code).label), "values": severities[code]} for code in Severity.values
        ],
        "observations": _observations(actor, scope, since, until, start, step, len(slots)),
    }


def _observations(
    actor: Actor, scope: Scope, since: datetime, until: datetime, start: datetime, step: timedelta, size: int
) -> list[dict[str, Any]]:
    if not actor.may_anywhere("observations.view"):
        return []
    english = (get_language() or "").startswith("en")
    names = {kind.code: (kind.name_en if english else kind.name) for kind in observations.kinds()}
    series: dict[str, list[int]] = {}
    for moment, kind, count in observations.hourly(actor, scope.path, since, until):
        index = int((moment - start) / step)
        if 0 <= index < size:
            series.setdefault(kind, [0] * size)[index] += count
    rows = sorted(series.items(), key=lambda entry: -sum(entry[1]))[:6]
    return [{"code": code, "name": names.get(code, code), "values": values} for code, values in rows]
