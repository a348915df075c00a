"""A finished rehearsal as its page shows it: figures, a dot a firing, the differences with reasons in words."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import limit
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.places.models import Place
from shoufu.kernel.rules.explain import not_fired
from shoufu.kernel.rules.models import Rehearsal

SHOWN = 60
MINUTE, HOUR, DAY = 60, 3_600, 86_400
MOST_IN_COLUMN = 12
ORDER = ("true", "false_alarm", "open", "unknown")
VERDICTS = {"true": "true", "false_alarm": "false", "open": "unknown", "unknown": "unknown"}


@dataclass(frozen=True)
class Dot:
    """One firing: `column` counts the chart's steps from its start, `level` stacks those of one step; `more` stands for
    the rest."""

    column: int
    level: int
    live: bool
    verdict: str
    t: datetime | None
    more: int = 0


@dataclass(frozen=True)
class Chart:
    """The columns of a rehearsal's dots: days, hours or minutes by the length of its span; `step` in seconds."""

    start: datetime
    step: int
    columns: int

    def column(self, moment: datetime) -> int:
        """Where a moment stands, kept inside."""
        found = int((moment - self.start).total_seconds() // self.step)
        return min(max(found, 0), self.columns - 1)


@dataclass(frozen=True)
class Difference:
    """A firing that only one of the two has, or that one has later."""

    t: datetime
    place: str
    live: str
    draft: str
    why: str
    verdict: str
    outcome: str
    case: int | None


@dataclass(frozen=True)
class Side:
    """The figures of one of the two."""

    raised: int
    per_day: float
    real: int
    false_alarms: int

    @property
    def share(self) -> float | None:
        """False alarms among those with a verdict, 0…1."""
        judged = self.real + self.false_alarms
        return self.false_alarms / judged if judged else None


@dataclass(frozen=True)
class Report:
    """What the page of a rehearsal shows; `live` is None when the rule never was live."""

    rows: int
    seconds: float
    days: float
    live: Side | None
    draft: Side
    missed: int
    later_mean: float | None
    later_most: float | None
    only_live: int
    only_draft: int
    live_number: int | None
    recorded: bool
    cut: bool
    chart: Chart
    dots: list[Dot]
    differences: list[Difference]

    @property
    def history(self) -> float:
        """How much history was read, in seconds."""
        return self.days * DAY


def _moment(value: Any) -> datetime | None:
    found = parse_datetime(str(value)) if value else None
    return found if found is None or timezone.is_aware(found) else timezone.make_aware(found)


def _side(figures: Any) -> Side | None:
    if not isinstance(figures, Mapping):
        return None
    return Side(figures["raised"], figures["per_day"], figures["true"], figures["false_alarms"])


def report_of(actor: Actor, rehearsal: Rehearsal) -> Report | None:
    """The report of a finished rehearsal (one query); None where its result has another form."""
    result = rehearsal.result
    if not isinstance(result, Mapping) or "draft_figures" not in result:
        return None
    draft = _side(result["draft_figures"])
    assert draft is not None
    later = result.get("later") or {}
    chart = _chart(rehearsal.since, rehearsal.until)
    return Report(
        rows=result["rows"],
        seconds=result["seconds"],
        days=(rehearsal.until - rehearsal.since).total_seconds() / 86_400,
        live=_side(result.get("live_figures")),
        draft=draft,
        missed=result["missed_true"],
        later_mean=later.get("mean"),
        later_most=later.get("most"),
        only_live=result["only_live"],
        only_draft=result["only_draft"],
        live_number=result.get("live_number"),
        recorded=result.get("baseline") == "recorded",
        cut=bool(result.get("cut")),
        chart=chart,
        dots=[dot for live in (True, False) for dot in _dots(result, live, chart)],
        differences=_differences(actor, result),
    )


def _chart(since: datetime, until: datetime) -> Chart:
    """Minutes up to three hours, hours up to two days, else the days of the pages' zone."""
    span = until - since
    step = MINUTE if span <= timedelta(hours=3) else HOUR if span <= timedelta(days=2) else DAY
    local = timezone.localtime(since)
    start = local.replace(second=0, microsecond=0)
    if step > MINUTE:
        start = start.replace(minute=0)
    if step == DAY:
        start = start.replace(hour=0)
        return Chart(start, step, (timezone.localtime(until).date() - start.date()).days + 1)
    return Chart(start, step, max(1, math.ceil((until - start).total_seconds() / step)))


def _dots(result: Mapping[str, Any], live: bool, chart: Chart) -> Iterator[Dot]:
    """A dot for each firing of a step; one with very many shows the first and says how many more."""
    if chart.step == DAY:
        yield from _daily(result, live, chart.start.date())
        return
    name = "live_at" if live else "draft_at"
    columns: dict[int, list[tuple[datetime, str]]] = {}
    for entry in result.get("days") or ():
        for verdict, times in (entry.get(name) or {}).items():
            for moment in filter(None, map(_moment, times)):
                columns.setdefault(chart.column(moment), []).append((moment, verdict))
    for column, found in sorted(columns.items()):
        for level, (moment, verdict) in enumerate(sorted(found)[:MOST_IN_COLUMN]):
            more = len(found) - MOST_IN_COLUMN if level == MOST_IN_COLUMN - 1 else 0
            yield Dot(column, level, live, VERDICTS[verdict], moment, max(0, more))


def _daily(result: Mapping[str, Any], live: bool, first: date) -> Iterator[Dot]:
    name = "live" if live else "draft"
    for entry in result.get("days") or ():
        day = date.fromisoformat(entry["day"])
        counts: Mapping[str, int] = entry.get(name) or {}
        times: Mapping[str, list[str]] = entry.get(f"{name}_at") or {}
        order = [(v, at) for v in ORDER for at in _padded(times.get(v, []), counts.get(v, 0))]
        for level, (verdict, at) in enumerate(order[:MOST_IN_COLUMN]):
            more = len(order) - MOST_IN_COLUMN if level == MOST_IN_COLUMN - 1 else 0
            yield Dot((day - first).days, level, live, VERDICTS[verdict], _moment(at), max(0, more))


def _padded(times: list[str], count: int) -> list[str]:
    """Only the first times of a day are kept: the rest is only counted."""
    return times + [""] * (count - len(times))


def _where(place: Place | None) -> str:
    if place is None:
        return ""
    if place.kind in (Place.Kind.UNIT, Place.Kind.DOOR) and place.parent:
        return f"{_where(place.parent)} {place.label}"
    return place.label


def _differences(actor: Actor, result: Mapping[str, Any]) -> list[Difference]:
    rows = list(result.get("differences") or ())[:SHOWN]
    ids = {row["place"] for row in rows if row.get("place")}
    seen = limit(Place.objects.filter(pk__in=ids), actor, "places.view", "path").select_related("parent__parent")
    names = {place.pk: place for place in seen}
    return [_difference(row, names) for row in rows]


def _difference(row: Mapping[str, Any], names: Mapping[int, Place]) -> Difference:
    moved = bool(row.get("live") and row.get("draft"))
    return Difference(
        t=_moment(row["t"]) or timezone.now(),
        place=_where(names.get(row.get("place") or 0)),
        live=_said(row.get("live"), moved),
        draft=_said(row.get("draft"), moved),
        why=not_fired(row.get("why")),
        verdict=VERDICTS.get(row.get("verdict") or "unknown", "unknown"),
        outcome=str(row.get("text") or ""),
        case=row.get("case"),
    )


def _said(mark: Any, moved: bool) -> str:
    if not mark:
        return _("not raised")
    moment = _moment(mark.get("t"))
    if not moved or moment is None:
        return _("raised")
    return _("%(at)s raised") % {"at": timezone.localtime(moment).strftime("%H:%M:%S")}
