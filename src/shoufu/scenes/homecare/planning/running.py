"""A day that is under way: what the engine may still change at a moment.

The engine knows no clock; so the past is closed in its problem. Nobody leaves or begins before now, who is on the way
to a visit goes there first, and what nobody can keep any more counts with the time that it can be expected at.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from shoufu.engines import dispatch
from shoufu.engines.dispatch import Caregiver, Plan, Problem, Weights
from shoufu.scenes.homecare.planning.days import Day
from shoufu.scenes.homecare.planning.expecting import ANY_TIME, as_expected, unlimited

MENDING = Weights(total_tardiness=3.0)
"""What mending a day costs: a minute late weighs nine of travel, so that promises are kept where that is possible."""


@dataclass(frozen=True)
class Running:
    """`day` as it can be planned now; in its plan everybody goes on as they are sent. `expected` is when each service
    begins then, in minutes, by (visit, task)."""

    day: Day
    expected: Mapping[tuple[str, int], float]


def running(day: Day, now: datetime, *, absent: str = "") -> Running:
    """The day at a moment. A promise that its people keep stands; one that they break holds as late as they come.

    `absent` is on no way and goes nowhere first. Before the day begins this is the plan as it stands.
    """
    minutes = day.minutes(now)
    plan = day.plan if _all_there(day) else unlimited(day.problem, day.crews, day.order)
    if minutes <= 0 and plan is day.plan:
        return Running(day, _starts(plan))
    closed = day.problem
    if minutes > 0:
        closed = _closed(replace(day, plan=plan), minutes, absent)
        plan = unlimited(closed, day.crews, day.order)
    problem = as_expected(closed, plan, minutes)
    return Running(day.but(problem, dispatch.arrange(problem, day.crews, day.order)), _starts(plan))


def _all_there(day: Day) -> bool:
    """Whether the day's plan holds everybody as they are sent: then no limit took a visit out of it, and the plan
    without limits would be the same."""
    return not any(dispatch.may_do(day.problem, name, day.crews.get(name, ())) for name in day.plan.unassigned)


def _starts(plan: Plan) -> dict[tuple[str, int], float]:
    return {(stop.visit, stop.task): stop.start for stop in plan.stops}


def forgiving(day: Day) -> Day:
    """The same without promises as limits: a late begin costs much instead."""
    visits = tuple(
        replace(one, latest=max(one.latest, ANY_TIME), first_latest=max(one.first_latest, ANY_TIME))
        for one in day.problem.visits
    )
    problem = replace(day.problem, visits=visits, weights=MENDING)
    return day.but(problem, dispatch.arrange(problem, crews_of(day.plan), day.plan.order))


def crews_of(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Of each planned visit: who does each task."""
    return {visit: tuple(stop.caregiver for stop in stops) for visit, stops in plan.by_visit.items()}


def _closed(day: Day, now: float, absent: str) -> Problem:
    """The problem with the past closed."""
    heading = _heading(day, now, absent)
    visits = tuple(_kept(one, day.plan, heading, now) for one in day.problem.visits)
    crew = tuple(_from_now(one, day, heading.get(one.id), now) for one in day.problem.caregivers)
    return replace(day.problem, visits=visits, caregivers=crew)


def _heading(day: Day, now: float, absent: str) -> dict[str, str]:
    """Who is on the way to which visit: they leave so as to arrive at its start."""
    found = {}
    for caregiver in day.problem.caregivers:
        stops = day.plan.routes.get(caregiver.id, ())
        if not stops or caregiver.id == absent:
            continue
        goal = day.problem.visits[day.problem.visit_index[stops[0].visit]].place
        if stops[0].start - day.problem.minutes(caregiver, caregiver.base, goal) <= now:
            found[caregiver.id] = stops[0].visit
    return found


def _kept(asked: dispatch.Visit, plan: Plan, heading: Mapping[str, str], now: float) -> dispatch.Visit:
    stops = plan.by_visit.get(asked.id, ())
    opens = max(asked.opens, now)
    visit = replace(asked, first_latest=max(asked.first_latest, opens, *(stop.start for stop in stops[:1])))
    if stops and any(heading.get(stop.caregiver) == visit.id for stop in stops):
        opens = max(stops[0].start, now)
        latest = opens if len(stops) == 1 else max(visit.latest, opens)
        crew = tuple(stop.caregiver for stop in stops)
        return replace(visit, opens=opens, due=max(visit.due, opens), latest=latest, fixed_caregivers=crew)
    return replace(visit, opens=opens, due=max(visit.due, opens), latest=max(visit.latest, opens))


def _from_now(caregiver: Caregiver, day: Day, goal: str | None, now: float) -> Caregiver:
    """Somebody from now on: from where they are, or from the visit that they are on the way to, as they come there."""
    base, since = caregiver.base, max(caregiver.shift_start, now)
    if goal is not None:
        base = day.problem.visits[day.problem.visit_index[goal]].place
        since = max(day.plan.by_visit[goal][0].start, now)
    for rest in caregiver.breaks:
        if rest.earliest == rest.latest and rest.earliest <= since < rest.earliest + rest.minutes:
            since = rest.earliest + rest.minutes
    return replace(caregiver, base=base, shift_start=since, shift_end=max(since, caregiver.shift_end))
