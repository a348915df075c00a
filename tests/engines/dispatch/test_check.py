"""The check finds each way in which a plan can be wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from shoufu.engines.dispatch import Break, Plan, Problem, Rule, Sync, solve, violations
from shoufu.engines.dispatch.check import InfeasiblePlanError, ensure_feasible
from tests.engines.dispatch.days import line, nurse, visit

DAY = Problem(
    (
        visit("single", 1, 100, 200, latest=220.0, refused=frozenset({"b"})),
        visit("together", 2, 100, 300, "wound", "stoma"),
        visit("spaced", 3, 100, 300, "wound", "stoma", sync=Sync.SEQUENTIAL, gap=(30.0, 60.0)),
        visit("locked", 1, 0, 500, fixed_start=420.0, fixed_caregivers=("c",)),
    ),
    (
        nurse("a", "wound", breaks=(Break(230.0, 260.0, 30.0),), shift_end=500.0),
        nurse("b", "wound", "stoma", shift_end=500.0),
        nurse("c", "wound", "stoma", shift_start=10.0, shift_end=500.0),
    ),
    line(0, 10, 20, 30),
)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return solve(DAY, moves=5000, workers=1)


def changed(plan: Plan, visit: str, task: int = 0, /, **values: object) -> Plan:
    stops = (replace(stop, **values) if (stop.visit, stop.task) == (visit, task) else stop for stop in plan.stops)
    return replace(plan, stops=tuple(stops))


def shifted(plan: Plan, visit: str, task: int, start: float) -> Plan:
    return changed(plan, visit, task, start=start, end=start + 30)


def test_a_plan_of_the_search_is_right(plan: Plan) -> None:
    assert plan.unassigned == ()
    assert violations(DAY, plan) == []
    assert ensure_feasible(DAY, plan) is plan


@pytest.mark.parametrize(
    ("rule", "spoil"),
    [
        (Rule.UNKNOWN, lambda p: changed(p, "single", caregiver="nobody")),
        (Rule.UNKNOWN, lambda p: changed(p, "single", visit="nowhere")),
        (Rule.UNKNOWN, lambda p: changed(p, "single", task=5)),
        (Rule.MISSING, lambda p: replace(p, stops=tuple(s for s in p.stops if s.visit != "single"))),
        (Rule.MISSING, lambda p: replace(p, stops=tuple(s for s in p.stops if (s.visit, s.task) != ("spaced", 1)))),
        (Rule.TWICE, lambda p: replace(p, stops=(*p.stops, p.by_visit["single"][0]))),
        (Rule.TWICE, lambda p: replace(p, unassigned=("single",))),
        (Rule.SKILL, lambda p: changed(p, "together", 1, caregiver="a")),
        (Rule.REFUSED, lambda p: changed(p, "single", caregiver="b")),
        (Rule.NOT_AS_FIXED, lambda p: changed(p, "locked", caregiver="b")),
        (Rule.NOT_AS_FIXED, lambda p: shifted(p, "locked", 0, 430)),
        (
            Rule.SAME_CAREGIVER,
            lambda p: changed(changed(p, "together", 0, caregiver="b"), "together", 1, caregiver="b"),
        ),
        (Rule.DURATION, lambda p: changed(p, "single", end=500)),
        (Rule.BEFORE_WINDOW, lambda p: shifted(p, "single", 0, 90)),
        (Rule.AFTER_LATEST, lambda p: shifted(p, "single", 0, 221)),
        (Rule.GAP, lambda p: shifted(p, "together", 1, p.by_visit["together"][0].start + 1)),
        (Rule.GAP, lambda p: shifted(p, "spaced", 1, p.by_visit["spaced"][0].start + 29)),
        (Rule.GAP, lambda p: shifted(p, "spaced", 1, p.by_visit["spaced"][0].start + 61)),
        (Rule.FIGURES, lambda p: replace(p, cost=p.cost - 1)),
        (Rule.FIGURES, lambda p: replace(p, distance=p.distance + 1)),
        (Rule.FIGURES, lambda p: replace(p, total_tardiness=p.total_tardiness + 1)),
        (Rule.BREAK, lambda p: replace(p, rests=())),
        (Rule.BREAK, lambda p: replace(p, rests=tuple(replace(r, end=r.end - 5) for r in p.rests))),
        (Rule.BREAK, lambda p: replace(p, rests=tuple(replace(r, start=290, end=320) for r in p.rests))),
    ],
)
def test_each_spoilt_plan_is_found(plan: Plan, rule: Rule, spoil: Callable[[Plan], Plan]) -> None:
    spoilt = spoil(plan)
    assert rule in {violation.rule for violation in violations(DAY, spoilt)}
    with pytest.raises(InfeasiblePlanError):
        ensure_feasible(DAY, spoilt)


def one_nurse(*starts: float, shift_end: float = 1000.0, breaks: tuple[Break, ...] = ()) -> tuple[Problem, Plan]:
    """A day of one nurse with visits 10 minutes out, and a plan with these starts."""
    visits = tuple(visit(f"v{index}", 1 + index % 2, 0, 900) for index in range(len(starts)))
    problem = Problem(visits, (nurse("a", shift_end=shift_end, breaks=breaks),), line(0, 10, -10))
    plan = solve(Problem(visits, (nurse("a"),), line(0, 10, -10)), moves=500, workers=1)
    order = sorted(plan.stops, key=lambda stop: stop.visit)
    stops = (replace(stop, start=start, end=start + 30) for stop, start in zip(order, starts, strict=True))
    return problem, replace(plan, stops=tuple(stops), distance=20.0 + 20.0 * (len(starts) - 1))


def rules(problem: Problem, plan: Plan) -> set[Rule]:
    return {violation.rule for violation in violations(problem, plan)} - {Rule.FIGURES}


def test_travel_takes_its_time() -> None:
    assert rules(*one_nurse(10, 60)) == set()
    assert rules(*one_nurse(10, 59)) == {Rule.TRAVEL}
    assert rules(*one_nurse(9, 60)) == {Rule.TRAVEL}
    assert rules(*one_nurse(10, 30)) == {Rule.TRAVEL}


def test_the_nurse_is_back_before_the_shift_ends() -> None:
    assert rules(*one_nurse(10, 60, shift_end=100.0)) == set()
    assert rules(*one_nurse(10, 60, shift_end=99.0)) == {Rule.SHIFT}


def test_a_break_is_held_whole_and_not_while_travelling() -> None:
    lunch = (Break(40.0, 60.0, 20.0),)
    problem, plan = one_nurse(10, 80, breaks=lunch)
    rest = next(iter(solve(problem, moves=500, workers=1).rests))
    assert rules(problem, replace(plan, rests=(replace(rest, start=40, end=60),))) == set()
    assert rules(problem, replace(plan, rests=(replace(rest, start=60, end=80),))) == set()
    assert rules(problem, replace(plan, rests=(replace(rest, start=50, end=70),))) == {Rule.TRAVEL}
    assert Rule.BREAK in rules(problem, replace(plan, rests=(replace(rest, start=75, end=95),)))


def test_a_break_after_the_way_home_is_not_due() -> None:
    assert rules(*one_nurse(10, shift_end=1000.0, breaks=(Break(50.0, 90.0, 20.0),))) == set()
    assert rules(*one_nurse(10, shift_end=1000.0, breaks=(Break(49.0, 90.0, 20.0),))) == {Rule.BREAK}
