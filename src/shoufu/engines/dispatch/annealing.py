"""Compiled: simulated annealing over the neighbourhoods."""

from __future__ import annotations

import math

from shoufu.engines.dispatch.arrays import (
    BEST_COST,
    BEST_KEY,
    BEST_WHO,
    CAREGIVERS,
    DISTANCE,
    DOUBLE,
    KEY,
    LATEST,
    LOG_ENDS,
    NEXT,
    PREFERENCE,
    START,
    VISITS,
    WEIGHT_DISTANCE,
    WHO,
    Floats,
    Ints,
)
from shoufu.engines.dispatch.moves import cross, exchange, reassign, relocate, swap, uniform
from shoufu.engines.dispatch.routes import begin, compiled, undo
from shoufu.engines.dispatch.schedule import cost_of, latest_touched, propagate, update_latest

COOLING_STEPS = 64
RELOCATE, REASSIGN, EXCHANGE, SWAP = 0.45, 0.55, 0.75, 0.88
"""Shares of the neighbourhoods, summed up; the rest is `cross`."""


@compiled
def retime(f: Floats, i: Ints) -> None:
    """Order the visits anew, as near to their start times as the routes allow; the schedule stays as it is."""
    n, front = i[VISITS], i[LOG_ENDS]
    for c in range(i[CAREGIVERS]):
        i[front + c] = i[i[NEXT] + 2 * n + c]
    last = -math.inf
    while True:
        chosen, when = -1, math.inf
        for c in range(i[CAREGIVERS]):
            node = i[front + c]
            if node >= 2 * n:
                continue
            visit = node >> 1
            if i[i[DOUBLE] + visit] and i[front + i[i[WHO] + (node ^ 1)]] != node ^ 1:
                continue
            if f[i[START] + 2 * visit] < when:
                chosen, when = visit, f[i[START] + 2 * visit]
        if chosen < 0:
            return
        last = max(when, last + 1e-4)
        f[i[KEY] + chosen] = last
        for k in range(2 if i[i[DOUBLE] + chosen] else 1):
            node = 2 * chosen + k
            i[front + i[i[WHO] + node]] = i[i[NEXT] + node]


@compiled
def keep_best(f: Floats, i: Ints) -> None:
    """Remember the solution as it is."""
    f[BEST_COST] = cost_of(f, i)
    for node in range(2 * i[VISITS]):
        i[i[BEST_WHO] + node] = i[i[WHO] + node]
    for visit in range(i[VISITS]):
        f[i[BEST_KEY] + visit] = f[i[KEY] + visit]


@compiled
def _trial(f: Floats, i: Ints) -> bool:
    which = uniform(f, i)
    if which < RELOCATE:
        return relocate(f, i)
    if which < REASSIGN:
        return reassign(f, i)
    if which < EXCHANGE:
        return exchange(f, i)
    if which < SWAP:
        return swap(f, i)
    return cross(f, i)


@compiled
def anneal(f: Floats, i: Ints, hot: float, cold: float, steps: int) -> int:
    """Try `steps` changes while the temperature falls geometrically; returns how many were accepted.

    The limit that a trial may cost is drawn before it is scheduled, so most trials end at the travel they would add.
    """
    retime(f, i)
    cost = cost_of(f, i)
    heat = hot
    factor = (cold / hot) ** (COOLING_STEPS / max(steps, 1))
    accepted = 0
    for step in range(steps):
        if step % COOLING_STEPS == 0:
            heat *= factor
        limit = cost - heat * math.log(uniform(f, i))
        begin(f, i)
        if not _trial(f, i) or f[WEIGHT_DISTANCE] * f[DISTANCE] + f[PREFERENCE] > limit:
            undo(f, i)
            continue
        propagate(f, i)
        held = f[LATEST]
        f[LATEST] = latest_touched(f, i)
        if cost_of(f, i) > limit:
            undo(f, i)
            continue
        f[LATEST] = held
        update_latest(f, i)
        new = cost_of(f, i)
        if new > limit:
            undo(f, i)
            continue
        cost = new
        accepted += 1
        if cost < f[BEST_COST] - 1e-9:
            keep_best(f, i)
    return accepted
