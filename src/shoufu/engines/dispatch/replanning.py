"""Repair of a running plan: somebody is late or ill, a visit falls away. Warm, and moving few others.

What has begun, or is being travelled to, stays. A nurse leaves so as to arrive at the start of her next visit; so who
has not left yet is still at the last place. Absence is a break that begins at once.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from shoufu.engines.dispatch import annealing
from shoufu.engines.dispatch.arrays import FREE_COUNT, NEVER, RANDOM, Floats, Given, Search, pack
from shoufu.engines.dispatch.check import ensure_feasible
from shoufu.engines.dispatch.conversion import given, load, load_best, plan_of, plannable, soft_costs, solution_of
from shoufu.engines.dispatch.model import Break, Caregiver, DispatchError, Plan, Problem, Stop, Visit
from shoufu.engines.dispatch.repair import drop_broken, put_back, settle, solution
from shoufu.engines.dispatch.solving import Budget, descend

MOVE_COST = 12.0
"""Cost of a visit with another caregiver or another time, in units of the objective, while searching."""
TOLERANCE = 15.0
"""Minutes by which a start may change without counting as moved."""
HOT, COLD = 6.0, 0.2


@dataclass(frozen=True)
class Late:
    """A caregiver can travel and work only from `until`."""

    caregiver: str
    until: float


@dataclass(frozen=True)
class Ill:
    """A caregiver does nothing any more that has not begun."""

    caregiver: str


@dataclass(frozen=True)
class Cancelled:
    """A visit is not wanted any more."""

    visit: str


Event = Late | Ill | Cancelled


@dataclass(frozen=True)
class Replanned:
    """The answer to an event."""

    problem: Problem
    """The day as it is now, for `violations`, `insert` and the next `replan`."""
    plan: Plan
    first: Plan
    """The first feasible answer, before it was improved."""
    first_seconds: float
    moved: tuple[str, ...]
    """Visits with another caregiver or a start that changed by more than the tolerance; without delays of visits that
    a late caregiver keeps, and without those that could not be planned any more."""


def replan(
    problem: Problem,
    plan: Plan,
    event: Event,
    *,
    now: float = -np.inf,
    seconds: float = 0.5,
    seed: int = 1,
    tolerance: float = TOLERANCE,
    move_cost: float = MOVE_COST,
    moves: int | None = None,
) -> Replanned:
    """The plan after an event at `now`, feasible at once and then improved for `seconds` (or by `moves` trials).

    Each moved visit costs `move_cost` while improving, so others stay where they are unless it pays. DispatchError when
    the event names nobody.
    """
    began = time.perf_counter()
    _check(problem, event)
    kept = _kept(problem, plan, event, now)
    day = _day(problem, plan, event, kept, now)
    search = _warm(day, plan, event, kept, now, tolerance, move_cost)
    search.i[RANDOM] ^= seed
    first = ensure_feasible(day, _repaired(day, search))
    first_seconds = time.perf_counter() - began
    best = first
    if search.i[FREE_COUNT]:
        annealing.retime(search.f, search.i)
        annealing.keep_best(search.f, search.i)
        descend(search, Budget(began, began + seconds, moves), HOT, COLD)
        load_best(search)
        improved = settle(day, search)
        if len(improved.unassigned) <= len(first.unassigned):
            best = ensure_feasible(day, improved)
    late = event.caregiver if isinstance(event, Late) else ""
    return Replanned(day, best, first, first_seconds, moved_visits(plan, best, tolerance, late))


def moved_visits(before: Plan, after: Plan, tolerance: float = TOLERANCE, late: str = "") -> tuple[str, ...]:
    """Visits of both plans that changed caregiver, or start by more than `tolerance`; not those that `late` keeps."""
    moved = []
    for visit, stops in before.by_visit.items():
        now = after.by_visit.get(visit)
        if now is None:
            continue
        same = [stop.caregiver for stop in stops] == [stop.caregiver for stop in now]
        shift = max(abs(old.start - new.start) for old, new in zip(stops, now, strict=True))
        own = late in {stop.caregiver for stop in now}
        if not same or (shift > tolerance and not own):
            moved.append(visit)
    return tuple(moved)


def _check(problem: Problem, event: Event) -> None:
    if isinstance(event, Cancelled):
        if event.visit not in problem.visit_index:
            raise DispatchError(f"event.visit: there is no visit {event.visit!r}")
        return
    if event.caregiver not in problem.caregiver_index:
        raise DispatchError(f"event.caregiver: {event.caregiver!r} is not on duty")


def _kept(problem: Problem, plan: Plan, event: Event, now: float) -> set[str]:
    """Visits that have begun or that somebody is on the way to."""
    absent = "" if isinstance(event, Cancelled) else event.caregiver
    kept = set()
    for name, stops in plan.routes.items():
        caregiver = problem.caregivers[problem.caregiver_index[name]]
        where = caregiver.base
        for stop in stops:
            place = problem.visits[problem.visit_index[stop.visit]].place
            way = 0.0 if name == absent else problem.minutes(caregiver, where, place)
            if stop.start - way <= now:
                kept.add(stop.visit)
            where = place
    return kept - ({event.visit} if isinstance(event, Cancelled) else set())


def _day(problem: Problem, plan: Plan, event: Event, kept: set[str], now: float) -> Problem:
    """The day with the event in it."""
    if isinstance(event, Cancelled):
        return replace(problem, visits=tuple(visit for visit in problem.visits if visit.id != event.visit))
    if isinstance(event, Ill):
        visits = (v if v.id in kept else replace(v, refused=v.refused | {event.caregiver}) for v in problem.visits)
        return replace(problem, visits=tuple(_unfixed(visit, event.caregiver) for visit in visits))
    index = problem.caregiver_index[event.caregiver]
    begun = [stop for stop in plan.routes.get(event.caregiver, ()) if stop.visit in kept]
    absent = _absent(problem.caregivers[index], begun, event.until, now)
    caregivers = (*problem.caregivers[:index], absent, *problem.caregivers[index + 1 :])
    return replace(problem, caregivers=caregivers)


def _unfixed(visit: Visit, caregiver: str) -> Visit:
    if caregiver not in visit.refused or caregiver not in visit.fixed_caregivers:
        return visit
    fixed = tuple(None if name == caregiver else name for name in visit.fixed_caregivers)
    return replace(visit, fixed_caregivers=fixed)


def _absent(caregiver: Caregiver, begun: list[Stop], until: float, now: float) -> Caregiver:
    if not begun:
        start = max(caregiver.shift_start, until)
        return replace(caregiver, shift_start=start, shift_end=max(start, caregiver.shift_end))
    leave = max(begun[-1].end, now)
    if until <= leave:
        return caregiver
    before = tuple(rest for rest in caregiver.breaks if rest.latest + rest.minutes <= leave)
    after = (rest for rest in caregiver.breaks if rest.latest >= until)
    later = tuple(replace(rest, earliest=max(rest.earliest, until)) for rest in after)
    return replace(caregiver, breaks=(*before, Break(leave, leave, until - leave), *later))


def _warm(
    day: Problem, plan: Plan, event: Event, kept: set[str], now: float, tolerance: float, move_cost: float
) -> Search:
    soft = soft_costs(day)
    planned = plannable(day, soft)
    free = [index for index, visit in enumerate(day.visits) if planned[index] and visit.id not in kept]
    who, key = solution_of(day, plan)
    wish, keep = np.zeros(2 * len(day.visits)), np.zeros(2 * len(day.visits))
    late = event.caregiver if isinstance(event, Late) else ""
    for stop in plan.stops:
        if stop.visit not in day.visit_index:
            continue
        node = 2 * day.visit_index[stop.visit] + stop.task
        c = day.caregiver_index[stop.caregiver]
        others = np.arange(len(day.caregivers)) != c
        soft[node, others] += move_cost
        if stop.caregiver != late:
            wish[node], keep[node] = stop.start, move_cost
        if soft[node, c] == NEVER:
            who[node] = who[node ^ 1] = -1
    search = pack(_from_now(day, given(day, soft, free), plan, kept, now, wish, keep, tolerance), 1)
    load(search, who, key)
    return search


def _from_now(
    day: Problem, flat: Given, plan: Plan, kept: set[str], now: float, wish: Floats, keep: Floats, tolerance: float
) -> Given:
    """The arrays with the past closed: nothing that may move begins, and nobody sets out, before now."""
    if not np.isfinite(now):
        return replace(flat, wish=wish, keep=keep, tolerance=tolerance)
    opens, duration, shift_start = flat.opens.copy(), flat.duration.copy(), flat.shift_start.copy()
    for index, visit in enumerate(day.visits):
        if visit.id not in kept:
            opens[index] = max(opens[index], now)
    for c, caregiver in enumerate(day.caregivers):
        begun = [stop for stop in plan.routes.get(caregiver.id, ()) if stop.visit in kept]
        if not begun:
            shift_start[c] = max(shift_start[c], min(now, flat.shift_end[c]))
            continue
        node = 2 * day.visit_index[begun[-1].visit] + begun[-1].task
        duration[node] = max(duration[node], now - begun[-1].start)
    return replace(
        flat,
        opens=opens,
        duration=duration,
        shift_start=shift_start,
        wish=wish,
        keep=keep,
        tolerance=tolerance,
    )


def _repaired(day: Problem, search: Search) -> Plan:
    """The first feasible answer: what breaks a limit or lost its caregiver goes to its cheapest place."""
    drop_broken(day, search)
    who, _ = solution(search)
    able = plannable(day, soft_costs(day))
    for index in range(len(day.visits)):
        if who[2 * index] < 0 and able[index]:
            put_back(search, index)
    return plan_of(day, search)
