"""Where one visit can go in a day as it stands, and why not: for dragging, and for who chooses from a list."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from shoufu.engines import dispatch
from shoufu.engines.dispatch import Code, Offer, Plan, Problem
from shoufu.engines.dispatch import Reason as Against
from shoufu.scenes.homecare.planning import words
from shoufu.scenes.homecare.planning.days import Day
from shoufu.scenes.homecare.planning.words import WhyNot
from shoufu.scenes.homecare.register.models import Practitioner, ServiceVersion
from shoufu.scenes.homecare.visits.models import Visit

STEP = 5.0
LEEWAY = 1.0
"""Minutes after a chosen time that are still that time. Ways take fractions of a minute, while clocks show whole ones
and rows hold whole seconds: who names 09:05 means the minute of it, and has it also a moment later on a day that is
under way."""
MOST = 20_000
Wanted = Sequence[int | None]
"""Of each task: who is to do it; None leaves the choice to the engine."""


@dataclass(frozen=True)
class Fit:
    """A place for a visit: who, when each service begins (minutes), what it adds to the travel of all (minutes), and
    which other visits begin later for it."""

    crew: tuple[int, ...]
    starts: tuple[float, ...]
    more_travel: float
    pushed: tuple[str, ...]
    late: float
    problem: Problem
    plan: Plan


@dataclass(frozen=True)
class Answer:
    """Whether it can be: `fit`, or the reasons why not and what comes near."""

    fit: Fit | None
    reasons: tuple[WhyNot, ...] = ()
    near: tuple[Fit, ...] = ()

    @property
    def text(self) -> str:
        return " ".join(reason.sentence for reason in self.reasons)


def tried(day: Day, visit: Visit, wanted: Wanted, start: float | None, people: Sequence[Practitioner]) -> Answer:
    """Whether these people can do a visit from this time on. The visit is in the day as it was promised (`asked_anew`);
    the others keep their people, their order and their promises. `people` are those of `wanted`, on duty or not."""
    asked = day.problem.visits[day.problem.visit_index[str(visit.pk)]]
    wanted = tuple(wanted) or (None,) * len(asked.tasks)
    lacking = _lacking(day, visit, wanted, people)
    if lacking:
        return Answer(None, tuple(lacking))
    names = tuple(str(pk) if pk is not None else None for pk in wanted)
    chosen = replace(asked, fixed_caregivers=names if any(names) else ())
    fixed = chosen if start is None else _from(chosen, start)
    offers = dispatch.insert(day.problem, day.plan, fixed, count=1) if fixed is not None else []
    if fixed is not None and offers:
        return Answer(_fit(day, fixed, offers[0]))
    return Answer(None, tuple(_reasons(day, visit, asked, names, start)))


def _from(asked: dispatch.Visit, start: float) -> dispatch.Visit | None:
    """The visit at a chosen time; None where that is outside its limits."""
    if not asked.opens - LEEWAY < start <= asked.last_start:
        return None
    return replace(asked, fixed_start=max(start, asked.opens), leeway=LEEWAY)


def near(day: Day, visit: Visit, wanted: Wanted, start: float | None, *, count: int = 4) -> tuple[Fit, ...]:
    """What comes nearest to a wish that cannot be: the same people at other times, then others at the same time."""
    asked = day.problem.visits[day.problem.visit_index[str(visit.pk)]]
    known = tuple(str(pk) if pk is not None and str(pk) in day.people else None for pk in wanted)
    goal = start if start is not None else asked.opens
    found: list[tuple[dispatch.Visit, Offer]] = []
    if any(known) and all(one is None or one in day.problem.caregiver_index for one in known):
        same = replace(asked, fixed_caregivers=known)
        times = dispatch.feasible(day.problem, same, day.plan, step=STEP, punctual=False)
        found += [(same, one) for one in sorted(times, key=lambda one: abs(one.starts[0] - goal))[:2]]
    then = _from(asked, start) if start is not None else None
    if then is not None:
        found += [(then, one) for one in _others(dispatch.insert(day.problem, day.plan, then, count=40))[:2]]
    if len(found) < count:
        found += [(asked, one) for one in _others(dispatch.insert(day.problem, day.plan, asked, count=60))[:count]]
    fits = {(one.caregivers, one.starts): (chosen, one) for chosen, one in reversed(found)}
    return tuple(_fit(day, chosen, one) for chosen, one in list(reversed(fits.values()))[:count])


def places(day: Day, visit: Visit, *, count: int = 8) -> tuple[Fit, ...]:
    """The cheapest places, one for each crew."""
    asked = day.problem.visits[day.problem.visit_index[str(visit.pk)]]
    offers = _others(dispatch.insert(day.problem, day.plan, asked, count=200))[:count]
    return tuple(_fit(day, asked, one) for one in offers)


def by_person(day: Day, visit: Visit, task: int, known: Wanted) -> dict[int, tuple[float | None, str]]:
    """Of everybody on duty: the start at which they can do a task of a visit at the least cost, or why they cannot.
    `known` are those of the other task."""
    asked = day.problem.visits[day.problem.visit_index[str(visit.pk)]]
    names = tuple(str(pk) if pk is not None and str(pk) in day.problem.caregiver_index else None for pk in known)
    fixed = replace(asked, fixed_caregivers=names) if any(names) else asked
    starts: dict[str, float] = {}
    for offer in dispatch.insert(day.problem, day.plan, fixed, count=MOST):
        starts.setdefault(offer.caregivers[task], offer.starts[0])
    found: dict[int, tuple[float | None, str]] = {}
    for name, person in day.people.items():
        if name in starts:
            found[person.pk] = (starts[name], "")
        elif name in day.problem.caregiver_index:
            reasons = dispatch.explain(day.problem, day.plan, asked, caregiver=name).reasons
            told = words.why_not(day, visit, reasons) or words.why_not(day, visit, [_no_pair(visit, name, task)])
            found[person.pk] = (None, " ".join(one.text for one in told))
        else:
            found[person.pk] = (None, words.absent(day, visit, person).text)
    return found


def _no_pair(visit: Visit, name: str, task: int) -> Against:
    code = Code.NO_ROOM if visit.version.second == ServiceVersion.Second.NONE else Code.SYNC_IMPOSSIBLE
    return Against(code, str(visit.pk), name, task)


def why_open(day: Day, visit: Visit) -> tuple[WhyNot, ...]:
    """Why an open visit has no place; empty where it has one."""
    asked = day.problem.visits[day.problem.visit_index[str(visit.pk)]]
    found = dispatch.explain(day.problem, day.plan, asked)
    if not found.possible and not found.reasons:
        return (WhyNot("nobody", _("Nobody is on duty on this day.")),)
    return tuple(words.why_not(day, visit, found.reasons))


def _others(offers: Sequence[Offer]) -> list[Offer]:
    """The cheapest offer of each crew."""
    found: dict[tuple[str, ...], Offer] = {}
    for one in offers:
        found.setdefault(one.caregivers, one)
    return list(found.values())


def _fit(day: Day, asked: dispatch.Visit, offer: Offer) -> Fit:
    problem, plan = dispatch.place(day.problem, day.plan, asked, offer)
    before = {stop.visit: stop.start for stop in day.plan.stops if stop.task == 0}
    later = [stop.visit for stop in plan.stops if stop.task == 0 and stop.start > before.get(stop.visit, 1e9) + 1.0]
    crew = tuple(int(one) for one in offer.caregivers)
    distance = _distance_without(day, asked.id)
    pushed = tuple(one for one in later if one != asked.id)
    return Fit(
        crew, offer.starts, plan.distance - distance, pushed, max(0.0, offer.starts[0] - asked.due), problem, plan
    )


def _distance_without(day: Day, visit: str) -> float:
    """The travel of all without a visit, everybody else going on as planned."""
    total = day.plan.distance
    for stop in day.plan.by_visit.get(visit, ()):
        total -= _detour(day, stop)
    return total


def _detour(day: Day, stop: dispatch.Stop) -> float:
    caregiver = day.problem.caregivers[day.problem.caregiver_index[stop.caregiver]]
    route = day.plan.routes[stop.caregiver]
    at = [day.problem.visits[day.problem.visit_index[one.visit]].place for one in route]
    index = route.index(stop)
    before = at[index - 1] if index else caregiver.base
    after = at[index + 1] if index + 1 < len(at) else caregiver.base
    way = day.problem.minutes
    return way(caregiver, before, at[index]) + way(caregiver, at[index], after) - way(caregiver, before, after)


def _lacking(day: Day, visit: Visit, wanted: Wanted, people: Sequence[Practitioner]) -> list[WhyNot]:
    """What speaks against the people themselves, whatever the time."""
    known = {person.pk: person for person in people}
    found = []
    for task, pk in enumerate(wanted):
        if pk is None:
            continue
        index = day.problem.caregiver_index.get(str(pk))
        if index is None:
            found.append(words.absent(day, visit, known[pk]))
            continue
        if f"{visit.pk}.{task}" not in day.problem.caregivers[index].skills:
            name = known[pk].person.name
            found += [WhyNot(code, text, pk, name) for code, text in words.unable(day, visit, known[pk], task)]
    return found


def _reasons(
    day: Day, visit: Visit, asked: dispatch.Visit, names: Sequence[str | None], start: float | None
) -> list[WhyNot]:
    found: list[Against] = []
    named: list[str | None] = [one for one in names if one is not None]
    for name in named or [None]:
        found += dispatch.explain(day.problem, day.plan, asked, caregiver=name, start=start).reasons
    if not found:
        code = Code.SYNC_IMPOSSIBLE if len(asked.tasks) == 2 else Code.NO_ROOM
        found = [Against(code, asked.id, next((one for one in names if one), ""), 0)]
    return words.why_not(day, visit, found)
