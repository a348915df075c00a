"""Compiled: the neighbourhoods of the search. Each makes one trial change, or says False when it does not fit.

A trial keeps the global order: along each route keys rise. So every neighbour can be scheduled, whatever is
synchronised with what. After False the caller undoes what was begun.
"""

from __future__ import annotations

import math

import numpy as np

from shoufu.engines.dispatch.arrays import (
    ABLE,
    ABLE_FROM,
    DOUBLE,
    FREE,
    FREE_COUNT,
    KEY,
    LEAVE,
    MOVABLE,
    MOVED,
    MOVED_LENGTH,
    NEAR,
    NEAR_COUNT,
    NEXT,
    OPENS,
    PREV,
    RANDOM,
    VISITS,
    WHO,
    Floats,
    Ints,
)
from shoufu.engines.dispatch.routes import compiled, link, set_key, slot_at, soft, take, travel

GRANULAR = 0.75
KEEP_OTHER = 0.6
TAIL = 0.4
SEGMENT = 4


@compiled
def uniform(f: Floats, i: Ints) -> float:
    """A random number in (0, 1) (xorshift64*)."""
    x = np.uint64(i[RANDOM])
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    i[RANDOM] = np.int64(x)
    return (float((x * np.uint64(2685821657736338717)) >> np.uint64(11)) + 0.5) / 9007199254740992.0


@compiled
def below(f: Floats, i: Ints, n: int) -> int:
    """A random number in 0 … n - 1."""
    return int(uniform(f, i) * n)


@compiled
def key_of(f: Floats, i: Ints, node: int, head: float) -> float:
    """Key of a node's visit; of a head node, `head`."""
    return head if node >= 2 * i[VISITS] else f[i[KEY] + (node >> 1)]


@compiled
def _key_between(low: float, high: float, wanted: float) -> float:
    """A key inside the open interval, near to the wanted one; nan when there is no room."""
    if low < wanted < high:
        return wanted
    if wanted <= low:
        middle = low + min(1.0, 0.5 * (high - low))
    else:
        middle = high - min(1.0, 0.5 * (high - low))
    return middle if low < middle < high else math.nan


@compiled
def random_visit(f: Floats, i: Ints) -> int:
    """One of the visits that may move."""
    return int(i[i[FREE] + below(f, i, i[FREE_COUNT])])


@compiled
def random_able(f: Floats, i: Ints, node: int) -> int:
    """One of the caregivers who may do a node's service."""
    first = i[i[ABLE_FROM] + node]
    return int(i[i[ABLE] + first + below(f, i, i[i[ABLE_FROM] + node + 1] - first)])


@compiled
def random_node(f: Floats, i: Ints, visit: int) -> int:
    """One of the nodes of a visit."""
    return 2 * visit + (below(f, i, 2) if i[i[DOUBLE] + visit] else 0)


@compiled
def relocate(f: Floats, i: Ints) -> bool:
    """Move a visit to another place in the order, with other caregivers or the same."""
    visit = random_visit(f, i)
    node = random_node(f, i, visit)
    if i[i[WHO] + node] < 0:
        return False
    other = node ^ 1
    other_who = i[i[WHO] + other]
    goal, behind, near = -1, True, 0
    if uniform(f, i) < GRANULAR:
        near = i[i[NEAR] + i[NEAR_COUNT] * visit + below(f, i, i[NEAR_COUNT])]
        if near == visit or i[i[WHO] + 2 * near] < 0:
            return False
        goal = random_node(f, i, near)
        behind = uniform(f, i) < 0.5
        c = i[i[WHO] + goal]
        if soft(f, i, node, c) == math.inf:
            return False
    else:
        near = random_visit(f, i)
        c = random_able(f, i, node)
    take(f, i, node)
    if i[i[DOUBLE] + visit]:
        take(f, i, other)
    if goal < 0:
        before = slot_at(f, i, c, f[i[KEY] + near])
    else:
        before = goal if behind else i[i[PREV] + goal]
    after = i[i[NEXT] + before]
    low, high = key_of(f, i, before, -math.inf), key_of(f, i, after, math.inf)
    before_other, c_other = -1, -1
    if i[i[DOUBLE] + visit]:
        c_other = other_who
        if c_other == c or uniform(f, i) > KEEP_OTHER:
            c_other = random_able(f, i, other)
            if c_other == c:
                return False
        before_other = slot_at(f, i, c_other, high)
        fits = 1
        at = before_other
        while at < 2 * i[VISITS] and f[i[KEY] + (at >> 1)] > low:
            fits += 1
            at = i[i[PREV] + at]
        for _ in range(below(f, i, fits)):
            before_other = i[i[PREV] + before_other]
        low = max(low, key_of(f, i, before_other, -math.inf))
        high = min(high, key_of(f, i, i[i[NEXT] + before_other], math.inf))
    way = travel(f, i, c, before, node)
    wanted = max(f[i[LEAVE] + before] + way, f[i[OPENS] + node]) + 0.01 * uniform(f, i)
    key = _key_between(low, high, wanted)
    if math.isnan(key):
        return False
    set_key(f, i, visit, key)
    link(f, i, node, before, c)
    if i[i[DOUBLE] + visit]:
        link(f, i, other, before_other, c_other)
    return True


@compiled
def _put(f: Floats, i: Ints, node: int, c: int) -> bool:
    """Link a node into c's route where its key belongs; False where another has the same key."""
    key = f[i[KEY] + (node >> 1)]
    before = slot_at(f, i, c, key)
    if before < 2 * i[VISITS] and f[i[KEY] + (before >> 1)] == key:
        return False
    link(f, i, node, before, c)
    return True


@compiled
def reassign(f: Floats, i: Ints) -> bool:
    """Give one service to another caregiver, at its place in the order."""
    node = random_node(f, i, random_visit(f, i))
    c = random_able(f, i, node)
    if i[i[WHO] + node] < 0 or c == i[i[WHO] + node] or (i[i[DOUBLE] + (node >> 1)] and i[i[WHO] + (node ^ 1)] == c):
        return False
    take(f, i, node)
    return _put(f, i, node, c)


@compiled
def exchange(f: Floats, i: Ints) -> bool:
    """Two services of neighbouring visits change caregivers, each at its place in the order."""
    visit = random_visit(f, i)
    one = random_node(f, i, visit)
    near = i[i[NEAR] + i[NEAR_COUNT] * visit + below(f, i, i[NEAR_COUNT])]
    if i[i[DOUBLE] + visit] and uniform(f, i) < 0.1:
        near = visit
    two = one ^ 1 if near == visit else random_node(f, i, near)
    if i[i[WHO] + one] < 0 or i[i[WHO] + two] < 0 or not i[i[MOVABLE] + near]:
        return False
    c, e = i[i[WHO] + one], i[i[WHO] + two]
    if c == e or soft(f, i, one, e) == math.inf or soft(f, i, two, c) == math.inf:
        return False
    if near != visit and (
        (i[i[DOUBLE] + visit] and i[i[WHO] + (one ^ 1)] == e) or (i[i[DOUBLE] + near] and i[i[WHO] + (two ^ 1)] == c)
    ):
        return False
    take(f, i, one)
    take(f, i, two)
    return _put(f, i, one, e) and _put(f, i, two, c)


@compiled
def swap(f: Floats, i: Ints) -> bool:
    """Two single visits change places, in the order and in the routes."""
    one = random_visit(f, i)
    two = i[i[NEAR] + i[NEAR_COUNT] * one + below(f, i, i[NEAR_COUNT])]
    if one == two or i[i[DOUBLE] + one] or i[i[DOUBLE] + two]:
        return False
    if i[i[WHO] + 2 * one] < 0 or i[i[WHO] + 2 * two] < 0 or not i[i[MOVABLE] + two]:
        return False
    c, e = i[i[WHO] + 2 * one], i[i[WHO] + 2 * two]
    if soft(f, i, 2 * one, e) == math.inf or soft(f, i, 2 * two, c) == math.inf:
        return False
    take(f, i, 2 * one)
    take(f, i, 2 * two)
    key = f[i[KEY] + one]
    set_key(f, i, one, f[i[KEY] + two])
    set_key(f, i, two, key)
    return _put(f, i, 2 * one, e) and _put(f, i, 2 * two, c)


@compiled
def _take_range(f: Floats, i: Ints, c: int, low: float, high: float, to: int) -> bool:
    """Take all of c's nodes with low <= key < high, in order; False when `to` may not do one of them."""
    node = i[i[NEXT] + slot_at(f, i, c, low)]
    before = i[i[PREV] + node]
    if before < 2 * i[VISITS] and f[i[KEY] + (before >> 1)] == low:
        node = before
    while node < 2 * i[VISITS] and f[i[KEY] + (node >> 1)] < high:
        after = i[i[NEXT] + node]
        if soft(f, i, node, to) == math.inf or not i[i[MOVABLE] + (node >> 1)]:
            return False
        take(f, i, node)
        node = after
    return True


@compiled
def cross(f: Floats, i: Ints) -> bool:
    """Two caregivers change what they do between two keys (to the end of the day: 2-opt*)."""
    node = random_node(f, i, random_visit(f, i))
    c, e = i[i[WHO] + node], random_able(f, i, node)
    if c < 0 or c == e:
        return False
    low, high = f[i[KEY] + (node >> 1)], math.inf
    if uniform(f, i) > TAIL:
        last = node
        for _ in range(1 + below(f, i, SEGMENT)):
            last = i[i[NEXT] + last]
            if last >= 2 * i[VISITS]:
                break
        high = key_of(f, i, last, math.inf)
    if not _take_range(f, i, c, low, high, e):
        return False
    taken = i[MOVED_LENGTH]
    if not _take_range(f, i, e, low, high, c):
        return False
    for j in range(i[MOVED_LENGTH]):
        moving = i[i[MOVED] + j]
        to = e if j < taken else c
        if i[i[DOUBLE] + (moving >> 1)] and i[i[WHO] + (moving ^ 1)] == to:
            return False
        if not _put(f, i, moving, to):
            return False
    return True
