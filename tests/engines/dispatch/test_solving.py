"""What is planned can be carried out, and is the best there is where that can be counted out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from shoufu.engines.dispatch import DispatchError, Problem, Sync, Weights, solve, violations
from tests.engines.dispatch.days import line, nurse, problems, visit

QUICK = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


@given(problems())
@QUICK
def test_every_plan_of_a_random_day_is_feasible(problem: Problem) -> None:
    plan = solve(problem, moves=2000, workers=1)
    assert violations(problem, plan) == []
    assert set(plan.unassigned) | set(plan.by_visit) == {one.id for one in problem.visits}


@given(problems(most=4, hard=False))
@QUICK
def test_tiny_days_are_solved_to_the_optimum(problem: Problem) -> None:
    plan = solve(problem, moves=20_000, workers=1)
    if not plan.unassigned:
        assert plan.cost == pytest.approx(_best_cost(problem), abs=1e-6)


def _best_cost(problem: Problem) -> float:
    """The least cost over every order of the visits and every choice of people, decoded one visit after the other."""
    crews = [_crews(problem, index) for index in range(len(problem.visits))]
    orders = itertools.permutations(range(len(problem.visits)))
    return min(_cost(problem, order, crew) for order in orders for crew in itertools.product(*crews))


def _crews(problem: Problem, index: int) -> list[tuple[int, ...]]:
    tasks = problem.visits[index].tasks
    able = [[c for c, one in enumerate(problem.caregivers) if task.skill in one.skills] for task in tasks]
    return [crew for crew in itertools.product(*able) if len(set(crew)) == len(crew)]


def _cost(problem: Problem, order: tuple[int, ...], crews: tuple[tuple[int, ...], ...]) -> float:
    matrix = problem.travel["default"]
    free, where = [0.0] * len(problem.caregivers), [0] * len(problem.caregivers)
    distance, late = 0.0, []
    for index in order:
        one, crew = problem.visits[index], crews[index]
        there = [max(one.opens, free[c] + matrix[where[c], one.place]) for c in crew]
        starts = [there[0]]
        if len(crew) == 2:
            first = max(there[0], there[1] - one.spread[1])
            starts = [first, max(there[1], first + one.spread[0])]
        for c, start, task in zip(crew, starts, one.tasks, strict=True):
            distance += matrix[where[c], one.place]
            free[c], where[c] = start + task.minutes, one.place
            late.append(max(0.0, start - one.due))
    distance += sum(matrix[place, 0] for place in where)
    return float((distance + sum(late) + max(late)) / 3)


def test_the_same_seed_and_number_of_moves_give_the_same_plan() -> None:
    problem = Problem(
        tuple(visit(f"v{index}", index, 20.0 * index, 20.0 * index + 30) for index in range(1, 9)),
        (nurse("a"), nurse("b"), nurse("c")),
        line(*range(0, 90, 10)),
    )
    assert solve(problem, seed=7, moves=5000) == solve(problem, seed=7, moves=5000)


def test_what_nobody_can_do_is_said_and_the_rest_is_planned() -> None:
    problem = Problem(
        (visit("one", 1, 0, 60), visit("two", 2, 0, 60, "surgery"), visit("three", 2, 0, 60, "wound", "wound")),
        (nurse("a"),),
        line(0, 10, 20),
    )
    plan = solve(problem, moves=500)
    assert plan.unassigned == ("two", "three")
    assert violations(problem, plan) == []


def test_shifts_are_kept_by_leaving_out_what_does_not_fit() -> None:
    visits = tuple(visit(f"v{index}", 1, 0, 500) for index in range(4))
    problem = Problem(visits, (nurse("a", shift_end=100.0),), line(0, 10))
    plan = solve(problem, moves=2000)
    assert len(plan.unassigned) == 2
    assert violations(problem, plan) == []


def test_the_usual_caregiver_comes_unless_that_costs_too_much() -> None:
    known = visit("known", 1, 0, 60, usual=frozenset({"b"}))
    crew = (nurse("a"), nurse("b", base=2))
    near = Problem((known,), crew, line(0, 10, 14), Weights(unfamiliar=5.0))
    far = Problem((known,), crew, line(0, 10, 90), Weights(unfamiliar=5.0))
    assert solve(near, moves=500).routes.keys() == {"b"}
    assert solve(far, moves=500).routes.keys() == {"a"}


def test_locked_visits_are_where_they_were_locked() -> None:
    locked = visit("locked", 3, 0, 200, "wound", "stoma", fixed_start=77.0, fixed_caregivers=("c", None))
    problem = Problem(
        (locked, visit("one", 1, 0, 100), visit("two", 2, 0, 100)),
        (nurse("a"), nurse("b"), nurse("c")),
        line(0, 10, 20, 30),
    )
    plan = solve(problem, moves=3000)
    first, second = plan.by_visit["locked"]
    assert (first.caregiver, first.start, second.start) == ("c", 77.0, 77.0)
    assert violations(problem, plan) == []


def test_sequential_services_wait_for_each_other_both_ways() -> None:
    both = visit("both", 1, 0, 50, "wound", "stoma", sync=Sync.SEQUENTIAL, gap=(40.0, 60.0))
    late = nurse("late", "stoma", shift_start=200.0)
    plan = solve(Problem((both,), (nurse("early", "wound"), late), line(0, 10)), moves=500)
    first, second = plan.by_visit["both"]
    assert (first.start, second.start) == (150.0, 210.0)


@pytest.mark.parametrize("wrong", [{"seconds": 0}, {"workers": 0}, {"moves": 0}, {"seconds": float("nan")}])
def test_senseless_budgets_are_refused(wrong: dict[str, float]) -> None:
    problem = Problem((visit("one", 1, 0, 60),), (nurse("a"),), line(0, 10))
    with pytest.raises(DispatchError, match="seconds, workers, moves"):
        solve(problem, **wrong)


def test_a_day_without_visits_or_people_has_an_empty_plan() -> None:
    matrix = {"default": np.zeros((1, 1))}
    assert solve(Problem((), (nurse("a"),), matrix), moves=10).stops == ()
    nobody = solve(Problem((visit("one", 0, 0, 10),), (), matrix), moves=10)
    assert nobody.unassigned == ("one",)
