"""A rehearsal told for people: what the draft would have raised against what the live rule raised, and how it ended."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.places.models import Place
from shoufu.kernel.rules.models import Rehearsal

SAME = timedelta(minutes=30)
SHOWN = 60
TRUE, FALSE, UNKNOWN = "true", "false", "unknown"


@dataclass(frozen=True)
class Raised:
    """One firing that raised something: by which key, where, when, and what its case turned out to be."""

    t: datetime
    key: str
    place: int
    verdict: str = UNKNOWN
    outcome: str = ""
    case: int | None = None


@dataclass(frozen=True)
class Dot:
    """A firing on the timeline: `day` counts from the first, `level` stacks those of one day."""

    day: int
    level: int
    live: bool
    verdict: str
    t: datetime
    case: int | None
    place: str


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
class Report:
    """What the page of a rehearsal shows."""

    rows: int
    seconds: float
    days: float
    live: int
    draft: int
    live_false: int
    draft_false: int
    missed: int
    real: int
    delay_mean: float | None
    delay_most: float | None
    only_live: int
    only_draft: int
    first_day: date
    day_count: int
    dots: list[Dot]
    differences: list[Difference]

    @property
    def live_share(self) -> float | None:
        return self.live_false / self.live if self.live else None

    @property
    def draft_share(self) -> float | None:
        return self.draft_false / self.draft if self.draft else None

    @property
    def per_day(self) -> float:
        return self.draft / self.days if self.days else 0.0

    @property
    def live_per_day(self) -> float:
        return self.live / self.days if self.days else 0.0


def _moment(value: Any) -> datetime:
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    found = parse_datetime(str(value))
    return found if found is not None else datetime.fromtimestamp(0, UTC)


def _listed(items: Any) -> list[Raised]:
    rows = [item for item in items or () if isinstance(item, Mapping) and not item.get("suppressed")]
    found = [Raised(_moment(item["t"]), str(item.get("key", "")), int(item.get("place") or 0)) for item in rows]
    return sorted(found, key=lambda raised: (raised.t, raised.key))


def _judged(actor: Actor, rehearsal: Rehearsal, rows: Iterable[Raised]) -> list[Raised]:
    """Each firing with the end of the case nearest to it: false alarm, real, or not known."""
    from shoufu.kernel.cases import selectors as cases
    from shoufu.kernel.cases.models import Case

    known = cases.visible(actor).filter(
        rule_version__rule=rehearsal.version.rule_id, opened_at__range=(rehearsal.since - SAME, rehearsal.until + SAME)
    )
    by_place: dict[int, list[Any]] = {}
    by_key: dict[str, list[Any]] = {}
    for case in known.order_by("opened_at")[:5000]:
        by_place.setdefault(case.place_id, []).append(case)
        if case.key:
            by_key.setdefault(case.key, []).append(case)
    judged = []
    for raised in rows:
        near = [case for case in by_key.get(raised.key) or by_place.get(raised.place, ()) if abs(case.opened_at - raised.t) <= SAME]
        case = min(near, key=lambda found: abs(found.opened_at - raised.t), default=None)
        if case is None:
            judged.append(raised)
            continue
        ended = case.state in (Case.State.RESOLVED, Case.State.CLOSED)
        verdict = FALSE if case.state == Case.State.FALSE_ALARM else TRUE if ended else UNKNOWN
        judged.append(Raised(raised.t, raised.key, raised.place, verdict, case.outcome, case.pk))
    return judged


def _pairs(live: list[Raised], draft: list[Raised]) -> tuple[list[tuple[Raised, Raised]], list[Raised], list[Raised]]:
    """Firings of both that mean the same (same key, at most half an hour apart), only live ones, only draft ones."""
    waiting: dict[str, list[Raised]] = {}
    for raised in draft:
        waiting.setdefault(raised.key, []).append(raised)
    both, only_live = [], []
    for raised in live:
        near = [other for other in waiting.get(raised.key, ()) if abs(other.t - raised.t) <= SAME]
        if not near:
            only_live.append(raised)
            continue
        other = min(near, key=lambda found: abs(found.t - raised.t))
        waiting[raised.key].remove(other)
        both.append((raised, other))
    return both, only_live, sorted((r for rest in waiting.values() for r in rest), key=lambda r: r.t)


def report_of(actor: Actor, rehearsal: Rehearsal) -> Report:
    """The report of a finished rehearsal; three queries. Verdicts come from the cases that the live rule raised."""
    result: Mapping[str, Any] = rehearsal.result if isinstance(rehearsal.result, Mapping) else {}
    live = _judged(actor, rehearsal, _listed(result.get("live")))
    draft = _judged(actor, rehearsal, _listed(result.get("draft") or result.get("firings")))
    both, only_live, only_draft = _pairs(live, draft)
    delays = [(new.t - old.t).total_seconds() for old, new in both if old.verdict != FALSE and new.t > old.t]
    names = {place.pk: place for place in Place.objects.filter(pk__in={r.place for r in (*live, *draft)}).select_related("parent")}
    first = timezone.localtime(rehearsal.since).date()
    last = timezone.localtime(rehearsal.until).date()
    real = [raised for raised in live if raised.verdict == TRUE]
    return Report(
        rows=int(result.get("rows") or 0),
        seconds=float(rehearsal.seconds or 0),
        days=(rehearsal.until - rehearsal.since) / timedelta(days=1),
        live=len(live),
        draft=len(draft),
        live_false=sum(r.verdict == FALSE for r in live),
        draft_false=sum(r.verdict == FALSE for r in draft),
        missed=sum(r.verdict == TRUE for r in only_live),
        real=len(real),
        delay_mean=sum(delays) / len(delays) if delays else None,
        delay_most=max(delays, default=None),
        only_live=len(only_live),
        only_draft=len(only_draft),
        first_day=first,
        day_count=(last - first).days + 1,
        dots=_dots(live, True, first, names) + _dots(draft, False, first, names),
        differences=_differences(both, only_live, only_draft, names),
    )


def _where(place: Place | None) -> str:
    if place is None:
        return ""
    inner = place.kind in (Place.Kind.UNIT, Place.Kind.DOOR) and place.parent
    return f"{place.parent.label} {place.label}" if inner and place.parent else place.label


def _dots(rows: list[Raised], live: bool, first: date, names: Mapping[int, Place]) -> list[Dot]:
    levels: dict[int, int] = {}
    dots = []
    for raised in rows:
        day = (timezone.localtime(raised.t).date() - first).days
        level = levels.get(day, 0)
        levels[day] = level + 1
        dots.append(Dot(day, level, live, raised.verdict, raised.t, raised.case, _where(names.get(raised.place))))
    return dots


def _differences(
    both: list[tuple[Raised, Raised]], only_live: list[Raised], only_draft: list[Raised], names: Mapping[int, Place]
) -> list[Difference]:
    def clock(moment: datetime) -> str:
        return timezone.localtime(moment).strftime("%H:%M")

    rows = [
        Difference(r.t, _where(names.get(r.place)), _("raised"), _("not raised"), _("The draft's condition was not met."),
                   r.verdict, r.outcome, r.case)
        for r in only_live
    ]
    rows += [
        Difference(r.t, _where(names.get(r.place)), _("not raised"), _("raised"), _("Only the draft's condition was met."),
                   r.verdict, r.outcome, r.case)
        for r in only_draft
    ]
    for old, new in both:
        seconds = (new.t - old.t).total_seconds()
        if abs(seconds) < 1:
            continue
        words = _("%(n)d s later") if seconds > 0 else _("%(n)d s earlier")
        rows.append(
            Difference(old.t, _where(names.get(old.place)), _("%(at)s raised") % {"at": clock(old.t)},
                       _("%(at)s raised") % {"at": clock(new.t)}, words % {"n": abs(seconds)}, old.verdict, old.outcome, old.case)
        )
    return sorted(rows, key=lambda row: row.t, reverse=True)[:SHOWN]
