"""What the page of proposals shows: limited to rules, and to cases, that the actor may see."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _

from shoufu.engines.tuning import risk
from shoufu.kernel.access import policy
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.cases import selectors as cases
from shoufu.kernel.cases.models import Case
from shoufu.kernel.rules import selectors
from shoufu.kernel.rules.learning import words
from shoufu.kernel.rules.learning.study import WEEKS
from shoufu.kernel.rules.models import Decision, Rehearsal, Rule, RuleVersion, Study
from shoufu.kernel.rules.spec import RuleSpec, parse

MOST = 500
SHOWN_CASES = 60
BINS = 48


@dataclass(frozen=True)
class Choice:
    """A value of the trade-off: how it reads, and the ids of the cases that it would not have raised."""

    value: float
    text: str
    avoided: tuple[int, ...]
    lost: tuple[int, ...]
    open: tuple[int, ...]


@dataclass(frozen=True)
class Dot:
    """A case on the strip: `x` from the left in percent, `level` above its line from 0."""

    x: float
    level: int
    outcome: str
    case: int


@dataclass(frozen=True)
class Strip:
    """The cases along the values of a number, with the present and the proposed one (percent from the left)."""

    dots: tuple[Dot, ...]
    current: float
    proposed: float | None
    height: int


@dataclass(frozen=True)
class Offer:
    """What outcomes say about one number of a rule. `best` is None where nothing is proposed, `nothing` says why.

    `away` is the decision that keeps it away until there are new outcomes, `tried` the one that made a draft of it.
    `risk`: the share of real cases that may be lost later, at most, by how few were counted (0…1, 95 %).
    """

    pointer: str
    kind: str
    name: str
    current: float
    current_text: str
    best: Choice | None
    choices: tuple[Choice, ...]
    counts: Mapping[str, int]
    nothing: str
    risk: float
    strip: Strip | None
    away: Decision | None = None
    tried: Decision | None = None
    trial: Rehearsal | None = None

    @property
    def effect(self) -> str:
        """What the proposed value would have done, in one sentence."""
        if self.best is None:
            return self.nothing
        return words.effect(len(self.best.avoided), self.counts["false_alarm"], len(self.best.lost), WEEKS)

    @property
    def headline(self) -> str:
        return f"{self.current_text} → {self.best.text}" if self.best else self.current_text


@dataclass(frozen=True)
class Studied:
    """A rule with what its outcomes say; `offers` worth making come first."""

    rule: Rule
    live: RuleVersion
    since: datetime
    made_at: datetime
    counts: Mapping[str, int]
    other_versions: int
    offers: tuple[Offer, ...]
    cases: dict[int, Case] = field(default_factory=dict)

    @property
    def open_offers(self) -> tuple[Offer, ...]:
        """Proposals that nobody has put off."""
        return tuple(offer for offer in self.offers if offer.best and not offer.away)

    @property
    def put_off(self) -> tuple[Offer, ...]:
        return tuple(offer for offer in self.offers if offer.best and offer.away)

    @property
    def nothing(self) -> str:
        """Why there is no proposal at all."""
        if not self.offers:
            return _("No case of the last %(n)d weeks was closed as a false alarm.") % {"n": WEEKS}
        return self.offers[0].nothing


def visible(actor: Actor) -> QuerySet[Study]:
    """Studies of rules that the actor may see, where they may see cases too."""
    rows = policy.limit(Study.objects.all(), actor, selectors.VIEW, "rule__place__path")
    return policy.limit(rows, actor, "cases.view", "rule__place__path").select_related("rule__place", "version")


def _may_see_kind(actor: Actor, study: Study) -> bool:
    permission = cases.guarded().get((study.version.spec.get("case") or {}).get("kind", ""))
    return permission is None or actor.may(permission, study.rule.place.path)


def proposals(actor: Actor, place_path: str = "", rule_id: int | None = None) -> list[Studied]:
    """What outcomes say about the rules in a subtree: those with most false alarms to spare first; four queries."""
    rows = visible(actor).prefetch_related(
        Prefetch("rule__decisions", Decision.objects.select_related("version").order_by("-at"))
    )
    if place_path:
        rows = rows.filter(rule__place__path__startswith=place_path)
    if rule_id is not None:
        rows = rows.filter(rule=rule_id)
    studies = [study for study in rows[:MOST] if _may_see_kind(actor, study)]
    tried = [one.version_id for study in studies for one in study.rule.decisions.all() if one.version_id]
    trials: dict[int, Rehearsal] = {}
    for one in Rehearsal.objects.filter(version__in=tried).order_by("asked_at") if tried else ():
        trials[one.version_id] = one
    found = [_studied(study, trials) for study in studies]
    _with_cases(actor, found)
    return sorted(found, key=_order)


def _order(one: Studied) -> tuple[bool, int, str]:
    spared = sum(len(offer.best.avoided) for offer in one.open_offers if offer.best)
    return not one.open_offers, -(spared or one.counts.get("false_alarm", 0)), one.rule.code


def of_rule(actor: Actor, rule_id: int) -> Studied | None:
    """What outcomes say about one rule; None where it was not studied, or the actor may not see its cases."""
    return next(iter(proposals(actor, rule_id=rule_id)), None)


def offer(actor: Actor, rule_id: int, pointer: str) -> tuple[Studied, Offer]:
    """One proposal. Raises NotFound."""
    found = of_rule(actor, rule_id)
    for one in found.offers if found else ():
        if found is not None and one.pointer == pointer:
            return found, one
    raise NotFound(_("There is no such proposal any more; look at the page again."))


def _studied(study: Study, trials: Mapping[int, Rehearsal]) -> Studied:
    spec = parse(study.version.spec)
    decisions = list(study.rule.decisions.all())
    offers = [_offer(one, spec, study, decisions, trials) for one in study.result.get("proposals", ())]
    return Studied(
        rule=study.rule,
        live=study.version,
        since=study.since,
        made_at=study.made_at,
        counts=study.result.get("counts", {}),
        other_versions=study.result.get("other_versions", 0),
        offers=tuple(offers),
    )


def _offer(
    found: Mapping[str, Any],
    spec: RuleSpec,
    study: Study,
    decisions: Sequence[Decision],
    trials: Mapping[int, Rehearsal],
) -> Offer:
    kind, best = found["kind"], found["best"]
    mine = [one for one in decisions if one.pointer == found["pointer"]]
    last = mine[0] if mine else None
    tried = next((one for one in mine if _is_draft(one, study)), None)
    away = last is not None and last.kind == Decision.Kind.DECLINED and not _is_newer(study.newest, last.newest)
    return Offer(
        pointer=found["pointer"],
        kind=kind,
        name=words.name(found),
        current=found["current"],
        current_text=words.value(kind, found["current"], spec),
        best=_choice(best, kind, spec) if best else None,
        choices=tuple(_choice(one, kind, spec) for one in found["candidates"]),
        counts=found["counts"],
        nothing=words.nothing(found),
        risk=risk(found["counts"]["true"]),
        strip=_strip(found),
        away=last if away else None,
        tried=tried,
        trial=trials.get(tried.version_id or 0) if tried else None,
    )


def _is_draft(one: Decision, study: Study) -> bool:
    """Whether the draft that was made of it waits still, made from the version that was studied."""
    return (
        one.kind == Decision.Kind.TRIED
        and one.version is not None
        and one.version.state == RuleVersion.State.DRAFT
        and one.version.number > study.version.number
    )


def _is_newer(newest: datetime | None, than: datetime | None) -> bool:
    return newest is not None and (than is None or newest > than)


def _choice(one: Mapping[str, Any], kind: str, spec: RuleSpec) -> Choice:
    text = words.value(kind, one["value"], spec)
    return Choice(one["value"], text, tuple(one["avoided"]), tuple(one["lost"]), tuple(one["open"]))


def _strip(found: Mapping[str, Any]) -> Strip | None:
    """Longer spans stand closer together: between one second and a day there is more to see at the short end."""
    points, best = found["points"], found["best"]
    if not points:
        return None
    bend = math.log1p if found["kind"] in words.SPANS else float
    marked = [found["current"], *([best["value"]] if best else [])]
    values = [bend(max(value, 0.0)) for value in [*marked, *(point[2] for point in points)]]
    low, high = min(values), max(values)
    room = (high - low) or 1.0
    place = [round(100 * (value - low) / room, 2) for value in values]
    levels: dict[tuple[int, bool], int] = {}
    dots = []
    for (case, outcome, _reach), x in sorted(
        zip(points, place[len(marked) :], strict=True), key=lambda one: (one[1], one[0][0])
    ):
        slot = (int(x / 100 * BINS), outcome == "true")
        level = levels[slot] = levels.get(slot, -1) + 1
        dots.append(Dot(x, level, outcome, case))
    highest = max(levels.values()) + 1
    return Strip(tuple(dots), place[0], place[1] if best else None, min(highest, 12))


def _with_cases(actor: Actor, found: Iterable[Studied]) -> None:
    """The cases behind the proposals, as far as the actor may see them; one query."""
    wanted: dict[int, Studied] = {}
    for one in found:
        for offer in one.offers:
            if offer.best:
                for ids in (offer.best.avoided, offer.best.lost, offer.best.open):
                    wanted |= dict.fromkeys(ids[-SHOWN_CASES:], one)
    if not wanted:
        return
    for case in cases.visible(actor).filter(pk__in=wanted).select_related("place", "feedback"):
        wanted[case.pk].cases[case.pk] = case
