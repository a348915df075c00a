"""One more visit in a plan that stands: where it fits, what that costs, and which start times can be offered."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from shoufu.engines.dispatch import trying
from shoufu.engines.dispatch.answers import Offer
from shoufu.engines.dispatch.arrays import OPENS, Floats, Search, pack
from shoufu.engines.dispatch.check import violations
from shoufu.engines.dispatch.conversion import given, load, plan_of, plannable, reload, soft_costs, solution_of
from shoufu.engines.dispatch.model import DispatchError, Plan, Problem, Visit

CAPACITY = 20_000
"""Places looked at, at most: a double visit among 300 has fewer."""


def insert(problem: Problem, plan: Plan, visit: Visit, *, count: int = 10, punctual: bool = False) -> list[Offer]:
    """The `count` cheapest places of a new visit in a plan, nobody else changing caregiver or order.

    Others may start later within their hard limits; `punctual` leaves out what adds tardiness to anybody. Empty when
    there is no place (`explain` says why). DispatchError when the visit contradicts itself.
    """
    search, index = _prepared(problem, plan, visit)
    if search is None:
        return []
    offers = _offers(problem, visit, search, index, punctual)
    return offers[:count]


def feasible(problem: Problem, visit: Visit, plan: Plan, *, step: float = 15.0, punctual: bool = True) -> list[Offer]:
    """The cheapest place for each start of the visit on a grid of `step` minutes in [opens, due or latest].

    Each offer alone is feasible with the plan; two of them together need not be: place the first, then ask again. A
    start that is not offered might still be possible in a wholly different plan.
    """
    if not step > 0:
        raise DispatchError("step: must be more than 0 minutes")
    search, index = _prepared(problem, plan, visit)
    if search is None:
        return []
    starts = np.array(_grid(visit, step), dtype=np.float64)
    best = np.empty(len(starts) * trying.COLUMNS)
    trying.try_starts(search.f, search.i, index, starts, punctual, _room(), CAPACITY, best)
    rows = best.reshape(-1, trying.COLUMNS)
    return [_offer(problem, visit, row) for row in rows[rows[:, trying.COST] < math.inf]]


def place(problem: Problem, plan: Plan, visit: Visit, offer: Offer) -> tuple[Problem, Plan]:
    """The day and its plan with the visit at an offered place; the start that was offered is kept.

    DispatchError when the plan has changed so that the offer no longer fits.
    """
    fixed = offer.starts[0] > visit.first_start
    wider = problem.with_visit(visit)
    search, index = _prepared(problem, plan, visit)
    if search is None or len(offer.caregivers) != len(visit.tasks):
        raise DispatchError(f"offer: {visit.id} does not fit this plan any more")
    if fixed:
        search.f[search.i[OPENS] + 2 * index] = offer.starts[0]
    who, key = solution_of(wider, plan)
    who[2 * index : 2 * index + 2] = -1
    for task, name in enumerate(offer.caregivers):
        if name not in wider.caregiver_index:
            raise DispatchError(f"offer: {name} is not on duty any more")
        who[2 * index + task] = wider.caregiver_index[name]
    key[index] = offer.position
    load(search, who, key)
    reload(search)
    placed = plan_of(wider, search)
    if abs(placed.by_visit[visit.id][0].start - offer.starts[0]) > 1e-6:
        raise DispatchError(f"offer: {visit.id} does not fit this plan any more")
    if violations(wider, placed):
        raise DispatchError(f"offer: {visit.id} does not fit this plan any more")
    return wider, placed


def _grid(visit: Visit, step: float) -> Sequence[float]:
    last = min(visit.due, visit.last_start)
    if visit.fixed_start is not None or math.isinf(last):
        return [visit.first_start]
    return [visit.opens + step * k for k in range(int((last - visit.opens) / step + 1e-9) + 1)]


def _prepared(problem: Problem, plan: Plan, visit: Visit) -> tuple[Search | None, int]:
    """The plan as a search, with the visit known and in no route; None where nobody can do it."""
    wider = problem.with_visit(visit)
    index = wider.visit_index[visit.id]
    soft = soft_costs(wider)
    if not plannable(wider, soft)[index]:
        return None, index
    search = pack(given(wider, soft, []), 1, moves=False)
    who, key = solution_of(wider, plan)
    who[2 * index : 2 * index + 2] = -1
    load(search, who, key)
    return search, index


def _offers(problem: Problem, visit: Visit, search: Search, index: int, punctual: bool) -> list[Offer]:
    rows = places(search, index)
    rows = rows[rows[:, trying.TARDINESS] <= trying.SLACK] if punctual else rows
    return [_offer(problem, visit, row) for row in rows[np.argsort(rows[:, trying.COST], kind="stable")]]


def _room() -> Floats:
    return np.empty(CAPACITY * trying.COLUMNS)


def places(search: Search, index: int) -> Floats:
    """All sound places of an unplanned visit, a row each (columns as in `trying`)."""
    rows = _room()
    found = trying.try_places(search.f, search.i, index, rows, CAPACITY)
    kept: Floats = rows[: found * trying.COLUMNS].reshape(found, trying.COLUMNS)
    return kept


def _offer(problem: Problem, visit: Visit, row: Floats) -> Offer:
    first, second, position, start, start_two, cost, tardiness = row.tolist()
    tasks = len(visit.tasks)
    crew, starts = (int(first), int(second))[:tasks], (start, start_two)[:tasks]
    return Offer(visit.id, tuple(problem.caregivers[c].id for c in crew), starts, cost, tardiness, position)
