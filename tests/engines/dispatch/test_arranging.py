"""A plan comes back from what a store keeps of it: crews and order."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shoufu.engines.dispatch import Plan, Problem, arrange, replan, solve, violations
from tests.engines.dispatch.days import line, nurse, problems, visit

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def crews(plan: Plan) -> dict[str, tuple[str, ...]]:
    return {name: tuple(stop.caregiver for stop in stops) for name, stops in plan.by_visit.items()}


@given(problems())
@QUICK
def test_a_solved_plan_arranged_again_is_the_same(problem: Problem) -> None:
    plan = solve(problem, moves=1000, workers=1)
    again = arrange(problem, crews(plan), plan.order)
    assert (again.stops, again.rests, again.order) == (plan.stops, plan.rests, plan.order)
    assert (again.unassigned, again.cost) == (plan.unassigned, pytest.approx(plan.cost))


@given(problems(), st.data())
@QUICK
def test_a_broken_crew_leaves_its_visit_open_and_the_rest_in_place(problem: Problem, data: st.DataObject) -> None:
    plan = solve(problem, moves=1000, workers=1)
    kept = crews(plan)
    if not kept:
        return
    broken = data.draw(st.sampled_from(sorted(kept)))
    wrong = data.draw(st.sampled_from(((), ("nobody",), (*kept[broken], kept[broken][0]), ("nobody", "nobody"))))
    again = arrange(problem, kept | {broken: wrong}, plan.order)
    assert broken in again.unassigned
    assert violations(problem, again) == []
    others = {name: crew for name, crew in kept.items() if name != broken}
    assert {name: crew for name, crew in crews(again).items() if name in others} == crews(again)


def test_what_breaks_a_limit_in_this_order_is_named_and_nothing_moves_for_it() -> None:
    problem = Problem(
        (visit("a", 1, 0, 20, latest=20.0), visit("b", 2, 0, 20, latest=20.0)), (nurse("n"),), line(0, 5, 5)
    )
    plan = arrange(problem, {"a": ["n"], "b": ["n"]}, ["b", "a"])
    assert (plan.order, plan.unassigned) == (("b",), ("a",))


def test_without_an_event_only_what_is_open_is_fitted_in() -> None:
    problem = Problem((visit("a", 1, 0, 200), visit("b", 2, 0, 200)), (nurse("n"), nurse("m")), line(0, 5, 5))
    plan = arrange(problem, {"a": ["n"]}, ["a"])
    answer = replan(problem, plan, None, moves=500)
    assert answer.plan.unassigned == () and answer.moved == ()
