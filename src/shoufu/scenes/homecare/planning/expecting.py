"""What a plan comes to when everybody goes on as they are sent: nobody is taken out of it for being late."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf

from shoufu.engines import dispatch
from shoufu.engines.dispatch import Caregiver, Plan, Problem

ANY_TIME = 1440.0
"""The last minute of a day: the limit of what is late already."""


def unlimited(problem: Problem, crews: Mapping[str, Sequence[str]], order: Sequence[str]) -> Plan:
    """Everybody as they are sent, however late that is; only who may not do a visit is left out of it."""
    visits = tuple(replace(one, latest=inf, first_latest=inf) for one in problem.visits)
    crew = tuple(replace(one, shift_end=inf) for one in problem.caregivers)
    return dispatch.arrange(replace(problem, visits=visits, caregivers=crew), crews, order)


def as_expected(problem: Problem, plan: Plan, now: float = 0.0) -> Problem:
    """The problem with each limit as late as it is expected to be kept by the plan; what is open and over time at `now`
    may be any time."""
    visits = []
    for visit in problem.visits:
        starts = [stop.start for stop in plan.by_visit.get(visit.id, ())]
        late = ANY_TIME if not starts and visit.latest <= now else 0.0
        first = max(visit.first_latest, late, *starts[:1])
        latest = max(visit.latest, late, *starts)
        visits.append(replace(visit, latest=latest, first_latest=first) if starts or late else visit)
    crew = tuple(replace(one, shift_end=max(one.shift_end, _back(problem, plan, one))) for one in problem.caregivers)
    return replace(problem, visits=tuple(visits), caregivers=crew)


def _back(problem: Problem, plan: Plan, caregiver: Caregiver) -> float:
    """When somebody is back from their last visit, with the rests after it."""
    stops = plan.routes.get(caregiver.id, ())
    if not stops:
        return 0.0
    rests = [rest.end for rest in plan.rests if rest.caregiver == caregiver.id and rest.end > stops[-1].end]
    place = problem.visits[problem.visit_index[stops[-1].visit]].place
    return max([stops[-1].end, *rests]) + problem.minutes(caregiver, place, caregiver.base)
