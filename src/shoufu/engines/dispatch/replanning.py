"""Repair of a running plan: somebody is late or ill, a visit falls away. Warm, and moving few others.

What has begun, or is being travelled to, stays. A nurse leaves so as to arrive at the start of her next visit; so who
has not left yet is still at the last place. Absence is a break that begins at once.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from shoufu.engines.dispatch import annealing
from shoufu.engines.dispatch.answers import Cancelled, Event, Ill, Late, Replanned
from shoufu.engines.dispatch.arrays import FREE_COUNT, NEVER, RANDOM, Given, Search, pack
from shoufu.engines.dispatch.check import ensure_feasible
from shoufu.engines.dispatch.conversion import (
    given,
    load,
    load_best,
    plan_of,
    plannable,
    reload,
    soft_costs,
    solution_of,
)
from shoufu.engines.dispatch.model import Break, Caregiver, DispatchError, Plan, Problem, Rest, Stop, Visit
from shoufu.engines.dispatch.repair import drop_broken, put_back, settle, solution
from shoufu.engines.dispatch.solving import Budget, descend

MOVE_COST = 12.0
"""Cost of a visit with another caregiver or another time, in units of the objective, while searching."""
TOLERANCE = 15.0
"""Minutes by which a start may change without counting as moved."""
HOT, COLD = 6.0, 0.2


def replan(
    problem: Problem,
    plan: Plan,
    event: Event | None,
    *,
    now: float = -np.inf,
    seconds: float = 0.5,
    seed: int = 1,
    tolerance: float = TOLERANCE,
    move_cost: float = MOVE_COST,
    moves: int | None = None,
) -> Replanned:
    """The plan after an event at `now`, feasible at once and then improved for `seconds` (or by `moves` trials).

    Each moved visit costs `move_cost` while improving, so others stay where they are unless it pays. Without an event
    only what is open goes to its cheapest place, and the plan is improved. DispatchError when the event names nobody.
    """
    began = time.perf_counter()
    _check(problem, event)
    event = _if_back_today(problem, plan, event, now)
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


def _check(problem: Problem, event: Event | None) -> None:
    if event is None:
        return
    if isinstance(event, Cancelled):
        if event.visit not in problem.visit_index:
            raise DispatchError(f"event.visit: there is no visit {event.visit!r}")
        return
    if event.caregiver not in problem.caregiver_index:
        raise DispatchError(f"event.caregiver: {event.caregiver!r} is not on duty")


def _if_back_today(problem: Problem, plan: Plan, event: Event | None, now: float) -> Event | None:
    """Who is back too late to come home within the shift is away for the rest of the day."""
    if not isinstance(event, Late):
        return event
    caregiver = problem.caregivers[problem.caregiver_index[event.caregiver]]
    begun = [stop for stop in plan.routes.get(caregiver.id, ()) if stop.start <= now]
    place = problem.visits[problem.visit_index[begun[-1].visit]].place if begun else caregiver.base
    back = max(event.until, now, begun[-1].end if begun else caregiver.shift_start)
    back += sum(rest.minutes for rest in caregiver.breaks if rest.latest >= event.until)
    late = back + problem.minutes(caregiver, place, caregiver.base) >= caregiver.shift_end
    return Ill(caregiver.id) if late else event


def _kept(problem: Problem, plan: Plan, event: Event | None, now: float) -> set[str]:
    """Visits that have begun, or that somebody is on the way to; the absent caregiver is on no way."""
    absent = event.caregiver if isinstance(event, Late | Ill) else ""
    begun, left_for, waits = set(), set(), set()
    for name, stops in plan.routes.items():
        caregiver = problem.caregivers[problem.caregiver_index[name]]
        where = caregiver.base
        for stop in stops:
            place = problem.visits[problem.visit_index[stop.visit]].place
            if stop.start <= now:
                begun.add(stop.visit)
            elif name == absent:
                waits.add(stop.visit)
            elif stop.start - problem.minutes(caregiver, where, place) <= now:
                left_for.add(stop.visit)
            where = place
    return (begun | left_for) - waits - ({event.visit} if isinstance(event, Cancelled) else set())


def _day(problem: Problem, plan: Plan, event: Event | None, kept: set[str], now: float) -> Problem:
    """The day with the event in it."""
    if isinstance(event, Cancelled):
        return replace(problem, visits=tuple(visit for visit in problem.visits if visit.id != event.visit))
    visits = tuple(visit if visit.id in kept else _half_done(visit, plan, now) for visit in problem.visits)
    if isinstance(event, Ill):
        name = event.caregiver
        visits = tuple(
            visit if visit.id in kept else _unfixed(replace(visit, refused=visit.refused | {name}), name)
            for visit in visits
        )
        return replace(problem, visits=visits)
    if event is None:
        return replace(problem, visits=visits)
    index = problem.caregiver_index[event.caregiver]
    begun = [stop for stop in plan.routes.get(event.caregiver, ()) if stop.start <= now]
    rests = [rest for rest in plan.rests if rest.caregiver == event.caregiver]
    absent = _absent(problem.caregivers[index], begun, rests, event.until, now)
    caregivers = (*problem.caregivers[:index], absent, *problem.caregivers[index + 1 :])
    return replace(problem, visits=visits, caregivers=caregivers)


def _half_done(visit: Visit, plan: Plan, now: float) -> Visit:
    """A visit whose first service has begun, while the second is still to come: the first stays as it is."""
    stops = plan.by_visit.get(visit.id, ())
    if not stops or stops[0].start > now:
        return visit
    fixed = visit.fixed_caregivers[1] if visit.fixed_caregivers else None
    return replace(visit, fixed_start=stops[0].start, fixed_caregivers=(stops[0].caregiver, fixed))


def _unfixed(visit: Visit, caregiver: str) -> Visit:
    if caregiver not in visit.refused or caregiver not in visit.fixed_caregivers:
        return visit
    fixed = tuple(None if name == caregiver else name for name in visit.fixed_caregivers)
    return replace(visit, fixed_caregivers=fixed)


def _absent(caregiver: Caregiver, begun: list[Stop], rests: list[Rest], until: float, now: float) -> Caregiver:
    """The caregiver with the absence as a break that begins now, or at the end of the service under way."""
    if not begun:
        return replace(caregiver, shift_start=max(caregiver.shift_start, until))
    leave = max(begun[-1].end, now)
    if until <= leave:
        return caregiver
    taken = tuple(Break(rest.start, rest.start, rest.end - rest.start) for rest in rests if rest.end <= leave)
    later = (rest for rest in caregiver.breaks[len(taken) :] if rest.latest >= until)
    return replace(
        caregiver,
        breaks=(
            *taken,
            Break(leave, leave, until - leave),
            *(replace(rest, earliest=max(rest.earliest, until)) for rest in later),
        ),
    )


def _warm(
    day: Problem, plan: Plan, event: Event | None, kept: set[str], now: float, tolerance: float, move_cost: float
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
    flat = replace(given(day, soft, free), wish=wish, keep=keep, tolerance=tolerance)
    search = pack(_from_now(day, flat, plan, kept, now) if np.isfinite(now) else flat, 1)
    load(search, who, key)
    return search


def _from_now(day: Problem, flat: Given, plan: Plan, kept: set[str], now: float) -> Given:
    """The arrays with the past closed: what is kept has its times, nothing else begins and nobody leaves before now."""
    opens, limit = flat.opens.copy(), flat.limit.copy()
    release = np.full(2 * len(day.visits) + len(day.caregivers), -np.inf)
    for index, visit in enumerate(day.visits):
        for stop in plan.by_visit.get(visit.id, ()):
            node = 2 * index + stop.task
            if visit.id in kept:
                opens[node] = limit[node] = stop.start
        if visit.id not in kept:
            stops = plan.by_visit.get(visit.id, ())
            first = 1 if stops and stops[0].start <= now else 0
            opens[2 * index + first : 2 * index + 2] = np.maximum(opens[2 * index + first : 2 * index + 2], now)
    for c, caregiver in enumerate(day.caregivers):
        stops = plan.routes.get(caregiver.id, ())
        past = [stop for stop in stops if stop.visit in day.visit_index and (stop.start <= now or stop.visit in kept)]
        last = 2 * day.visit_index[past[-1].visit] + past[-1].task if past else 2 * len(day.visits) + c
        release[last] = now
    return replace(flat, opens=opens, limit=limit, release=release)


def _repaired(day: Problem, search: Search) -> Plan:
    """The first feasible answer: what breaks a limit or lost its caregiver goes to its cheapest place."""
    drop_broken(search)
    who, _ = solution(search)
    able = plannable(day, soft_costs(day))
    for index in range(len(day.visits)):
        if who[2 * index] < 0 and able[index]:
            put_back(search, index)
    reload(search)
    return plan_of(day, search)
