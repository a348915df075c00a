"""An independent check of a plan: recomputes nothing of the search, reads only the problem and the plan.

Every answer of this package passes it before it is returned.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from shoufu.engines.dispatch.model import Break, Caregiver, Plan, Problem, Rest, Stop, Sync, Visit

TOLERANCE = 1e-3
"""Minutes by which times may be off from rounding."""


class Rule(StrEnum):
    """What a plan can violate."""

    UNKNOWN = "unknown"
    MISSING = "missing"
    TWICE = "twice"
    SKILL = "skill"
    REFUSED = "refused"
    NOT_AS_FIXED = "not_as_fixed"
    SAME_CAREGIVER = "same_caregiver"
    DURATION = "duration"
    BEFORE_WINDOW = "before_window"
    AFTER_LATEST = "after_latest"
    GAP = "gap"
    TRAVEL = "travel"
    SHIFT = "shift"
    BREAK = "break"
    FIGURES = "figures"


@dataclass(frozen=True)
class Violation:
    """One broken rule; `value` is what the plan has, `limit` what it may have."""

    rule: Rule
    visit: str = ""
    caregiver: str = ""
    value: float = math.nan
    limit: float = math.nan

    def __str__(self) -> str:
        where = " ".join(part for part in (self.visit, self.caregiver) if part)
        numbers = "" if math.isnan(self.value) else f": {self.value:.3f}, allowed {self.limit:.3f}"
        return f"{self.rule.value} {where}{numbers}"


class InfeasiblePlanError(RuntimeError):
    """A plan that was about to be returned breaks a rule: a defect of the search, never of the input."""


def violations(problem: Problem, plan: Plan) -> list[Violation]:
    """Everything that is wrong with a plan; empty when it can be carried out and its figures are right."""
    found: list[Violation] = []
    planned: dict[str, list[Stop]] = {}
    routes: dict[str, list[Stop]] = {}
    for stop in plan.stops:
        if not _is_known(problem, stop):
            found.append(Violation(Rule.UNKNOWN, stop.visit, stop.caregiver))
            continue
        planned.setdefault(stop.visit, []).append(stop)
        routes.setdefault(stop.caregiver, []).append(stop)
    unassigned = frozenset(plan.unassigned)
    for visit in problem.visits:
        stops = sorted(planned.get(visit.id, []), key=lambda stop: stop.task)
        found += _visit_violations(problem, visit, stops, unassigned)
    for caregiver in problem.caregivers:
        stops = sorted(routes.get(caregiver.id, []), key=lambda stop: stop.start)
        rests = sorted((rest for rest in plan.rests if rest.caregiver == caregiver.id), key=lambda rest: rest.start)
        found += _route_violations(problem, caregiver, stops, rests)
    return found or list(_figure_violations(problem, plan))


def ensure_feasible(problem: Problem, plan: Plan) -> Plan:
    """The plan itself; InfeasiblePlanError when it is not feasible."""
    found = violations(problem, plan)
    if found:
        raise InfeasiblePlanError("; ".join(str(violation) for violation in found[:5]))
    return plan


def _is_known(problem: Problem, stop: Stop) -> bool:
    if stop.visit not in problem.visit_index or stop.caregiver not in problem.caregiver_index:
        return False
    return 0 <= stop.task < len(problem.visits[problem.visit_index[stop.visit]].tasks)


def _visit_violations(
    problem: Problem, visit: Visit, stops: list[Stop], unassigned: frozenset[str]
) -> Iterator[Violation]:
    if not stops and visit.id in unassigned:
        return
    times = Counter(stop.task for stop in stops)
    for task in range(len(visit.tasks)):
        if times[task] == 0:
            yield Violation(Rule.MISSING, visit.id)
        if times[task] > 1 or (times[task] and visit.id in unassigned):
            yield Violation(Rule.TWICE, visit.id)
    for stop in stops:
        yield from _stop_violations(problem, visit, stop)
    if len(visit.tasks) < 2 or len(stops) != 2 or stops[0].task == stops[1].task:
        return
    if stops[0].caregiver == stops[1].caregiver:
        yield Violation(Rule.SAME_CAREGIVER, visit.id, stops[0].caregiver)
    least, most = visit.gap if visit.sync is Sync.SEQUENTIAL else (0.0, 0.0)
    gap = stops[1].start - stops[0].start
    if gap < least - TOLERANCE:
        yield Violation(Rule.GAP, visit.id, value=gap, limit=least)
    if gap > most + TOLERANCE:
        yield Violation(Rule.GAP, visit.id, value=gap, limit=most)


def _stop_violations(problem: Problem, visit: Visit, stop: Stop) -> Iterator[Violation]:
    caregiver = problem.caregivers[problem.caregiver_index[stop.caregiver]]
    task = visit.tasks[stop.task]
    if task.skill not in caregiver.skills:
        yield Violation(Rule.SKILL, visit.id, caregiver.id)
    if caregiver.id in visit.refused:
        yield Violation(Rule.REFUSED, visit.id, caregiver.id)
    if visit.fixed_caregivers and visit.fixed_caregivers[stop.task] not in (None, caregiver.id):
        yield Violation(Rule.NOT_AS_FIXED, visit.id, caregiver.id)
    if abs(stop.end - stop.start - task.minutes) > TOLERANCE:
        yield Violation(Rule.DURATION, visit.id, caregiver.id, stop.end - stop.start, task.minutes)
    if stop.start < visit.opens - TOLERANCE:
        yield Violation(Rule.BEFORE_WINDOW, visit.id, caregiver.id, stop.start, visit.opens)
    latest = visit.latest if stop.task else min(visit.latest, visit.first_latest)
    if stop.start > latest + TOLERANCE:
        yield Violation(Rule.AFTER_LATEST, visit.id, caregiver.id, stop.start, latest)
    if visit.fixed_start is not None and stop.task == 0 and not _is_as_fixed(stop.start, visit.fixed_start, visit):
        yield Violation(Rule.NOT_AS_FIXED, visit.id, caregiver.id, stop.start, visit.fixed_start)


def _is_as_fixed(start: float, fixed: float, visit: Visit) -> bool:
    return fixed - TOLERANCE <= start <= fixed + visit.leeway + TOLERANCE


def _route_violations(
    problem: Problem, caregiver: Caregiver, stops: list[Stop], rests: list[Rest]
) -> Iterator[Violation]:
    if not stops:
        return
    legs: list[tuple[float, int, str]] = [(caregiver.shift_start, caregiver.base, "")]
    legs += [(stop.end, problem.visits[problem.visit_index[stop.visit]].place, stop.visit) for stop in stops]
    goals = [(stop.start, problem.visits[problem.visit_index[stop.visit]].place, stop.visit) for stop in stops]
    used = 0
    for (leave, origin, _), (start, goal, visit) in zip(legs, goals, strict=False):
        way = problem.minutes(caregiver, origin, goal)
        inside = [rest for rest in rests if leave - TOLERANCE <= rest.start and rest.end <= start + TOLERANCE]
        used += len(inside)
        there = _arrival(leave, way, inside)
        if there > start + TOLERANCE:
            yield Violation(Rule.TRAVEL, visit, caregiver.id, start, there)
    leave, origin, _ = legs[-1]
    way = problem.minutes(caregiver, origin, caregiver.base)
    after = [rest for rest in rests if rest.start >= leave - TOLERANCE]
    used += len(after)
    back = _arrival(leave, way, after)
    if back > caregiver.shift_end + TOLERANCE:
        yield Violation(Rule.SHIFT, "", caregiver.id, back, caregiver.shift_end)
    if used != len(rests):
        yield Violation(Rule.BREAK, "", caregiver.id, used, len(rests))
    yield from _break_violations(caregiver, rests, back)


def _arrival(leave: float, way: float, rests: list[Rest]) -> float:
    """Earliest arrival when the rests between are held: the way is gone whole, before, between or after them."""
    free = leave
    for rest in rests:
        if free + way <= rest.start + TOLERANCE:
            return max(free + way, rests[-1].end)
        free = rest.end
    return free + way


def _break_violations(caregiver: Caregiver, rests: list[Rest], back: float) -> Iterator[Violation]:
    due = [rest for rest in caregiver.breaks if rest.latest >= caregiver.shift_start]
    left = list(rests)
    for rest in due:
        taken = next((one for one in left if _serves(one, rest)), None)
        if taken is not None:
            left.remove(taken)
        elif back > rest.earliest + TOLERANCE:
            yield Violation(Rule.BREAK, "", caregiver.id, back, rest.earliest)
    for one in left:
        yield Violation(Rule.BREAK, "", caregiver.id, one.start, math.nan)


def _serves(rest: Rest, due: Break) -> bool:
    inside = due.earliest - TOLERANCE <= rest.start <= due.latest + TOLERANCE
    return inside and abs(rest.end - rest.start - due.minutes) <= TOLERANCE


def _figure_violations(problem: Problem, plan: Plan) -> Iterator[Violation]:
    distance, unfamiliar = 0.0, 0
    routes: dict[str, list[Stop]] = {}
    for stop in plan.stops:
        routes.setdefault(stop.caregiver, []).append(stop)
    for caregiver in problem.caregivers:
        where = caregiver.base
        for stop in sorted(routes.get(caregiver.id, []), key=lambda stop: stop.start):
            visit = problem.visits[problem.visit_index[stop.visit]]
            distance += problem.minutes(caregiver, where, visit.place)
            unfamiliar += bool(visit.usual) and caregiver.id not in visit.usual
            where = visit.place
        distance += problem.minutes(caregiver, where, caregiver.base)
    late = [max(0.0, stop.start - problem.visits[problem.visit_index[stop.visit]].due) for stop in plan.stops]
    weights = problem.weights
    right = (distance, math.fsum(late), max(late, default=0.0), float(unfamiliar))
    cost = (
        weights.distance * right[0]
        + weights.total_tardiness * right[1]
        + weights.max_tardiness * right[2]
        + weights.unfamiliar * unfamiliar
    )
    said = (plan.distance, plan.total_tardiness, plan.max_tardiness, float(plan.unfamiliar), plan.cost)
    for value, limit in zip(said, (*right, cost), strict=True):
        if abs(value - limit) > TOLERANCE * max(1.0, len(plan.stops)):
            yield Violation(Rule.FIGURES, "", "", value, limit)
