"""A plan for a day from nothing: construction, annealing on two cores, repair, check."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from shoufu.engines.dispatch import annealing
from shoufu.engines.dispatch.arrays import BEST_COST, FREE, Floats, Given, Ints, Search, pack
from shoufu.engines.dispatch.check import ensure_feasible
from shoufu.engines.dispatch.construction import construct
from shoufu.engines.dispatch.conversion import given, load, load_best, plan_of, plannable, reload, soft_costs
from shoufu.engines.dispatch.model import DispatchError, Plan, Problem
from shoufu.engines.dispatch.repair import settle

HOT, COLD = (30.0, 200.0), 0.25
"""Temperatures at the start (descents and workers take turns) and at the end of a descent, in units of the objective:
cool starts suit punctual days, hot ones let whole chains of late visits change hands."""
DESCENT = 60_000
"""Trials a visit that a descent takes: what is left after it starts anew, as the ends of descents differ by luck."""
PROBE = 40_000
"""Trials by which the speed of the machine is measured."""
CHUNK = 4000
"""Trials between two looks at the stopwatch."""


@dataclass(frozen=True)
class Budget:
    """How long a search may go on: until the stopwatch shows `until`, or for `moves` trials."""

    began: float
    until: float
    moves: int | None = None

    def used(self, done: int) -> float:
        """The share of the budget that is used up after `done` trials."""
        if self.moves is not None:
            return done / self.moves
        return (time.perf_counter() - self.began) / max(self.until - self.began, 1e-9)

    def share(self, done: int, rate: float, wanted: float) -> Budget | None:
        """The next equal part of what is left: at `rate` trials a second each has about `wanted`. None at the end."""
        if self.moves is not None:
            left = self.moves - done
            return Budget(0.0, 0.0, -(-left // max(1, round(left / wanted)))) if left > 0 else None
        now = time.perf_counter()
        seconds = self.until - now
        return Budget(now, now + seconds / max(1, round(seconds * rate / wanted))) if seconds > 0 else None


def solve(
    problem: Problem, seconds: float = 10.0, seed: int = 1, *, workers: int = 2, moves: int | None = None
) -> Plan:
    """The best plan found in `seconds`, checked; visits that fit nowhere are in `Plan.unassigned`.

    `workers` searches run side by side from different seeds. With `moves` each tries that many changes instead of
    watching the time: then the same seed gives the same plan. With `seconds` it gives the same plan only as far as the
    machine gets equally far. DispatchError for figures that make no sense.
    """
    if not seconds > 0 or workers < 1 or (moves is not None and moves < 1):
        raise DispatchError("seconds, workers, moves: must be more than 0")
    began = time.perf_counter()
    soft = soft_costs(problem)
    planned = plannable(problem, soft)
    free = [index for index, can in enumerate(planned) if can]
    flat = given(problem, soft, free)
    who, key = construct(flat, planned)
    if not free:
        search = _started(flat, seed, who, key)
        return ensure_feasible(problem, plan_of(problem, search))
    budget = Budget(began, began + seconds, moves)
    searches = [_started(flat, seed * 1000 + worker, who, key) for worker in range(workers)]
    if workers == 1:
        _search(searches[0], budget, 0)
    else:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(lambda worker: _search(searches[worker], budget, worker), range(workers)))
    best = min(searches, key=lambda search: float(search.f[BEST_COST]))
    load_best(best)
    return ensure_feasible(problem, settle(problem, best))


def _started(flat: Given, seed: int, who: Ints, key: Floats) -> Search:
    search = pack(flat, seed)
    load(search, who, key)
    annealing.retime(search.f, search.i)
    annealing.keep_best(search.f, search.i)
    return search


def _search(search: Search, budget: Budget, worker: int) -> None:
    """Descents one after the other until the budget is used up, as many as the machine's present speed has room for."""
    wanted = float(DESCENT * max(1, len(search.view(FREE))))
    done, rate, turn = 0, 0.0, worker
    if budget.moves is None:
        annealing.anneal(search.f, search.i, HOT[0], HOT[0], 1)
        rate = _timed(search, Budget(0.0, 0.0, PROBE), HOT[0])[1]
    while (share := budget.share(done, rate, wanted)) is not None:
        trials, rate = _timed(search, share, HOT[turn % len(HOT)])
        done, turn = done + trials, turn + 1


def _timed(search: Search, budget: Budget, hot: float) -> tuple[int, float]:
    """A descent; how many trials it had, all and a second."""
    began = time.perf_counter()
    trials = descend(search, budget, hot)
    return trials, trials / max(time.perf_counter() - began, 1e-6)


def descend(search: Search, budget: Budget, hot: float, cold: float = COLD) -> int:
    """Anneal from the current solution, returning the number of trials; the best is kept in the search."""
    done = 0
    while (used := budget.used(done)) < 1.0:
        heat = hot * (cold / hot) ** used
        trials = CHUNK if budget.moves is None else min(CHUNK, budget.moves - done)
        reload(search)
        annealing.retime(search.f, search.i)
        annealing.anneal(search.f, search.i, heat, heat, trials)
        done += trials
    return done
