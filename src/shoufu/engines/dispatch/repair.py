"""From the best solution of a search to a plan that breaks no limit: what does not fit is left out, and said."""

from __future__ import annotations

import numpy as np

from shoufu.engines.dispatch import trying
from shoufu.engines.dispatch.arrays import (
    HARD_RATE,
    KEY,
    LIMIT,
    MOVABLE,
    OVERTIME,
    PREV,
    START,
    VISITS,
    WHO,
    Floats,
    Ints,
    Search,
)
from shoufu.engines.dispatch.conversion import load, plan_of, reload
from shoufu.engines.dispatch.insertion import places
from shoufu.engines.dispatch.model import Plan, Problem

SLACK = 1e-6


def settle(problem: Problem, search: Search) -> Plan:
    """The current solution as a plan; a visit that breaks a limit goes elsewhere, or stays out if it fits nowhere."""
    for visit in drop_broken(search):
        put_back(search, visit)
    reload(search)
    return plan_of(problem, search)


def drop_broken(search: Search) -> list[int]:
    """Take visits out of the current solution until no hard limit is broken; returns which."""
    reload(search)
    dropped: list[int] = []
    while (visit := _broken(search)) is not None:
        dropped.append(visit)
        _drop(search, visit)
    return dropped


def put_back(search: Search, visit: int) -> bool:
    """Put a visit that is out of the plan to its cheapest sound place; False when there is none."""
    rows = places(search, visit)
    if not len(rows):
        return False
    row = rows[int(np.argmin(rows[:, trying.COST]))]
    who, key = solution(search)
    who[2 * visit] = int(row[trying.CREW])
    who[2 * visit + 1] = int(row[trying.CREW_TWO])
    key[visit] = row[trying.POSITION]
    load(search, who, key)
    return True


def solution(search: Search) -> tuple[Ints, Floats]:
    """(who[2n], key[n]) of the current solution."""
    return np.array(search.view(WHO), np.int64), np.array(search.view(KEY), np.float64)


def _drop(search: Search, visit: int) -> None:
    who, key = solution(search)
    who[2 * visit : 2 * visit + 2] = -1
    load(search, who, key)


def _broken(search: Search) -> int | None:
    """A visit to take out so that a broken limit is kept: the one that starts too late, or the last one of a shift that
    ends too late; where it may not move, the last before it that may."""
    late = np.array(search.view(START), np.float64) > np.array(search.view(LIMIT), np.float64) + SLACK
    nodes = np.flatnonzero(late & (np.array(search.view(WHO), np.int64) >= 0))
    if len(nodes):
        return _movable_before(search, int(nodes[0]), int(nodes[0]))
    over_shift = np.flatnonzero(np.array(search.view(OVERTIME), np.float64) > HARD_RATE * SLACK)
    if len(over_shift):
        last = int(search.view(PREV)[2 * int(search.i[VISITS]) + int(over_shift[0])])
        return _movable_before(search, last, last)
    return None


def _movable_before(search: Search, node: int, otherwise: int) -> int:
    movable, previous = search.view(MOVABLE), search.view(PREV)
    while node < 2 * int(search.i[VISITS]):
        if movable[node >> 1]:
            return node >> 1
        node = int(previous[node])
    return otherwise >> 1
