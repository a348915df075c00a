"""Compiled: the schedule that follows from the routes, kept up to date change by change.

After a change only visits whose predecessor leaves at another time are computed again, in the order of the keys; so a
trial costs a handful of visits.
"""

from __future__ import annotations

import math

from shoufu.engines.dispatch.arrays import (
    BREAK_EARLIEST,
    BREAK_FROM,
    BREAK_LATEST,
    BREAK_LENGTH,
    BREAKS,
    CAREGIVERS,
    DISTANCE,
    DOUBLE,
    DUE,
    DURATION,
    ENDED,
    ENDS,
    ENDS_LENGTH,
    GAP_MAX,
    GAP_MIN,
    HARD_RATE,
    KEEP,
    KEY,
    LATEST,
    LEAVE,
    LIMIT,
    LOG,
    LOG_ENDS,
    LOG_ENDS_LENGTH,
    LOG_LENGTH,
    LOG_OVERTIME,
    LOG_WIDTH,
    LOGGED,
    NEXT,
    NO_LIMIT,
    NODE_PENALTY,
    OPENS,
    OVERTIME,
    PENALTY,
    PREFERENCE,
    PREV,
    QUEUE,
    QUEUE_LENGTH,
    QUEUED,
    RELEASE,
    REST_START,
    RESTS,
    SHIFT_END,
    SHIFT_START,
    START,
    TARDY,
    TOLERANCE,
    VISITS,
    WEIGHT_DISTANCE,
    WEIGHT_LATEST,
    WEIGHT_TOTAL,
    WHO,
    WISH,
    Floats,
    Ints,
)
from shoufu.engines.dispatch.routes import compiled, drop_queue, link, touch, travel


@compiled
def ready(f: Floats, i: Ints, node: int, c: int, lower: float) -> tuple[float, int]:
    """Earliest start of a node's service not before `lower`, and breaks taken by then.

    A break is taken when waiting makes it free, or as late as its limit allows; on arrival if there is time before its
    latest start, otherwise before leaving.
    """
    before = i[i[PREV] + node]
    leave, taken = f[i[LEAVE] + before], i[i[RESTS] + before]
    way = travel(f, i, c, before, node)
    there = max(leave, f[i[RELEASE] + before]) + way
    start = max(there, lower)
    first = i[i[BREAK_FROM] + c]
    while first + taken < i[i[BREAK_FROM] + c + 1]:
        row = first + taken
        earliest, latest, length = f[i[BREAK_EARLIEST] + row], f[i[BREAK_LATEST] + row], f[i[BREAK_LENGTH] + row]
        if there <= latest:
            rest = max(there, earliest)
            if rest + length > start and start + f[i[DURATION] + node] <= latest:
                break
            f[i[REST_START] + row] = rest
            there = rest + length
        else:
            rest = max(leave, earliest)
            f[i[REST_START] + row] = rest
            leave = rest + length
            there = max(leave, f[i[RELEASE] + before]) + way
        start = max(there, lower)
        taken += 1
    return start, taken


@compiled
def _finish(f: Floats, i: Ints, visit: int, node: int, start: float, rests: int) -> None:
    f[i[START] + node] = start
    f[i[LEAVE] + node] = start + f[i[DURATION] + node]
    i[i[RESTS] + node] = rests
    late = max(0.0, start - f[i[DUE] + visit])
    f[i[TARDY] + node] = late
    cost = f[WEIGHT_TOTAL] * late
    if start > f[i[LIMIT] + node]:
        cost += HARD_RATE * (start - f[i[LIMIT] + node])
    if f[i[KEEP] + node] > 0.0 and abs(start - f[i[WISH] + node]) > f[TOLERANCE]:
        cost += f[i[KEEP] + node]
    f[PENALTY] += cost - f[i[NODE_PENALTY] + node]
    f[i[NODE_PENALTY] + node] = cost


@compiled
def place_visit(f: Floats, i: Ints, visit: int) -> None:
    """Compute the start(s) of one visit from its predecessors in the routes."""
    one = 2 * visit
    first, rests = ready(f, i, one, i[i[WHO] + one], f[i[OPENS] + one])
    if not i[i[DOUBLE] + visit]:
        _finish(f, i, visit, one, first, rests)
        return
    two = one + 1
    second, rests_two = ready(f, i, two, i[i[WHO] + two], f[i[OPENS] + two])
    low, high = f[i[GAP_MIN] + visit], f[i[GAP_MAX] + visit]
    while True:
        start = max(first, second - high)
        other = max(second, start + low)
        if i[BREAKS] == 0:
            break
        first, rests = ready(f, i, one, i[i[WHO] + one], start)
        second, rests_two = ready(f, i, two, i[i[WHO] + two], other)
        if first == start and second == other:
            break
    _finish(f, i, visit, one, start, rests)
    _finish(f, i, visit, two, other, rests_two)


@compiled
def home(f: Floats, i: Ints, c: int) -> float:
    """When c is back at the office, with the breaks that fall before."""
    head = 2 * i[VISITS] + c
    last = i[i[PREV] + head]
    if last == head:
        return float(f[i[SHIFT_START] + c])
    t = f[i[LEAVE] + last]
    way = travel(f, i, c, last, head)
    for row in range(i[i[BREAK_FROM] + c] + i[i[RESTS] + last], i[i[BREAK_FROM] + c + 1]):
        if f[i[BREAK_EARLIEST] + row] >= t + way:
            f[i[REST_START] + row] = math.nan
            continue
        rest = max(t, f[i[BREAK_EARLIEST] + row])
        f[i[REST_START] + row] = rest
        t = rest + f[i[BREAK_LENGTH] + row]
    return float(t + way)


@compiled
def _set_overtime(f: Floats, i: Ints, c: int) -> None:
    cost = 0.0
    if f[i[SHIFT_END] + c] < NO_LIMIT:
        cost = HARD_RATE * max(0.0, home(f, i, c) - f[i[SHIFT_END] + c])
    f[PENALTY] += cost - f[i[OVERTIME] + c]
    f[i[OVERTIME] + c] = cost


@compiled
def _remember(f: Floats, i: Ints, visit: int) -> None:
    j = i[LOG_LENGTH]
    i[LOG_LENGTH] += 1
    i[i[LOGGED] + j] = visit
    for k in range(2):
        node, column = 2 * visit + k, 5 * k
        f[i[LOG] + LOG_WIDTH * j + column] = f[i[START] + node]
        f[i[LOG] + LOG_WIDTH * j + column + 1] = f[i[LEAVE] + node]
        f[i[LOG] + LOG_WIDTH * j + column + 2] = i[i[RESTS] + node]
        f[i[LOG] + LOG_WIDTH * j + column + 3] = f[i[TARDY] + node]
        f[i[LOG] + LOG_WIDTH * j + column + 4] = f[i[NODE_PENALTY] + node]


@compiled
def propagate(f: Floats, i: Ints) -> None:
    """Bring the schedule up to date with the routes, in the order of the keys, as far as times change."""
    while i[QUEUE_LENGTH] > 0:
        at = 0
        for j in range(1, i[QUEUE_LENGTH]):
            if f[i[KEY] + i[i[QUEUE] + j]] < f[i[KEY] + i[i[QUEUE] + at]]:
                at = j
        visit = i[i[QUEUE] + at]
        i[QUEUE_LENGTH] -= 1
        i[i[QUEUE] + at] = i[i[QUEUE] + i[QUEUE_LENGTH]]
        i[i[QUEUED] + visit] = False
        _remember(f, i, visit)
        row = i[LOG_LENGTH] - 1
        place_visit(f, i, visit)
        for k in range(2 if i[i[DOUBLE] + visit] else 1):
            node = 2 * visit + k
            if (
                f[i[LEAVE] + node] != f[i[LOG] + LOG_WIDTH * row + 5 * k + 1]
                or i[i[RESTS] + node] != f[i[LOG] + LOG_WIDTH * row + 5 * k + 2]
            ):
                touch(f, i, i[i[NEXT] + node], i[i[WHO] + node])
    for j in range(i[ENDS_LENGTH]):
        c = i[i[ENDS] + j]
        i[i[ENDED] + c] = False
        i[i[LOG_ENDS] + j] = c
        f[i[LOG_OVERTIME] + j] = f[i[OVERTIME] + c]
        _set_overtime(f, i, c)
    i[LOG_ENDS_LENGTH] = i[ENDS_LENGTH]
    i[ENDS_LENGTH] = 0


@compiled
def latest_touched(f: Floats, i: Ints) -> float:
    """The largest tardiness among the visits of the trial: a lower bound of the largest of all."""
    worst = 0.0
    for j in range(i[LOG_LENGTH]):
        node = 2 * i[i[LOGGED] + j]
        worst = max(worst, f[i[TARDY] + node], f[i[TARDY] + node + 1])
    return worst


@compiled
def update_latest(f: Floats, i: Ints) -> None:
    """Set the largest tardiness after a trial; looks at all visits only when the one that held it was touched."""
    worst, held = latest_touched(f, i), 0.0
    for j in range(i[LOG_LENGTH]):
        held = max(held, f[i[LOG] + LOG_WIDTH * j + 3], f[i[LOG] + LOG_WIDTH * j + 8])
    if worst >= f[LATEST]:
        f[LATEST] = worst
    elif held >= f[LATEST]:
        f[LATEST] = largest(f, i)


@compiled
def largest(f: Floats, i: Ints) -> float:
    """The largest tardiness of all visits."""
    worst = 0.0
    for j in range(i[TARDY], i[TARDY] + 2 * i[VISITS]):
        worst = max(worst, f[j])
    return worst


@compiled
def cost_of(f: Floats, i: Ints) -> float:
    """The objective with the sums as they are."""
    return float(f[WEIGHT_DISTANCE] * f[DISTANCE] + f[PREFERENCE] + f[PENALTY] + f[WEIGHT_LATEST] * f[LATEST])


@compiled
def rebuild(f: Floats, i: Ints, who: Ints, key: Floats, order: Ints) -> None:
    """Load a solution and schedule it whole: who[2n] (-1: not in the plan), key[n], the visits by rising key."""
    n, m = i[VISITS], i[CAREGIVERS]
    for c in range(m):
        i[i[PREV] + 2 * n + c] = i[i[NEXT] + 2 * n + c] = 2 * n + c
    for j in range(4):
        f[j] = 0.0
    for node in range(2 * n):
        i[i[WHO] + node] = -1
        f[i[NODE_PENALTY] + node] = f[i[TARDY] + node] = 0.0
    for c in range(m):
        f[i[OVERTIME] + c] = 0.0
    for visit in order:
        f[i[KEY] + visit] = key[visit]
        for k in range(2 if i[i[DOUBLE] + visit] else 1):
            node = 2 * visit + k
            if who[node] >= 0:
                link(f, i, node, i[i[PREV] + 2 * n + who[node]], who[node])
        if who[2 * visit] >= 0:
            place_visit(f, i, visit)
    drop_queue(f, i)
    for c in range(m):
        home(f, i, c)
        _set_overtime(f, i, c)
    f[LATEST] = largest(f, i)
