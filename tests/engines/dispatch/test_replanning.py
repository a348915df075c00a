"""A running plan is repaired, and few others notice."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shoufu.engines.dispatch import Cancelled, DispatchError, Ill, Late, Problem, replan, solve, violations
from shoufu.runtime.bench.homecare import busiest
from shoufu.runtime.bench.homecare import day as large_day
from tests.engines.dispatch.days import line, nurse, problems, visit

QUICK = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


@given(problems(most=7), st.data())
@QUICK
def test_every_answer_is_feasible_and_leaves_the_past_alone(problem: Problem, data: st.DataObject) -> None:
    plan = solve(problem, moves=1000, workers=1)
    caregiver = data.draw(st.sampled_from([one.id for one in problem.caregivers]))
    now = float(data.draw(st.integers(0, 400)))
    events = [Late(caregiver, now + data.draw(st.integers(0, 120))), Ill(caregiver), Cancelled("v0")]
    event = data.draw(st.sampled_from(events))
    answer = replan(problem, plan, event, now=now, moves=1000)
    assert violations(answer.problem, answer.plan) == []
    assert violations(answer.problem, answer.first) == []
    begun = [stop for stop in plan.stops if stop.start < now and stop.visit != getattr(event, "visit", "")]
    begun = [stop for stop in begun if stop.visit not in answer.plan.unassigned]
    assert set(begun) <= set(answer.plan.stops)
    for stop in set(answer.plan.stops) - set(begun):
        assert stop.start >= now - 1e-6 or stop in plan.stops
        if isinstance(event, Late) and stop.caregiver == caregiver:
            assert stop.start >= event.until - 1e-6 or stop in plan.stops
        if isinstance(event, Ill) and stop.visit not in {one.visit for one in begun}:
            assert stop.caregiver != caregiver or stop in plan.stops


def test_a_late_nurse_keeps_what_can_wait_and_gives_away_what_cannot() -> None:
    problem = Problem(
        (
            visit("urgent", 1, 60, 90, latest=90.0),
            visit("later", 1, 200, 320, latest=400.0),
            visit("other", 2, 60, 300, latest=400.0),
        ),
        (nurse("a"), nurse("b", shift_start=60.0)),
        line(0, 10, 40),
    )
    plan = solve(problem, moves=3000, workers=1)
    late = plan.by_visit["urgent"][0].caregiver
    answer = replan(problem, plan, Late(late, 150.0), moves=3000)
    assert answer.plan.by_visit["urgent"][0].caregiver != late
    assert "urgent" in answer.moved
    assert answer.plan.unassigned == ()


def test_the_visits_of_who_is_ill_go_to_others_or_are_named() -> None:
    problem = Problem(
        (visit("done", 1, 10, 20), visit("for both", 1, 100, 200), visit("for one", 1, 100, 200, "stoma")),
        (nurse("a", "wound", "stoma"), nurse("b", "wound", base=2)),
        line(0, 10, 60),
    )
    plan = solve(problem, moves=2000, workers=1)
    assert plan.by_visit["done"][0].caregiver == "a"
    answer = replan(problem, plan, Ill("a"), now=30.0, moves=2000)
    assert answer.plan.by_visit["done"] == plan.by_visit["done"]
    assert answer.plan.by_visit["for both"][0].caregiver == "b"
    assert answer.plan.unassigned == ("for one",)


def test_a_whole_day_changes_little_for_one_late_nurse() -> None:
    problem = large_day(100, 3)
    plan = solve(problem, moves=150_000)
    name = busiest(plan)
    start = problem.caregivers[problem.caregiver_index[name]].shift_start
    answer = replan(problem, plan, Late(name, start + 90), moves=60_000)
    assert len(answer.moved) <= 10
    assert set(answer.plan.unassigned) <= set(plan.unassigned)


def test_an_event_about_nobody_is_refused() -> None:
    problem = Problem((visit("one", 1, 0, 60),), (nurse("a"),), line(0, 10))
    plan = solve(problem, moves=100)
    for event in (Late("x", 10.0), Ill("x"), Cancelled("x")):
        with pytest.raises(DispatchError, match=r"event\.(caregiver|visit)"):
            replan(problem, plan, event)
