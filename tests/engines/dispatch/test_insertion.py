"""Room for one more visit in a plan that stands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shoufu.engines.dispatch import DispatchError, Problem, feasible, insert, place, solve, trying, violations
from shoufu.engines.dispatch.arrays import Floats
from shoufu.engines.dispatch.insertion import CAPACITY, _prepared
from tests.engines.dispatch.days import line, nurse, problems, visit

QUICK = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


@given(problems(most=7), st.integers(0, 6), st.booleans())
@QUICK
def test_every_offer_holds_when_it_is_taken(problem: Problem, which: int, punctual: bool) -> None:
    asked = problem.visits[which % len(problem.visits)]
    day = replace(problem, visits=tuple(one for one in problem.visits if one.id != asked.id))
    plan = solve(day, moves=1000, workers=1)
    for offer in insert(day, plan, asked, punctual=punctual):
        wider, placed = place(day, plan, asked, offer)
        assert violations(wider, placed) == []
        assert placed.unassigned == plan.unassigned
        assert placed.cost - plan.cost == pytest.approx(offer.extra_cost, abs=1e-6)
        stops = placed.by_visit[asked.id]
        assert tuple(stop.caregiver for stop in stops) == offer.caregivers
        assert tuple(stop.start for stop in stops) == pytest.approx(offer.starts)
        assert placed.total_tardiness - plan.total_tardiness == pytest.approx(offer.extra_tardiness, abs=1e-6)
        assert not punctual or offer.extra_tardiness <= 1e-6


@given(problems(most=6), st.integers(0, 5))
@QUICK
def test_every_start_that_is_offered_can_be_had(problem: Problem, which: int) -> None:
    asked = problem.visits[which % len(problem.visits)]
    day = replace(problem, visits=tuple(one for one in problem.visits if one.id != asked.id))
    plan = solve(day, moves=1000, workers=1)
    for offer in feasible(day, asked, plan, step=20.0):
        wider, placed = place(day, plan, asked, offer)
        assert violations(wider, placed) == []
        assert placed.by_visit[asked.id][0].start == pytest.approx(offer.starts[0])


@given(problems(most=8), st.integers(0, 7))
@QUICK
def test_no_place_is_passed_over_that_a_trial_would_have_found(problem: Problem, which: int) -> None:
    asked = problem.visits[which % len(problem.visits)]
    day = replace(problem, visits=tuple(one for one in problem.visits if one.id != asked.id))
    search, index = _prepared(day, solve(day, moves=1000, workers=1), asked)
    if search is None:
        return

    def found() -> Floats:
        rows = np.empty(CAPACITY * trying.COLUMNS)
        count = trying.try_places.py_func(search.f, search.i, index, rows, CAPACITY)
        return rows[: count * trying.COLUMNS]

    looked = found()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trying, "_delays_too_much", lambda *_all: False)
        assert np.array_equal(looked, found())


def day() -> Problem:
    return Problem(
        (visit("morning", 1, 60, 60, latest=60.0), visit("noon", 1, 200, 200, latest=200.0)),
        (nurse("a", "wound", shift_start=50.0, shift_end=400.0),),
        line(0, 10, 20),
    )


def test_the_starts_offered_are_those_between_the_others() -> None:
    problem = day()
    plan = solve(problem, moves=500, workers=1)
    asked = visit("new", 2, 0, 400)
    starts = [offer.starts[0] for offer in feasible(problem, asked, plan, step=10.0)]
    # Until 90 with the first, 30 on the way and back within 200; then from 230 to the way home at 400.
    assert starts == [*range(100, 170, 10), *range(240, 360, 10)]


def test_nobody_is_pushed_over_a_limit_to_make_room() -> None:
    problem = day()
    plan = solve(problem, moves=500, workers=1)
    assert insert(problem, plan, visit("new", 2, 60, 90, latest=90.0)) == []
    assert insert(problem, plan, visit("other", 2, 60, 400, "surgery")) == []


def test_an_offer_that_was_overtaken_is_refused() -> None:
    problem = day()
    plan = solve(problem, moves=500, workers=1)
    one, two = visit("one", 2, 100, 100, latest=100.0), visit("two", 2, 100, 100, latest=100.0)
    offer, other = insert(problem, plan, one)[0], insert(problem, plan, two)[0]
    wider, placed = place(problem, plan, one, offer)
    with pytest.raises(DispatchError, match="two does not fit this plan any more"):
        place(wider, placed, two, other)


def test_a_step_must_be_more_than_nothing() -> None:
    problem = day()
    with pytest.raises(DispatchError, match="step"):
        feasible(problem, visit("new", 2, 0, 400), solve(problem, moves=100), step=0)
