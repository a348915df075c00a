"""Between the caller's dataclasses and the arrays of the search."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from shoufu.engines.dispatch.arrays import (
    BEST_KEY,
    BEST_WHO,
    BREAK_FROM,
    KEY,
    NEVER,
    NEXT,
    NO_LIMIT,
    REST_START,
    START,
    WHO,
    Floats,
    Given,
    Ints,
    Search,
)
from shoufu.engines.dispatch.model import Break, Caregiver, Plan, Problem, Rest, Stop, Visit
from shoufu.engines.dispatch.schedule import rebuild


def able(problem: Problem, visit: Visit, task: int, caregiver: Caregiver) -> bool:
    """Whether a caregiver may do a task: skill, refusals, and who is fixed."""
    if visit.tasks[task].skill not in caregiver.skills or caregiver.id in visit.refused:
        return False
    fixed = visit.fixed_caregivers
    return not fixed or (caregiver.id not in fixed if fixed[task] is None else fixed[task] == caregiver.id)


def soft_costs(problem: Problem) -> Floats:
    """[2n, m]: cost of a caregiver for a task; inf where it may not be."""
    costs = np.full((2 * len(problem.visits), len(problem.caregivers)), NEVER)
    skilled: dict[str, list[int]] = defaultdict(list)
    for column, caregiver in enumerate(problem.caregivers):
        for skill in caregiver.skills:
            skilled[skill].append(column)
    for index, visit in enumerate(problem.visits):
        strange = problem.weights.unfamiliar if visit.usual else 0.0
        for task, one in enumerate(visit.tasks):
            row, may = costs[2 * index + task], skilled.get(one.skill, [])
            row[may] = strange
            if visit.usual:
                row[_columns(problem, visit.usual, may)] = 0.0
            if visit.refused:
                row[_columns(problem, visit.refused, may)] = NEVER
            if visit.fixed_caregivers:
                row[_barred(problem, visit, task)] = NEVER
    return costs


def _columns(problem: Problem, names: Iterable[str], among: list[int]) -> list[int]:
    """Where these caregivers stand, as far as they are among some."""
    known = problem.caregiver_index
    return [known[name] for name in names if name in known and known[name] in among]


def _barred(problem: Problem, visit: Visit, task: int) -> list[int]:
    """Who may not do a task because of who is fixed: everybody else, or who does the other one."""
    fixed, known = visit.fixed_caregivers, problem.caregiver_index
    if fixed[task] is None:
        return [known[name] for name in fixed if name is not None]
    return [column for name, column in known.items() if name != fixed[task]]


def plannable(problem: Problem, soft: Floats) -> list[bool]:
    """Of each visit: whether there are different people for all its tasks."""
    may = soft < NEVER
    one, two = may[0::2], may[1::2]
    double = np.array([len(visit.tasks) == 2 for visit in problem.visits], np.bool_)
    # Two tasks, two people: each has somebody, and it is not the same single one.
    pair = one.any(axis=1) & two.any(axis=1) & ((one | two).sum(axis=1) >= 2)
    return [bool(can) for can in np.where(double, pair, one.any(axis=1))]


def given(problem: Problem, soft: Floats, free: list[int]) -> Given:
    """The problem as arrays, with these soft costs; `free` are the visits that may move."""
    visits, caregivers = problem.visits, problem.caregivers
    duration = np.zeros(2 * len(visits))
    place = np.zeros(2 * len(visits) + len(caregivers), np.int64)
    for index, visit in enumerate(visits):
        place[2 * index : 2 * index + 2] = visit.place
        for task, what in enumerate(visit.tasks):
            duration[2 * index + task] = what.minutes
    place[2 * len(visits) :] = [caregiver.base for caregiver in caregivers]
    modes = list(problem.travel)
    weights = problem.weights
    return Given(
        double=np.array([len(visit.tasks) == 2 for visit in visits], np.bool_),
        duration=duration,
        opens=np.array([start for visit in visits for start in visit.openings], np.float64),
        due=np.array([min(visit.due, NO_LIMIT) for visit in visits], np.float64),
        limit=np.array([limit for visit in visits for limit in visit.limits], np.float64),
        gap_min=np.array([visit.spread[0] for visit in visits], np.float64),
        gap_max=np.array([visit.spread[1] for visit in visits], np.float64),
        place=place,
        travel=np.array([problem.travel[mode] for mode in modes], np.float64),
        mode=np.array([modes.index(caregiver.mode) for caregiver in caregivers], np.int64),
        shift_start=np.array([caregiver.shift_start for caregiver in caregivers], np.float64),
        shift_end=np.array([min(caregiver.shift_end, NO_LIMIT) for caregiver in caregivers], np.float64),
        breaks=[_due_breaks(caregiver) for caregiver in caregivers],
        soft=soft,
        free=np.array(free, np.int64),
        weights=(weights.distance, weights.total_tardiness, weights.max_tardiness),
    )


def due_breaks(caregiver: Caregiver) -> list[Break]:
    """The breaks that fall into the shift."""
    return [rest for rest in caregiver.breaks if rest.latest >= caregiver.shift_start]


def _due_breaks(caregiver: Caregiver) -> list[tuple[float, float, float]]:
    return [(rest.earliest, rest.latest, rest.minutes) for rest in due_breaks(caregiver)]


def load(search: Search, who: Ints, key: Floats) -> None:
    """Make (who[2n], key[n]) the current solution, scheduled."""
    rebuild(search.f, search.i, who, key, np.argsort(key, kind="stable"))


def load_best(search: Search) -> None:
    """Return to the best solution found."""
    load(search, _ints(search, BEST_WHO), _floats(search, BEST_KEY))


def reload(search: Search) -> None:
    """Schedule the current solution anew, which also clears rounding errors of the sums."""
    load(search, _ints(search, WHO), _floats(search, KEY))


def _ints(search: Search, block: int) -> Ints:
    return np.array(search.view(block), np.int64)


def _floats(search: Search, block: int) -> Floats:
    return np.array(search.view(block), np.float64)


def solution_of(problem: Problem, plan: Plan) -> tuple[Ints, Floats]:
    """A plan as (who[2n], key[n]); visits that it does not hold have who -1."""
    who = np.full(2 * len(problem.visits), -1, np.int64)
    key = np.zeros(len(problem.visits))
    for rank, visit in enumerate(plan.order):
        if visit in problem.visit_index:
            key[problem.visit_index[visit]] = rank
    for stop in plan.stops:
        if stop.visit in problem.visit_index and stop.caregiver in problem.caregiver_index:
            node = 2 * problem.visit_index[stop.visit] + stop.task
            who[node] = problem.caregiver_index[stop.caregiver]
    return who, key


def plan_of(problem: Problem, search: Search) -> Plan:
    """The current solution as a plan; `reload` before, so that breaks are those of this schedule."""
    n = len(problem.visits)
    who, key, start = _ints(search, WHO), _floats(search, KEY), _floats(search, START)
    following, rests = _ints(search, NEXT), _floats(search, REST_START)
    stops: list[Stop] = []
    taken: list[Rest] = []
    distance, unfamiliar = 0.0, 0
    for c, caregiver in enumerate(problem.caregivers):
        node, where, end = int(following[2 * n + c]), caregiver.base, -math.inf
        while node < 2 * n:
            visit, task = problem.visits[node >> 1], node & 1
            end = float(start[node]) + visit.tasks[task].minutes
            stops.append(Stop(visit.id, task, caregiver.id, float(start[node]), end))
            distance += problem.minutes(caregiver, where, visit.place)
            unfamiliar += bool(visit.usual) and caregiver.id not in visit.usual
            node, where = int(following[node]), visit.place
        if math.isinf(end):
            continue
        distance += problem.minutes(caregiver, where, caregiver.base)
        first = int(search.view(BREAK_FROM)[c])
        for index, rest in enumerate(due_breaks(caregiver)):
            begin = float(rests[first + index])
            if not math.isnan(begin):
                taken.append(Rest(caregiver.id, begin, begin + rest.minutes))
    late = [max(0.0, stop.start - problem.visits[problem.visit_index[stop.visit]].due) for stop in stops]
    order = [int(visit) for visit in np.argsort(key, kind="stable") if who[2 * visit] >= 0]
    return _valued(
        problem,
        tuple(stops),
        tuple(taken),
        tuple(problem.visits[visit].id for visit in order),
        distance,
        late,
        unfamiliar,
    )


def _valued(
    problem: Problem,
    stops: tuple[Stop, ...],
    rests: tuple[Rest, ...],
    order: tuple[str, ...],
    distance: float,
    late: list[float],
    unfamiliar: int,
) -> Plan:
    weights, planned = problem.weights, set(order)
    total, worst = math.fsum(late), max(late, default=0.0)
    cost = weights.distance * distance + weights.total_tardiness * total + weights.max_tardiness * worst
    return Plan(
        stops=stops,
        rests=rests,
        order=order,
        unassigned=tuple(visit.id for visit in problem.visits if visit.id not in planned),
        distance=distance,
        total_tardiness=total,
        max_tardiness=worst,
        unfamiliar=unfamiliar,
        cost=cost + weights.unfamiliar * unfamiliar,
    )
