"""Values for one number of a rule, weighed by the cases that they would have dropped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from shoufu.engines.tuning.model import Candidate, Counts, Event, Knob, Least, Outcome, Proposal, Sample, Why
from shoufu.engines.tuning.rounding import plain_value

MOST = 8
CHAIN = 8
"""So many cases after one a longer cool-down is tried for."""
CONFIDENCE = 0.95
Dropped = Callable[[float], set[int]]


def propose(knob: Knob, samples: Sequence[Sample], least: Least | None = None) -> Proposal:
    """The trade-off of a threshold. Cases that the present value would not raise either are left out.

    Cost: candidates × samples.
    """
    known = [one for one in samples if one.reach is not None and not _drops(knob, knob.current, one.reach)]
    unknown = sum(1 for one in samples if one.reach is None)
    values = _between(knob, sorted({one.reach for one in known if one.reach is not None}))
    outcomes = {one.id: one.outcome for one in known}
    return _weighed(knob, values, lambda value: dropped(knob, value, known), outcomes, unknown, least or Least())


def propose_pause(knob: Knob, events: Sequence[Event], least: Least | None = None) -> Proposal:
    """The trade-off of a longer cool-down (seconds): a case that comes sooner than that after a raised one of its key
    becomes one more sign of that case. What the rule suppressed already is not among the events."""
    groups: dict[str, list[Event]] = defaultdict(list)
    for one in sorted(events, key=lambda event: event.t):
        groups[one.key].append(one)
    gaps = {
        later.t - one.t
        for group in groups.values()
        for place, one in enumerate(group)
        for later in group[place + 1 : place + 1 + CHAIN]
    }
    values = _between(knob, sorted(gap for gap in gaps if gap >= knob.current))
    outcomes = {one.id: one.outcome for one in events}
    return _weighed(knob, values, lambda value: _swallowed(groups.values(), value), outcomes, 0, least or Least())


def dropped(knob: Knob, value: float, samples: Iterable[Sample]) -> set[int]:
    """Ids of the cases that are not raised at this value; those of unknown reach are not among them."""
    return {one.id for one in samples if one.reach is not None and _drops(knob, value, one.reach)}


def risk(true: int, lost: int = 0) -> float:
    """Which share of true cases may be lost later, 0…1, at most (one-sided, 95 %), when `lost` of `true` were.

    The upper end of Clopper and Pearson's interval; of 0 true cases nothing is known: 1.
    """
    if lost >= true:
        return 1.0
    low, high = lost / true, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _at_most(lost, true, middle) > 1 - CONFIDENCE:
            low = middle
        else:
            high = middle
    return high


def _at_most(lost: int, true: int, share: float) -> float:
    """How likely `lost` or fewer of `true` are when each is with probability `share`."""
    total = chance = (1 - share) ** true
    for k in range(1, lost + 1):
        chance *= (true - k + 1) / k * share / (1 - share) if share < 1 else 0.0
        total += chance
    return total


def _drops(knob: Knob, value: float, reach: float) -> bool:
    if value == reach:
        return not knob.inclusive
    return value > reach if knob.rising else value < reach


def _between(knob: Knob, reaches: Sequence[float]) -> list[float]:
    """One value for each way to part the samples: beyond one reach and short of the next, kept within the bound."""
    sign = 1.0 if knob.rising else -1.0
    cuts = sorted(sign * reach for reach in reaches if abs(reach) != float("inf"))
    limit = sign * knob.bound
    found = []
    for place, cut in enumerate(cuts):
        beyond = cuts[place + 1] if place + 1 < len(cuts) else limit
        value = plain_value(cut, min(beyond, limit), knob.step, knob.units)
        if value is None and knob.inclusive and knob.step and beyond % knob.step == 0 and cut < beyond <= limit:
            value = beyond
        if value is not None and value > sign * knob.current:
            found.append(sign * value)
    return found


def _swallowed(groups: Iterable[Sequence[Event]], pause: float) -> set[int]:
    found = set()
    for group in groups:
        raised = float("-inf")
        for one in group:
            if one.t < raised + pause:
                found.add(one.id)
            else:
                raised = one.t
    return found


def _weighed(
    knob: Knob, values: Sequence[float], drops: Dropped, outcomes: dict[int, Outcome], unknown: int, least: Least
) -> Proposal:
    kinds = list(outcomes.values())
    counts = Counts(kinds.count(Outcome.TRUE), kinds.count(Outcome.FALSE_ALARM), kinds.count(Outcome.OPEN), unknown)
    candidates = _front([_candidate(value, drops(value), outcomes) for value in values])
    if counts.false_alarms < least.false_alarms:
        return Proposal(knob, counts, _few(candidates), None, Why.FEW_FALSE_ALARMS, least)
    if counts.true < least.true:
        return Proposal(knob, counts, _few(candidates), None, Why.FEW_TRUE, least)
    harmless = [one for one in candidates if not one.lost]
    best = max(harmless, key=lambda one: len(one.avoided), default=None)
    enough = max(least.avoided, least.share * counts.false_alarms)
    if best is None or len(best.avoided) < enough:
        return Proposal(knob, counts, _few(candidates), None, Why.LITTLE, least)
    return Proposal(knob, counts, _few(candidates, best), best, None, least)


def _candidate(value: float, gone: set[int], outcomes: dict[int, Outcome]) -> Candidate:
    def of(outcome: Outcome) -> tuple[int, ...]:
        return tuple(sorted(one for one in gone if outcomes[one] is outcome))

    return Candidate(value, of(Outcome.FALSE_ALARM), of(Outcome.TRUE), of(Outcome.OPEN))


def _front(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those that avoid more than every one that loses as few; of equal ones that which drops fewest not judged."""
    found: list[Candidate] = []
    for one in sorted(candidates, key=lambda item: (len(item.lost), -len(item.avoided), len(item.open))):
        if one.avoided and (not found or len(one.avoided) > len(found[-1].avoided)):
            found.append(one)
    return found


def _few(candidates: Sequence[Candidate], best: Candidate | None = None) -> tuple[Candidate, ...]:
    """At most MOST of them, the ends and the best always among them, spread evenly."""
    if len(candidates) <= MOST:
        return tuple(candidates)
    step = (len(candidates) - 1) / (MOST - 1)
    chosen = {round(place * step) for place in range(MOST)}
    return tuple(one for place, one in enumerate(candidates) if place in chosen or one is best)
