"""A plan from what a store keeps of it: who does what, and the order of the visits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from shoufu.engines.dispatch.arrays import pack
from shoufu.engines.dispatch.check import ensure_feasible
from shoufu.engines.dispatch.conversion import able, given, load, plan_of, reload, soft_costs
from shoufu.engines.dispatch.model import Plan, Problem, Visit
from shoufu.engines.dispatch.repair import drop_broken


def arrange(problem: Problem, crews: Mapping[str, Sequence[str]], order: Sequence[str]) -> Plan:
    """The plan in which these caregivers do these visits in this order, each as early as it can be.

    `crews` has for each visit the caregiver of each task. A visit without a crew, with one that may not do it or is not
    on duty, or that breaks a hard limit in this order, is named in `Plan.unassigned`: nothing else moves for it.
    Visits that `order` does not name come last, by when they open.
    """
    rank = {visit: place for place, visit in enumerate(order)}
    behind = sorted(problem.visits, key=lambda visit: (rank.get(visit.id, len(rank)), visit.opens))
    who = np.full(2 * len(problem.visits), -1, np.int64)
    key = np.zeros(len(problem.visits))
    for place, visit in enumerate(behind):
        index = problem.visit_index[visit.id]
        key[index] = place
        for task, name in enumerate(_crew(problem, visit, crews.get(visit.id, ()))):
            who[2 * index + task] = problem.caregiver_index[name]
    free = [index for index, visit in enumerate(problem.visits) if visit.fixed_start is None]
    search = pack(given(problem, soft_costs(problem), free), 1, moves=False)
    load(search, who, key)
    drop_broken(search)
    reload(search)
    return ensure_feasible(problem, plan_of(problem, search))


def may_do(problem: Problem, visit: str, crew: Sequence[str]) -> bool:
    """Whether a crew is whole, on duty and may do a visit, whatever the time."""
    return bool(_crew(problem, problem.visits[problem.visit_index[visit]], crew))


def _crew(problem: Problem, visit: Visit, crew: Sequence[str]) -> Sequence[str]:
    """The crew, where it is whole and may do the visit; nobody otherwise."""
    known = len(crew) == len(visit.tasks) == len(set(crew)) and all(name in problem.caregiver_index for name in crew)
    if not known:
        return ()
    people = [problem.caregivers[problem.caregiver_index[name]] for name in crew]
    return crew if all(able(problem, visit, task, one) for task, one in enumerate(people)) else ()
