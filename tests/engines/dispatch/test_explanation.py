"""Why not, as codes with numbers."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shoufu.engines.dispatch import Break, Code, Plan, Problem, Reason, Visit, explain, solve
from tests.engines.dispatch.days import line, nurse, problems, visit

DAY = Problem(
    (visit("busy", 1, 100, 100, latest=100.0),),
    (nurse("a", "wound", shift_start=50.0, shift_end=300.0, breaks=(Break(150.0, 150.0, 30.0),)),),
    line(0, 10, 40, 200),
)


def why(asked: Visit, problem: Problem = DAY, **more: object) -> list[Reason]:
    plan: Plan = solve(problem, moves=300, workers=1)
    answer = explain(problem, plan, asked, **more)
    assert answer.possible == (not answer.reasons)
    return list(answer.reasons)


def test_what_is_possible_comes_with_the_cheapest_place() -> None:
    answer = explain(DAY, solve(DAY, moves=300), visit("new", 1, 200, 250))
    assert answer.possible
    assert answer.offer is not None
    assert answer.offer.starts == (200.0,)


def test_a_missing_skill_is_named() -> None:
    reason = why(visit("new", 1, 0, 200, "stoma"))[0]
    assert (reason.code, reason.what, reason.caregiver) == (Code.SKILL_MISSING, "stoma", "a")


def test_refused_and_fixed_people() -> None:
    assert why(visit("new", 1, 0, 200, refused=frozenset({"a"})))[0].code is Code.REFUSED
    two = Problem(DAY.visits, (*DAY.caregivers, nurse("b", "wound")), DAY.travel)
    reason = why(visit("new", 1, 0, 200, fixed_caregivers=("b",)), two, caregiver="a")[0]
    assert (reason.code, reason.what) == (Code.FIXED_TO, "b")


def test_a_start_outside_the_window() -> None:
    reason = why(visit("new", 1, 100, 200, latest=220.0), start=230.0)[0]
    assert reason.code is Code.WINDOW_CLOSED
    assert reason.numbers == {"earliest": 230.0, "opens": 100.0, "last": 200.0}


def test_too_far_to_be_there_before_the_window_closes() -> None:
    reason = why(visit("new", 2, 0, 60, latest=80.0))[0]
    assert reason.code is Code.WINDOW_CLOSED
    assert (reason.numbers["earliest"], reason.numbers["last"]) == (90.0, 80.0)


def test_off_shift() -> None:
    reason = why(visit("new", 2, 250, 290))[0]
    assert reason.code is Code.OFF_SHIFT
    assert (reason.numbers["end"], reason.numbers["shift_end"]) == (320.0, 300.0)
    early = why(visit("new", 2, 0, 30, latest=30.0))[0]
    assert (early.code, early.numbers["shift_start"]) == (Code.OFF_SHIFT, 50.0)


def test_an_overlap_names_the_other_visit() -> None:
    reason = why(visit("new", 1, 80, 120, latest=120.0), start=110.0)[0]
    assert (reason.code, reason.what) == (Code.OVERLAP, "busy")
    assert (reason.numbers["start"], reason.numbers["end"]) == (100.0, 130.0)


def test_a_break_is_in_the_way() -> None:
    assert why(visit("new", 1, 140, 170, latest=170.0), start=160.0)[0].code is Code.ON_BREAK


def test_the_way_from_and_to_the_neighbours_is_too_long() -> None:
    without = Problem(DAY.visits, (nurse("a", "wound", shift_end=300.0),), DAY.travel)
    reason = why(visit("new", 2, 0, 300), without, start=135.0)[0]
    assert (reason.code, reason.what) == (Code.TRAVEL_TOO_LONG, "busy")
    assert (reason.numbers["needed"], reason.numbers["available"]) == (30.0, 5.0)
    reason = why(visit("new", 2, 0, 300), without, start=60.0)[0]
    assert (reason.code, reason.what) == (Code.TRAVEL_TOO_LONG, "busy")
    assert (reason.numbers["needed"], reason.numbers["available"]) == (30.0, 10.0)


def test_the_other_of_two_services_has_nobody() -> None:
    asked = visit("new", 1, 200, 220, "wound", "stoma")
    codes = {reason.code for reason in why(asked)}
    assert codes == {Code.SYNC_IMPOSSIBLE}


@given(problems(most=6), st.integers(0, 5))
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
def test_there_is_an_offer_or_a_reason_for_every_caregiver(problem: Problem, which: int) -> None:
    asked = problem.visits[which % len(problem.visits)]
    rest = Problem(
        tuple(one for one in problem.visits if one.id != asked.id), problem.caregivers, problem.travel, problem.weights
    )
    answer = explain(rest, solve(rest, moves=500, workers=1), asked)
    named = {reason.caregiver for reason in answer.reasons}
    assert answer.possible or named == {one.id for one in problem.caregivers}
