from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from shoufu.engines.chronic.model import Guideline, Reading, Rule, Target
from shoufu.engines.chronic.trend import by_day


@dataclass(frozen=True)
class Finding:
    """What a reading showed: the rule with its clause, the value and the bound that it passed, and all readings that
    it rests on. `side` is "low" or "high"; of several quantities the first that is out is named."""

    rule: Rule
    quantity: str
    value: float
    bound: float
    side: str
    at: datetime
    readings: tuple[str, ...]
    days: int


def evaluate(
    guideline: Guideline,
    targets: Sequence[Target],
    readings: Iterable[Reading],
    newest: Reading,
    zone: tzinfo,
    since: Mapping[str, datetime] | None = None,
) -> list[Finding]:
    """What `newest` gives reason for, together with the readings before it; in the order of the guideline's rules.

    `targets` are the plan's own. `since` says from when on readings count for a rule about goals, by its code: what was
    dealt with before is not found again. Readings after `newest` are left out, so the order in which they come in is
    no matter. Of two rules with limits that say the same of a value, the first counts.
    """
    listed = {one.id: one for one in (*readings, newest) if one.at <= newest.at}
    found: list[Finding] = []
    for rule in guideline.rules:
        if rule.limits:
            finding = _limits(rule, newest)
            if finding is not None and not any(_same(finding, one) for one in found):
                found.append(finding)
            continue
        begin = (since or {}).get(rule.code)
        counted = [one for one in listed.values() if begin is None or one.at > begin]
        finding = _goals(rule, targets, counted, newest, zone)
        if finding is not None:
            found.append(finding)
    return found


def _same(one: Finding, other: Finding) -> bool:
    return bool(other.rule.limits) and (one.quantity, one.side) == (other.quantity, other.side)


def _limits(rule: Rule, newest: Reading) -> Finding | None:
    if not Target("", context=rule.context).takes(newest.context):
        return None
    for limit in rule.limits:
        value = newest.values.get(limit.quantity)
        if value is not None and limit.meets(value):
            side = "high" if limit.least is not None else "low"
            return Finding(rule, limit.quantity, value, limit.bound, side, newest.at, (newest.id,), 1)
    return None


def _goals(
    rule: Rule, targets: Sequence[Target], readings: Sequence[Reading], newest: Reading, zone: tzinfo
) -> Finding | None:
    """The plan's targets missed on each of the last days with a reading; either of two quantities makes a day one."""
    judged = [one for one in targets if one.quantity in rule.goals and one.takes(newest.context)]
    judged = [
        one for one in judged if one.quantity in newest.values and (not rule.context or one.context == rule.context)
    ]
    if not judged:
        return None
    today = newest.day(zone)
    first = today - timedelta(days=rule.within - 1)
    alike = [
        one
        for one in readings
        if one.kind == newest.kind and first <= one.day(zone) and any(t.takes(one.context) for t in judged)
    ]
    days = sorted({one.day(zone) for one in alike})[-rule.days :]
    if len(days) < rule.days or days[-1] != today:
        return None
    out = [next(_out(judged, [one for one in alike if one.day(zone) == day], zone), None) for day in days]
    if any(one is None for one in out):
        return None
    target, mean, side = [one for one in out if one is not None][-1]
    bound = target.low if side == "low" else target.high
    assert bound is not None
    ids = tuple(one.id for one in sorted(alike, key=lambda one: (one.at, one.id)) if one.day(zone) in days)
    return Finding(rule, target.quantity, mean, bound, side, newest.at, ids, rule.days)


def _out(targets: Sequence[Target], readings: Sequence[Reading], zone: tzinfo) -> Iterator[tuple[Target, float, str]]:
    """The targets that one day's means miss."""
    for target in targets:
        for mean in by_day(readings, target.quantity, zone, target).values():
            if side := target.side(mean):
                yield target, mean, side
