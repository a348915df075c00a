"""What a day costs and keeps, in numbers."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from shoufu.engines.dispatch import Plan, Problem
from shoufu.scenes.homecare.planning.days import Day


@dataclass(frozen=True)
class Figures:
    """Of the visits that have not begun: how many, planned, open; travel of all in minutes; how many begin later than
    promised, by how many minutes together; services by somebody the patient does not know; minutes that are planned on
    duty, as a share of the shifts."""

    visits: int
    planned: int
    open: int
    travel: int
    late: int
    late_minutes: int
    unfamiliar: int
    utilisation: float

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def of(day: Day, plan: Plan | None = None, problem: Problem | None = None) -> Figures:
    """The figures of a plan of a day, of its own where none is given."""
    plan, problem = plan or day.plan, problem or day.problem
    late = []
    for stop in plan.stops:
        visit = day.visits.get(stop.visit)
        if visit is not None and stop.task == 0:
            late.append(max(0.0, stop.start - day.minutes(visit.latest_at)))
    shifts = sum(one.shift_end - one.shift_start for one in problem.caregivers)
    work = sum(stop.end - stop.start for stop in plan.stops) + plan.distance
    return Figures(
        visits=len(day.visits),
        planned=len(plan.by_visit),
        open=len(plan.unassigned),
        travel=round(plan.distance),
        late=sum(one > 0.5 for one in late),
        late_minutes=round(sum(late)),
        unfamiliar=plan.unfamiliar,
        utilisation=round(work / shifts, 3) if shifts else 0.0,
    )


def utilisation(day: Day) -> Mapping[int, float]:
    """Of each person on duty: the share of the (rest of the) shift that is planned with visits and ways."""
    found = {}
    for caregiver in day.problem.caregivers:
        stops = day.plan.routes.get(caregiver.id, ())
        where, minutes = caregiver.base, 0.0
        for stop in stops:
            place = day.problem.visits[day.problem.visit_index[stop.visit]].place
            minutes += day.problem.minutes(caregiver, where, place) + stop.end - stop.start
            where = place
        if stops:
            minutes += day.problem.minutes(caregiver, where, caregiver.base)
        shift = caregiver.shift_end - caregiver.shift_start
        found[int(caregiver.id)] = round(minutes / shift, 3) if shift > 0 else 0.0
    return found
