"""Compiled: every place where a visit that is not in the plan could stand."""

from __future__ import annotations

import math

from shoufu.engines.dispatch.arrays import (
    ABLE,
    ABLE_FROM,
    DOUBLE,
    DURATION,
    GAP_MAX,
    GAP_MIN,
    HARD_RATE,
    LEAVE,
    LIMIT,
    LOG,
    LOG_ENDS,
    LOG_ENDS_LENGTH,
    LOG_LENGTH,
    LOG_WIDTH,
    LOGGED,
    NEXT,
    NO_LIMIT,
    OPENS,
    OVERTIME,
    RELEASE,
    SHIFT_END,
    START,
    TARDY,
    VISITS,
    Floats,
    Ints,
)
from shoufu.engines.dispatch.moves import key_of
from shoufu.engines.dispatch.routes import begin, compiled, put_new, set_key, travel, undo
from shoufu.engines.dispatch.schedule import cost_of, propagate, update_latest

CREW, CREW_TWO, POSITION, FIRST, SECOND, COST, TARDINESS = 0, 1, 2, 3, 4, 5, 6
"""Columns of a row: caregivers (second -1 for a single visit), key, starts, added cost, added total tardiness."""
COLUMNS = 7
SLACK = 1e-6


@compiled
def _middle(low: float, high: float) -> float:
    if low == -math.inf:
        return 0.0 if high == math.inf else high - 1.0
    return low + 1.0 if high == math.inf else 0.5 * (low + high)


@compiled
def _is_sound(f: Floats, i: Ints) -> bool:
    """Whether the trial broke no hard limit of the visits and ways home that it touched."""
    for j in range(i[LOG_LENGTH]):
        visit = i[i[LOGGED] + j]
        for k in range(2 if i[i[DOUBLE] + visit] else 1):
            if f[i[START] + 2 * visit + k] > f[i[LIMIT] + 2 * visit + k] + SLACK:
                return False
    over = 0.0
    for j in range(i[LOG_ENDS_LENGTH]):
        over = max(over, f[i[OVERTIME] + i[i[LOG_ENDS] + j]])
    return over <= SLACK


@compiled
def _added_tardiness(f: Floats, i: Ints) -> float:
    added = 0.0
    for j in range(i[LOG_LENGTH]):
        node, row = 2 * i[i[LOGGED] + j], i[LOG] + LOG_WIDTH * j
        added += f[i[TARDY] + node] + f[i[TARDY] + node + 1] - f[row + 3] - f[row + 8]
    return added


@compiled
def _try(
    f: Floats, i: Ints, visit: int, c: int, before: int, e: int, before_two: int, key: float, rows: Floats, at: int
) -> int:
    cost = cost_of(f, i)
    begin(f, i)
    set_key(f, i, visit, key)
    put_new(f, i, 2 * visit, before, c)
    if e >= 0:
        put_new(f, i, 2 * visit + 1, before_two, e)
    propagate(f, i)
    update_latest(f, i)
    if _is_sound(f, i):
        base = at * COLUMNS
        rows[base + CREW], rows[base + CREW_TWO], rows[base + POSITION] = c, e, key
        rows[base + FIRST], rows[base + SECOND] = f[i[START] + 2 * visit], f[i[START] + 2 * visit + 1]
        rows[base + COST], rows[base + TARDINESS] = cost_of(f, i) - cost, _added_tardiness(f, i)
        at += 1
    undo(f, i)
    return at


@compiled
def _too_late(f: Floats, i: Ints, node: int, c: int, before: int, limit: float) -> bool:
    return bool(f[i[LEAVE] + before] + travel(f, i, c, before, node) > limit + SLACK)


@compiled
def _begins(f: Floats, i: Ints, node: int, c: int, before: int) -> float:
    """No start of a node's service behind `before` is earlier, whatever breaks there are."""
    there = max(f[i[LEAVE] + before], f[i[RELEASE] + before]) + travel(f, i, c, before, node)
    return float(max(there, f[i[OPENS] + node]))


@compiled
def _delays_too_much(f: Floats, i: Ints, node: int, c: int, after: int, start: float) -> bool:
    """Whether what comes behind a service that starts then could not keep its hard limit: asked before a trial, since
    most places of a full day fail at it."""
    leave, way = start + f[i[DURATION] + node], travel(f, i, c, node, after)
    if after < 2 * i[VISITS]:
        return bool(max(leave, f[i[RELEASE] + node]) + way > f[i[LIMIT] + after] + SLACK)
    end = f[i[SHIFT_END] + c]
    return bool(end < NO_LIMIT and HARD_RATE * (leave + way - end) > SLACK)


@compiled
def try_places(f: Floats, i: Ints, visit: int, rows: Floats, capacity: int) -> int:
    """Fill `rows` (flat, COLUMNS a row) with all sound places of an unplanned visit; returns how many.

    Along a route places come later and later, so a route is left when its next place is too late for the visit.
    """
    found, node, two = 0, 2 * visit, 2 * visit + 1
    n, limit = i[VISITS], f[i[LIMIT] + node]
    limit_two = min(f[i[LIMIT] + two], limit + f[i[GAP_MAX] + visit])
    for a in range(i[i[ABLE_FROM] + node], i[i[ABLE_FROM] + node + 1]):
        c = i[i[ABLE] + a]
        before = 2 * n + c
        while found < capacity and not _too_late(f, i, node, c, before, limit):
            low, high = key_of(f, i, before, -math.inf), key_of(f, i, i[i[NEXT] + before], math.inf)
            start = _begins(f, i, node, c, before)
            possible = not _delays_too_much(f, i, node, c, i[i[NEXT] + before], start)
            if possible and not i[i[DOUBLE] + visit]:
                found = _try(f, i, visit, c, before, -1, -1, _middle(low, high), rows, found)
            elif possible:
                for b in range(i[i[ABLE_FROM] + two], i[i[ABLE_FROM] + two + 1]):
                    e = i[i[ABLE] + b]
                    other = 2 * n + e
                    while e != c and found < capacity:
                        behind = i[i[NEXT] + other]
                        low_two, high_two = key_of(f, i, other, -math.inf), key_of(f, i, behind, math.inf)
                        if low_two >= high or _too_late(f, i, two, e, other, limit_two):
                            break
                        start_two = max(_begins(f, i, two, e, other), start + f[i[GAP_MIN] + visit])
                        if high_two > low and not _delays_too_much(f, i, two, e, behind, start_two):
                            key = _middle(max(low, low_two), min(high, high_two))
                            found = _try(f, i, visit, c, before, e, other, key, rows, found)
                        other = behind
                        if other >= 2 * n:
                            break
            before = i[i[NEXT] + before]
            if before >= 2 * n:
                break
    return found


@compiled
def try_starts(
    f: Floats, i: Ints, visit: int, starts: Floats, punctual: bool, rows: Floats, capacity: int, best: Floats
) -> None:
    """Fill `best` (flat, COLUMNS a row) with the cheapest sound place for each of the starts of an unplanned visit;
    COST is infinite where there is none, with `punctual` also where each makes somebody late. `rows` is written over.
    """
    for k in range(len(starts)):
        f[i[OPENS] + 2 * visit] = starts[k]
        f[i[LIMIT] + 2 * visit] = starts[k]
        at = k * COLUMNS
        best[at + COST] = math.inf
        for row in range(try_places(f, i, visit, rows, capacity)):
            base = row * COLUMNS
            if rows[base + COST] < best[at + COST] and (not punctual or rows[base + TARDINESS] <= SLACK):
                for column in range(COLUMNS):
                    best[at + column] = rows[base + column]
