"""Why somebody cannot come: reasons as codes with numbers, for an interface to put into words of its language."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from shoufu.engines.dispatch.answers import Code, Explanation, Offer, Reason
from shoufu.engines.dispatch.conversion import due_breaks
from shoufu.engines.dispatch.insertion import insert
from shoufu.engines.dispatch.model import Caregiver, DispatchError, Plan, Problem, Stop, Visit


def explain(
    problem: Problem, plan: Plan, visit: Visit, *, caregiver: str | None = None, start: float | None = None
) -> Explanation:
    """Whether a visit can be added to a plan or moved within it, by a given caregiver, at a given start; if not, why.

    With `caregiver` the question is whether that one can do one of its tasks (the first that the skill is for). Reasons
    are of each caregiver asked about, tested against the plan with everybody else's visits where they are.
    DispatchError when the caregiver is not known.
    """
    if caregiver is not None and caregiver not in problem.caregiver_index:
        raise DispatchError(f"caregiver: {caregiver!r} is not on duty")
    crew = problem.caregivers if caregiver is None else (problem.caregivers[problem.caregiver_index[caregiver]],)
    static = [list(_static(visit, one)) for one in crew]
    if start is not None and (start < visit.opens or start > visit.last_start):
        numbers = {"earliest": start, "opens": visit.opens, "last": min(visit.last_start, visit.due)}
        return Explanation(False, None, (Reason(Code.WINDOW_CLOSED, visit.id, "", 0, "", numbers),))
    offer = _best(problem, plan, visit, caregiver, start) if not all(static) else None
    if offer is not None:
        return Explanation(True, offer, ())
    reasons: list[Reason] = []
    for one, found in zip(crew, static, strict=True):
        reasons += found or list(_dynamic(problem, plan, visit, one, start))
    return Explanation(False, None, tuple(reasons))


def _best(problem: Problem, plan: Plan, visit: Visit, caregiver: str | None, start: float | None) -> Offer | None:
    wanted = visit if start is None else replace(visit, fixed_start=start)
    if caregiver is None:
        return next(iter(insert(problem, plan, wanted, count=1)), None)
    best: Offer | None = None
    for task in range(len(visit.tasks)):
        fixed = tuple(caregiver if task == at else None for at in range(len(visit.tasks)))
        kept = visit.fixed_caregivers or (None,) * len(visit.tasks)
        if kept[task] not in (None, caregiver):
            continue
        joined = tuple(new or old for new, old in zip(fixed, kept, strict=True))
        if len({name for name in joined if name}) < sum(name is not None for name in joined):
            continue
        for offer in insert(problem, plan, replace(wanted, fixed_caregivers=joined), count=1):
            if best is None or offer.extra_cost < best.extra_cost:
                best = offer
    return best


def _static(visit: Visit, caregiver: Caregiver) -> Iterator[Reason]:
    """What stands against a caregiver whatever the plan."""
    if caregiver.id in visit.refused:
        yield Reason(Code.REFUSED, visit.id, caregiver.id, 0)
        return
    skilled = [task for task, what in enumerate(visit.tasks) if what.skill in caregiver.skills]
    if not skilled:
        for task, what in enumerate(visit.tasks):
            yield Reason(Code.SKILL_MISSING, visit.id, caregiver.id, task, what.skill)
        return
    fixed = visit.fixed_caregivers
    if not fixed:
        return
    if not any(fixed[task] == caregiver.id or (fixed[task] is None and caregiver.id not in fixed) for task in skilled):
        task = skilled[0]
        yield Reason(Code.FIXED_TO, visit.id, caregiver.id, task, fixed[task] or "")


def _dynamic(problem: Problem, plan: Plan, visit: Visit, caregiver: Caregiver, start: float | None) -> Iterator[Reason]:
    """What stands against a caregiver who could do a task, in the plan as it is."""
    task = next(task for task, what in enumerate(visit.tasks) if what.skill in caregiver.skills)
    minutes = visit.tasks[task].minutes
    shift = _shift_reason(problem, visit, caregiver, task, start)
    if shift is not None:
        yield shift
        return
    stops = [stop for stop in plan.routes.get(caregiver.id, ()) if stop.visit != visit.id]
    found = [
        reason
        for wanted in ([start] if start is not None else _wanted_starts(problem, visit, caregiver, stops))
        if (reason := _clash(problem, visit, caregiver, task, wanted, minutes, stops)) is not None
    ]
    free = start is not None or _wanted_starts(problem, visit, caregiver, stops)
    if not found and free:
        # Alone this caregiver could come: what fails is the other service, or what comes after is pushed too far.
        if len(visit.tasks) == 2:
            yield Reason(Code.SYNC_IMPOSSIBLE, visit.id, caregiver.id, task, visit.tasks[1 - task].skill)
        else:
            yield Reason(Code.NO_ROOM, visit.id, caregiver.id, task)
    yield from _distinct(found)


def _distinct(reasons: list[Reason]) -> list[Reason]:
    seen: set[tuple[Code, str]] = set()
    kept = []
    for reason in reasons:
        if (reason.code, reason.what) not in seen:
            seen.add((reason.code, reason.what))
            kept.append(reason)
    return kept


def _shift_reason(
    problem: Problem, visit: Visit, caregiver: Caregiver, task: int, start: float | None
) -> Reason | None:
    """Off shift, or not there before the window closes even from an empty day."""
    there = caregiver.shift_start + problem.minutes(caregiver, caregiver.base, visit.place)
    back = problem.minutes(caregiver, visit.place, caregiver.base)
    begin = max(there, visit.first_start if start is None else start)
    last = visit.limits[task] if start is None else start
    end = begin + visit.tasks[task].minutes + back
    shift = {"shift_start": caregiver.shift_start, "shift_end": caregiver.shift_end}
    if end > caregiver.shift_end or (begin > last and caregiver.shift_start > last):
        numbers = {"begin": begin, "end": end, **shift}
        return Reason(Code.OFF_SHIFT, visit.id, caregiver.id, task, "", _finite(numbers))
    if begin > last:
        numbers = {"earliest": begin, "opens": visit.opens, "last": last}
        return Reason(Code.WINDOW_CLOSED, visit.id, caregiver.id, task, "", _finite(numbers))
    return None


def _wanted_starts(problem: Problem, visit: Visit, caregiver: Caregiver, stops: list[Stop]) -> list[float]:
    """Starts worth testing: as the window opens, and as soon as one can be there from each visit."""
    starts = {visit.first_start}
    for stop in stops:
        place = problem.visits[problem.visit_index[stop.visit]].place
        starts.add(max(visit.first_start, stop.end + problem.minutes(caregiver, place, visit.place)))
    last = min(visit.limits)
    return sorted(start for start in starts if start <= last)


def _clash(
    problem: Problem,
    visit: Visit,
    caregiver: Caregiver,
    task: int,
    start: float,
    minutes: float,
    stops: list[Stop],
) -> Reason | None:
    """The first thing in the caregiver's day that does not go with a service at [start, start + minutes]."""
    end = start + minutes
    wanted = {"wanted_start": start, "wanted_end": end}
    for stop in stops:
        if stop.start < end and start < stop.end:
            numbers = {"start": stop.start, "end": stop.end, **wanted}
            return Reason(Code.OVERLAP, visit.id, caregiver.id, task, stop.visit, numbers)
    for rest in due_breaks(caregiver):
        if rest.earliest + rest.minutes > start and rest.latest < end:
            numbers = {"start": rest.earliest, "end": rest.latest + rest.minutes, **wanted}
            return Reason(Code.ON_BREAK, visit.id, caregiver.id, task, "", numbers)
    before = [stop for stop in stops if stop.end <= start]
    after = [stop for stop in stops if stop.start >= end]
    origin = _place(problem, before[-1]) if before else caregiver.base
    there_is = start - (before[-1].end if before else caregiver.shift_start)
    needed = problem.minutes(caregiver, origin, visit.place)
    if needed > there_is:
        numbers = {"needed": needed, "available": there_is}
        return Reason(Code.TRAVEL_TOO_LONG, visit.id, caregiver.id, task, before[-1].visit if before else "", numbers)
    goal = _place(problem, after[0]) if after else caregiver.base
    there_is = (after[0].start if after else caregiver.shift_end) - end
    needed = problem.minutes(caregiver, visit.place, goal)
    if needed > there_is:
        numbers = _finite({"needed": needed, "available": there_is})
        return Reason(Code.TRAVEL_TOO_LONG, visit.id, caregiver.id, task, after[0].visit if after else "", numbers)
    return None


def _place(problem: Problem, stop: Stop) -> int:
    return problem.visits[problem.visit_index[stop.visit]].place


def _finite(numbers: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in numbers.items() if math.isfinite(value)}
