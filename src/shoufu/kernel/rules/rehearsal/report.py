"""What a draft would have raised, beside what the live rule raised: the figures of the rehearsal page."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from shoufu.kernel.cases import outcomes
from shoufu.kernel.cases.models import Case
from shoufu.kernel.rules import selectors
from shoufu.kernel.rules.database import connect
from shoufu.kernel.rules.evaluation import SECOND, RuleSource, compile_rule, to_datetime, to_microseconds
from shoufu.kernel.rules.evaluation.rule import CompiledRule, Places
from shoufu.kernel.rules.models import Firing, Rule, RuleVersion
from shoufu.kernel.rules.rehearsal import sources
from shoufu.kernel.rules.rehearsal.matching import SLACK, Mark, Pair, Verdict, Verdicts, pair
from shoufu.kernel.rules.rehearsal.result import Progress, Run
from shoufu.kernel.rules.rehearsal.rows import RowReader
from shoufu.kernel.rules.rehearsal.run import run
from shoufu.kernel.rules.rehearsal.whynot import why_not
from shoufu.kernel.rules.spec import KindLike, Match, RuleSpec

Share = Callable[[float], None]
"""Told the share done, 0 to 1."""
MOST_MARKS = 20_000
MOST_DIFFERENCES = 200
MOST_SHOWN = 5_000
MOST_A_DAY = 12
DRAFT = 0
"""The version number that stands for the draft inside a rehearsal."""
WARM_UP = timedelta(days=1)


@dataclass
class Side:
    """One of the two: its firings (at most MOST_MARKS), how many in all, and how they were found."""

    rule: CompiledRule
    marks: list[Mark]
    suppressed: list[Mark]
    raised: int
    calmed: int
    engine: str


@dataclass(frozen=True)
class Request:
    """A draft of a rule to try over [since, until); `number` is None for a document that was not saved."""

    rule: Rule
    spec: RuleSpec
    since: datetime
    until: datetime
    number: int | None = None


def report(request: Request, share: Share | None = None) -> dict[str, Any]:
    """Rehearse and compare; JSON-ready. Touches no live state. Raises CelError for a spec that does not compile."""
    began = time.perf_counter()
    known, places = selectors.kinds(), selectors.place_tree()
    live = _baseline_version(request.rule)
    recorded = live is not None and live.live_from is not None and live.live_from <= request.since
    specs = {DRAFT: request.spec}
    if live is not None and not recorded:
        specs[live.pk] = selectors.spec_of(live)
    sides, observations = _run(request, specs, known, places, share)
    draft = sides[DRAFT]
    baseline = None
    if live is not None:
        baseline = _recorded(request, live, known, places) if recorded else sides[live.pk]
    result = _compared(request, draft, baseline, places)
    return result | {
        "since": request.since.isoformat(),
        "until": request.until.isoformat(),
        "spec": request.spec.document(),
        "rows": observations,
        "seconds": round(time.perf_counter() - began, 3),
        "draft_number": request.number,
        "live_number": live.number if live else None,
        "live_version": live.pk if live else None,
        "baseline": None if live is None else "recorded" if recorded else "rehearsed",
        "engine": draft.engine,
    }


def _baseline_version(rule: Rule) -> RuleVersion | None:
    """The live version, else the one that was live last."""
    lived = [one for one in rule.versions.all() if one.live_from is not None]
    return max(lived, key=lambda one: (one.state == RuleVersion.State.LIVE, one.number), default=None)


def _run(
    request: Request, specs: Mapping[int, RuleSpec], known: Mapping[str, KindLike], places: Places, share: Share | None
) -> tuple[dict[int, Side], int]:
    since, until = to_microseconds(request.since), to_microseconds(request.until)
    sides: dict[int, Side] = {}
    observations = 0
    steps = [(version, shard) for version in specs for shard in sources.shards()]
    for number, (version, shard) in enumerate(steps):
        rule = compile_rule(RuleSource(version, request.rule.place_id, specs[version]), known, places, {})
        read = _read_kinds(rule, known)
        frames = sources.frames(read, shard, request.since - _warm_up(rule.spec), request.until)
        found = run([rule], frames, since, until, _scaled(share, number, len(steps)))[0]
        observations += found.rows if version == DRAFT else 0
        side = _side(rule, found)
        sides[version] = _joined(sides[version], side) if version in sides else side
    return sides, observations


def _read_kinds(rule: CompiledRule, known: Mapping[str, KindLike]) -> dict[str, KindLike]:
    asked = rule.recent_kinds if rule.uses_recent else frozenset()
    codes = set(known) if asked is None else set(rule.spec.kinds) | (asked & set(known))
    return {code: known[code] for code in sorted(codes)}


def _warm_up(spec: RuleSpec) -> timedelta:
    """What lies before the span and may still matter; for rules with lasting state a day more."""
    lasting = timedelta() if isinstance(spec.pattern, Match) else WARM_UP
    return timedelta(seconds=spec.span) + lasting


def _scaled(share: Share | None, number: int, total: int) -> Progress | None:
    if share is None:
        return None
    return lambda done, all_frames: share((number + done / max(1, all_frames)) / total)


def _side(rule: CompiledRule, found: Run) -> Side:
    raised = np.flatnonzero(~found.suppressed)
    calmed = np.flatnonzero(found.suppressed)
    return Side(
        rule=rule,
        marks=_marks(found, raised[:MOST_MARKS].tolist()),
        suppressed=_marks(found, calmed[:MOST_MARKS].tolist()),
        raised=len(raised),
        calmed=len(calmed),
        engine=found.engine,
    )


def _joined(one: Side, other: Side) -> Side:
    return Side(
        one.rule,
        sorted(one.marks + other.marks, key=lambda mark: mark.t),
        sorted(one.suppressed + other.suppressed, key=lambda mark: mark.t),
        one.raised + other.raised,
        one.calmed + other.calmed,
        one.engine if one.engine == other.engine else "mixed",
    )


def _marks(found: Run, indices: Sequence[int]) -> list[Mark]:
    return [
        Mark(firing.t, firing.key, firing.place, firing.device, firing.observations)
        for firing in found.firings(indices)
    ]


def _recorded(request: Request, live: RuleVersion, known: Mapping[str, KindLike], places: Places) -> Side:
    rows = Firing.objects.filter(version__rule=request.rule, t__gte=request.since, t__lt=request.until).order_by("t")
    rule = compile_rule(selectors.source(live), known, places, {})
    marks: tuple[list[Mark], list[Mark]] = ([], [])
    for one in rows.iterator(2_000):
        mark = Mark(to_microseconds(one.t), one.key, one.place_id, one.device_id, tuple(one.observations))
        marks[one.suppressed].append(mark)
    return Side(rule, marks[0], marks[1], len(marks[0]), len(marks[1]), "recorded")


def _compared(request: Request, draft: Side, baseline: Side | None, places: Places) -> dict[str, Any]:
    by_place = baseline is not None and baseline.rule.spec.key != draft.rule.spec.key
    tolerance = _tolerance(draft, baseline)
    verdicts = Verdicts(_verdicts(request), tolerance, by_place)
    pairs = pair(baseline.marks if baseline else [], draft.marks, tolerance, by_place)
    judged = [(found, verdicts.of(found)) for found in pairs]
    zone = ZoneInfo(places.zones[request.rule.place_id])
    nights = max((request.until - request.since) / timedelta(days=1), 1e-9)
    return {
        "draft": _listed(draft.marks),
        "live": _listed(baseline.marks) if baseline else [],
        "draft_figures": _figures(draft, judged, "draft", nights),
        "live_figures": _figures(baseline, judged, "live", nights) if baseline else None,
        "both": sum(1 for found in pairs if found.live and found.draft),
        "only_live": sum(1 for found in pairs if not found.draft),
        "only_draft": sum(1 for found in pairs if not found.live),
        "missed_true": sum(1 for found, verdict in judged if verdict and verdict.verdict == "true" and not found.draft),
        "later": _later(judged),
        "days": _days(judged, zone),
        "differences": _differences(draft, baseline, judged, tolerance) if baseline else [],
        "cut": draft.raised > len(draft.marks),
    }


def _tolerance(draft: Side, baseline: Side | None) -> int:
    """Firings of one event lie at most this far apart: the longer of the two patterns' times, and some slack."""
    spans = [side.rule.spec.span - side.rule.spec.cooldown for side in (draft, baseline) if side]
    return round(max(spans) * SECOND) + SLACK


def _verdicts(request: Request) -> list[Verdict]:
    rows = Case.objects.filter(
        rule_version__rule=request.rule, opened_at__gte=request.since, opened_at__lt=request.until
    ).select_related(*outcomes.RELATED)
    found = []
    for case in rows.iterator(2_000):
        feedback = getattr(case, "feedback", None)
        verdict = outcomes.verdict(case)
        text = (feedback.text if feedback else "") or case.outcome
        t = to_microseconds(case.opened_at)
        found.append(Verdict(t, case.key, case.place_id, verdict, case.pk, case.number, text))
    return found


Judged = Sequence[tuple[Pair, Verdict | None]]


def _figures(side: Side, judged: Judged, name: str, nights: float) -> dict[str, Any]:
    verdicts = Counter(
        verdict.verdict for found, verdict in judged if getattr(found, name) is not None and verdict is not None
    )
    return {
        "raised": side.raised,
        "suppressed": side.calmed,
        "per_day": round(side.raised / nights, 2),
        "true": verdicts["true"],
        "false_alarms": verdicts["false_alarm"],
        "unknown": side.raised - verdicts["true"] - verdicts["false_alarm"],
    }


def _later(judged: Judged) -> dict[str, float] | None:
    """How much later (seconds; negative: earlier) the draft knows of true cases than the live rule did."""
    delays = [
        (found.draft.t - found.live.t) / SECOND
        for found, verdict in judged
        if verdict and verdict.verdict == "true" and found.draft and found.live
    ]
    return {"mean": round(sum(delays) / len(delays), 1), "most": round(max(delays), 1)} if delays else None


def _days(judged: Judged, zone: ZoneInfo) -> list[dict[str, Any]]:
    """For each local day with something: how many each side raised, by verdict, and when the first of each."""
    days: dict[str, dict[str, dict[str, list[int]]]] = {}
    for found, verdict in judged:
        for name, mark in (("live", found.live), ("draft", found.draft)):
            if mark is not None:
                day = to_datetime(mark.t).astimezone(zone).date().isoformat()
                times = days.setdefault(day, {"live": {}, "draft": {}})[name]
                times.setdefault(verdict.verdict if verdict else "unknown", []).append(mark.t)
    return [{"day": day} | _counted(sides) for day, sides in sorted(days.items())]


def _counted(sides: Mapping[str, Mapping[str, list[int]]]) -> dict[str, Any]:
    counts = {name: {verdict: len(times) for verdict, times in found.items()} for name, found in sides.items()}
    firsts = {
        f"{name}_at": {
            v: [to_datetime(t).isoformat() for t in sorted(times)[:MOST_A_DAY]] for v, times in found.items()
        }
        for name, found in sides.items()
    }
    return counts | firsts


def _shown(mark: Mark) -> dict[str, Any]:
    return {"t": to_datetime(mark.t).isoformat(), "observations": list(mark.observations[:20])}


def _shown_pair(found: Pair, verdict: Verdict | None) -> dict[str, Any]:
    mark = found.live or found.draft
    assert mark is not None
    return {
        "t": to_datetime(found.t).isoformat(),
        "key": mark.key,
        "place": mark.place,
        "device": mark.device,
        "live": _shown(found.live) if found.live else None,
        "draft": _shown(found.draft) if found.draft else None,
        "verdict": verdict.verdict if verdict else None,
        "case": verdict.case if verdict else None,
        "number": verdict.number if verdict else None,
        "text": verdict.text if verdict else "",
    }


def _listed(marks: Sequence[Mark]) -> list[dict[str, Any]]:
    return [
        {"key": mark.key, "place": mark.place, "device": mark.device} | _shown(mark) for mark in marks[-MOST_SHOWN:]
    ]


def _differences(draft: Side, baseline: Side, judged: Judged, tolerance: int) -> list[dict[str, Any]]:
    """What only one side raised, and what the draft raised later, each with its reasons."""
    chosen = [one for one in judged if one[0].live is None or one[0].draft is None or _moved(one[0])]
    chosen = chosen[-MOST_DIFFERENCES:]
    with connect() as connection:
        rows = RowReader(connection, [mark for found, _ in chosen for mark in (found.live, found.draft) if mark])
        return [
            _shown_pair(found, verdict) | {"why": _why(found, draft, baseline, rows, tolerance)}
            for found, verdict in reversed(chosen)
        ]


def _moved(found: Pair) -> bool:
    return found.live is not None and found.draft is not None and abs(found.live.t - found.draft.t) >= SECOND


def _why(found: Pair, draft: Side, baseline: Side, rows: RowReader, tolerance: int) -> list[dict[str, Any]]:
    if found.live and found.draft:
        return [{"reason": "later", "seconds": (found.draft.t - found.live.t) / SECOND}]
    mark, silent = (found.live, draft) if found.live else (found.draft, baseline)
    assert mark is not None
    calmed = any(one.key == mark.key and abs(one.t - mark.t) <= tolerance for one in silent.suppressed)
    return why_not(silent.rule, mark.t, rows.of(mark), rows.following, calmed)
