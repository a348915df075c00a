"""Who may do what, in arrays: written for speed, held against the plain rule."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings

from shoufu.engines.dispatch import Problem
from shoufu.engines.dispatch.arrays import ABLE, ABLE_FROM, NEVER, pack
from shoufu.engines.dispatch.conversion import able, plannable, soft_costs
from shoufu.engines.dispatch.conversion import given as given_arrays
from tests.engines.dispatch.days import problems

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@given(problems())
@QUICK
def test_costs_say_who_may_do_what_and_who_is_strange(problem: Problem) -> None:
    soft = soft_costs(problem)
    for index, visit in enumerate(problem.visits):
        crews = []
        for task in range(2):
            may = {
                column
                for column, one in enumerate(problem.caregivers)
                if task < len(visit.tasks) and able(problem, visit, task, one)
            }
            assert set(np.flatnonzero(soft[2 * index + task] < NEVER)) == may
            for column in may:
                known = not visit.usual or problem.caregivers[column].id in visit.usual
                assert soft[2 * index + task, column] == (0.0 if known else problem.weights.unfamiliar)
            crews += [may] if task < len(visit.tasks) else []
        assert plannable(problem, soft)[index] == (all(crews) and len(set().union(*crews)) >= len(crews))


@given(problems())
@QUICK
def test_the_search_tries_those_who_may(problem: Problem) -> None:
    soft = soft_costs(problem)
    search = pack(given_arrays(problem, soft, []), 1, moves=False)
    first, people = search.view(ABLE_FROM), search.view(ABLE)
    for node in range(2 * len(problem.visits)):
        assert list(people[first[node] : first[node + 1]]) == list(np.flatnonzero(soft[node] < NEVER))
