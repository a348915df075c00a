"""Counting the outcomes of a rule's cases, and keeping what they say about its numbers."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Max, Q
from django.db.models.functions import Greatest
from django.utils import timezone

from shoufu.engines.cel import CelError
from shoufu.engines.tuning import Candidate, Outcome, Proposal, propose, propose_pause
from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.cases.models import Case
from shoufu.kernel.rules import selectors
from shoufu.kernel.rules.database import connect
from shoufu.kernel.rules.evaluation import compile_rule
from shoufu.kernel.rules.learning.outcomes import Ended, Reaches, ended
from shoufu.kernel.rules.learning.turns import Turn, shape, turns
from shoufu.kernel.rules.models import Rule, RuleVersion, Study
from shoufu.kernel.rules.rehearsal.matching import Mark
from shoufu.kernel.rules.rehearsal.rows import RowReader
from shoufu.kernel.rules.spec import RuleSpec

WEEKS = 6
SPAN = timedelta(weeks=WEEKS)
STALE = timedelta(days=1)
MOST_POINTS = 400


def learn(rule: Rule, now: datetime | None = None) -> Study | None:
    """Count a rule's outcomes of the last six weeks and keep the result; None for a rule that is off."""
    live = selectors.live_version(rule)
    if live is None:
        Study.objects.filter(rule=rule).delete()
        return None
    began, now = time.perf_counter(), now or timezone.now()
    since = now - SPAN
    spec = selectors.spec_of(live)
    alike = _alike(rule, spec)
    cases = ended(rule, list(alike), since, now)
    result = _result(live, spec, alike, cases, now)
    result["other_versions"] = (
        Case.objects.filter(rule_version__rule=rule, opened_at__gte=since, opened_at__lt=now)
        .exclude(rule_version__in=list(alike))
        .count()
    )
    newest = max((one.judged_at for one in cases if one.judged_at), default=None)
    study, _made = Study.objects.update_or_create(
        rule=rule,
        defaults={
            "version": live,
            "since": since,
            "until": now,
            "newest": newest,
            "result": result,
            "seconds": round(time.perf_counter() - began, 3),
        },
    )
    return study


def due(now: datetime | None = None) -> list[Rule]:
    """Rules in force with outcomes that were not counted yet, another version than was studied, or an old study."""
    now = now or timezone.now()
    said = Greatest("cases__closed_at", "cases__resolved_at", "cases__feedback__at")
    versions = RuleVersion.objects.filter(cases__opened_at__gte=now - SPAN).order_by()
    newest = dict(versions.values_list("rule").annotate(newest=Max(said)))
    rows = Rule.objects.filter(versions__state=RuleVersion.State.LIVE).annotate(
        live=F("versions__pk"), studied=F("study__version"), counted=F("study__newest"), made=F("study__made_at")
    )
    rows = rows.filter(Q(pk__in=list(newest)) | Q(study__isnull=False)).select_related("place")
    return [
        rule
        for rule in rows.prefetch_related("versions")
        if rule.made is None
        or rule.live != rule.studied
        or now - rule.made > STALE
        or (newest.get(rule.pk) and (rule.counted is None or newest[rule.pk] > rule.counted))
    ]


def _alike(rule: Rule, spec: RuleSpec) -> dict[RuleVersion, RuleSpec]:
    """The versions that differ from the present one in numbers only, itself among them."""
    wanted = _form(spec)
    found = {}
    for version in rule.versions.all():
        try:
            one = selectors.spec_of(version)
        except Invalid:
            continue
        if _form(one) == wanted:
            found[version] = one
    return found


def _form(spec: RuleSpec) -> dict[str, Any]:
    """What decides whether cases of two versions can be counted together."""
    document = shape(spec).document()
    return {name: document.get(name) for name in ("kinds", "where", "key", "pattern", "within", "schedule")}


def _result(
    live: RuleVersion,
    spec: RuleSpec,
    alike: Mapping[RuleVersion, RuleSpec],
    cases: Sequence[Ended],
    now: datetime,
) -> dict[str, Any]:
    counts = {outcome.value: sum(1 for one in cases if one.outcome is outcome) for outcome in Outcome}
    if not counts[Outcome.FALSE_ALARM.value]:
        return {"counts": counts, "proposals": []}
    try:
        rule = compile_rule(selectors.source(live), selectors.kinds(), selectors.place_tree(), {})
    except CelError as error:
        return {"counts": counts, "proposals": [], "error": str(error)}
    with connect() as connection:
        marks = [Mark(one.t, one.key, one.place, one.device, one.observations) for one in cases]
        reaches = Reaches(rule, cases, RowReader(connection, marks), now, _atoms(spec, alike))
        found = [_studied(turn, reaches) for turn in turns(spec)]
    # The one that spares most comes first; those that say why not, after it in the rule's own order.
    found.sort(key=lambda one: -len(one["best"]["avoided"]) if one["best"] else 0)
    return {"counts": counts, "proposals": found}


def _atoms(spec: RuleSpec, alike: Mapping[RuleVersion, RuleSpec]) -> dict[tuple[int, str], str]:
    own = turns(spec)
    return {
        (version.pk, mine.pointer): theirs.atom
        for version, one in alike.items()
        for mine, theirs in zip(own, turns(one), strict=True)
        if mine.kind == "constant"
    }


def _studied(turn: Turn, reaches: Reaches) -> dict[str, Any]:
    if turn.kind == "pause":
        found = propose_pause(turn.knob, reaches.events())
        return _written(turn, found, [])
    samples = reaches.samples(turn)
    found = propose(turn.knob, samples)
    farthest = reaches.farthest(turn) if turn.kind in ("hold", "silence") else math.inf
    points = [[one.id, one.outcome.value, min(one.reach, farthest)] for one in samples if one.reach is not None]
    return _written(turn, found, points[-MOST_POINTS:])


def _written(turn: Turn, found: Proposal, points: list[list[Any]]) -> dict[str, Any]:
    """JSON-ready."""
    return {
        "pointer": turn.pointer,
        "kind": turn.kind,
        "path": turn.path,
        "current": turn.knob.current,
        "rising": turn.knob.rising,
        "counts": {
            "true": found.counts.true,
            "false_alarm": found.counts.false_alarms,
            "open": found.counts.open,
            "unknown": found.counts.unknown,
        },
        "why": found.why.value if found.why else None,
        "least": {"false_alarm": found.least.false_alarms, "true": found.least.true},
        "best": _candidate(found.best) if found.best else None,
        "candidates": [_candidate(one) for one in found.candidates],
        "points": points,
    }


def _candidate(one: Candidate) -> dict[str, Any]:
    return {"value": one.value, "avoided": list(one.avoided), "lost": list(one.lost), "open": list(one.open)}
