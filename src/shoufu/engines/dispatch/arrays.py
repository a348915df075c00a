"""A problem and a solution in two flat arrays, the form that the compiled search works on.

One array of floats `f` and one of integers `i`: compiled functions pass two pointers and compile in seconds, where a
tuple of forty arrays took a minute and ten times the run time. `i[NAME]` is where the block NAME begins, in `i` or in
`f`; so `f[i[START] + node]` is the start of a node's service. Times and travel are in one unit (minutes).

A visit ``p`` of n has the nodes ``2p`` and ``2p + 1`` (the second only where it is a double service); caregiver ``c``
of m has the node ``2n + c``, the head and tail of the ring that is the route. Simultaneous is a gap of [0, 0].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HARD_RATE = 50.0
"""Cost of a minute over a hard limit (latest start, end of shift) while searching; answers have none."""
NO_LIMIT = 1e9
"""A time that is never reached."""
NEVER = np.inf
"""Soft cost of a caregiver who may not do a service."""

DISTANCE, PREFERENCE, PENALTY, LATEST = 0, 1, 2, 3
"""f[0:4]: travel, soft costs of who does what, tardiness and broken limits, largest tardiness."""
BEFORE = 4
"""f[4:8]: the same before the trial."""
WEIGHT_DISTANCE, WEIGHT_TOTAL, WEIGHT_LATEST, TOLERANCE, BEST_COST = 8, 9, 10, 11, 12
SCALARS = 16

VISITS, CAREGIVERS, PLACES, BREAKS, FREE_COUNT, NEAR_COUNT, RANDOM = 0, 1, 2, 3, 4, 5, 6
QUEUE_LENGTH, ENDS_LENGTH, MOVED_LENGTH, LOG_LENGTH, LOG_ENDS_LENGTH, REKEYED_LENGTH = 8, 9, 10, 11, 12, 13
"""i[0:16]: counts and the state of the random numbers; after them where each block begins."""

DOUBLE, PLACE, MODE, BREAK_FROM, ABLE_FROM, ABLE, NEAR, FREE = 16, 17, 18, 19, 20, 21, 22, 23
"""Given, integers. [n] two services; [2n + m] row of the travel matrix; [m]; [m + 1] rows of the breaks of a caregiver;
[2n + 1] and [*] caregivers who may do a node's service; [n, NEAR_COUNT] good neighbours; visits that may move."""
WHO, PREV, NEXT, RESTS, BEST_WHO = 24, 25, 26, 27, 28
"""Solution, integers. [2n] caregiver of a node, -1 outside; [2n + m] rings; breaks taken up to the end of a service."""
QUEUE, QUEUED, ENDS, ENDED, MOVED, MOVED_PREV, MOVED_WHO, LOGGED, LOG_ENDS, REKEYED = (
    29,
    30,
    31,
    32,
    33,
    34,
    35,
    36,
    37,
    38,
)
"""Trial, integers: visits and ways home to compute again, nodes taken out and where they stood, what was changed."""
DURATION, OPENS, DUE, LIMIT, GAP_MIN, GAP_MAX, TRAVEL, SHIFT_START, SHIFT_END = 39, 40, 41, 42, 43, 44, 45, 46, 47
"""Given, floats. [2n]; [2n] earliest start; [n] start after which it is tardy; [2n] last start allowed; [n] second
start less first; [modes, PLACES, PLACES]; [m]."""
BREAK_EARLIEST, BREAK_LATEST, BREAK_LENGTH, SOFT, WISH, KEEP = 48, 49, 50, 51, 52, 53
"""Given, floats. [BREAKS] in the order of the day; [2n, m] cost of c for a node; [2n] start to keep, when re-planning,
and the cost of missing it by more than the tolerance (0: none)."""
KEY, START, LEAVE, TARDY, NODE_PENALTY, OVERTIME, REST_START, BEST_KEY = 54, 55, 56, 57, 58, 59, 60, 61
"""Solution, floats. [n] the global order: along each route keys rise, so decoding by rising key never waits for itself;
[2n] start; [2n + m] end of service (head: start of shift); [2n]; [2n]; [m]; [BREAKS] start of a break, nan if not
needed; [n]."""
LOG, LOG_OVERTIME, OLD_KEY = 62, 63, 64
"""Trial, floats: [n, LOG_WIDTH] schedule of the visits before the trial, [m], [2n]."""
LOG_WIDTH = 10
MOVABLE, RELEASE = 65, 66
"""Given: integers, [n] whether a visit is among FREE; floats, [2n + m] nobody sets out from there before."""
HEADER = 67

INTEGER_BLOCKS = frozenset({*range(DOUBLE, DURATION), MOVABLE})


@dataclass(frozen=True)
class Given:
    """A problem as arrays; the shapes are those of the blocks of the same names above."""

    double: NDArray[np.bool_]
    duration: Floats
    opens: Floats
    due: Floats
    limit: Floats
    gap_min: Floats
    gap_max: Floats
    place: Ints
    travel: Floats
    mode: Ints
    shift_start: Floats
    shift_end: Floats
    breaks: list[list[tuple[float, float, float]]]
    """Of each caregiver: (earliest start, latest start, length)."""
    soft: Floats
    free: Ints
    weights: tuple[float, float, float]
    """Distance, total tardiness, largest tardiness."""
    wish: Floats | None = None
    keep: Floats | None = None
    tolerance: float = 0.0
    release: Floats | None = None


@dataclass(frozen=True)
class Search:
    """The two arrays of a search, with named views for Python."""

    f: Floats
    i: Ints
    sizes: dict[int, int]

    def view(self, block: int) -> NDArray[np.generic]:
        """The block as a flat view."""
        whole: NDArray[np.generic] = self.i if block in INTEGER_BLOCKS else self.f
        first = int(self.i[block])
        return whole[first : first + self.sizes[block]]


NEIGHBOURS = 25


def _neighbours(given: Given, count: int) -> Ints:
    """For each visit others that stand well before or after it: near, little waiting, little lateness."""
    n = len(given.double)
    places = given.place[0 : 2 * n : 2]
    way = given.travel[int(given.mode[0]) if len(given.mode) else 0][np.ix_(places, places)]
    opens = given.opens[0::2]
    there = opens[:, None] + given.duration[0 : 2 * n : 2, None] + way
    late = np.maximum(0.0, there - given.due[None, :])
    wait = np.maximum(0.0, opens[None, :] - given.due[:, None] - way)
    forward = way + 0.3 * np.minimum(wait, NO_LIMIT) + late
    either = np.minimum(forward, forward.T)
    np.fill_diagonal(either, np.inf)
    return np.argsort(either, axis=1, kind="stable")[:, :count].astype(np.int64)


def pack(given: Given, seed: int, *, moves: bool = True) -> Search:
    """Lay a problem out as two arrays with an empty solution; `seed` starts its random numbers. Without `moves` nothing
    is annealed in it: the good neighbours, which only that asks for, are left out."""
    n, m = len(given.double), len(given.mode)
    near = _neighbours(given, max(1, min(NEIGHBOURS, n - 1))) if moves and n > 1 else np.zeros((n, 1), np.int64)
    nodes, allowed = np.nonzero(given.soft < NEVER)
    rests = np.array([rest for rests in given.breaks for rest in rests], np.float64).reshape(-1, 3)
    head = np.arange(2 * n, 2 * n + m)
    ring = np.concatenate([np.full(2 * n, -1), head])
    none = np.zeros(2 * n)
    blocks: dict[int, NDArray[np.generic] | int] = {
        DOUBLE: given.double,
        PLACE: given.place,
        MODE: given.mode,
        BREAK_FROM: np.cumsum([0, *(len(rests) for rests in given.breaks)]),
        ABLE_FROM: np.searchsorted(nodes, np.arange(2 * n + 1)),
        ABLE: allowed,
        NEAR: near.ravel(),
        FREE: given.free,
        MOVABLE: np.isin(np.arange(n), given.free),
        WHO: np.full(2 * n, -1),
        PREV: ring,
        NEXT: ring,
        RESTS: 2 * n + m,
        BEST_WHO: np.full(2 * n, -1),
        QUEUE: n,
        QUEUED: n,
        ENDS: m,
        ENDED: m,
        MOVED: 2 * n,
        MOVED_PREV: 2 * n,
        MOVED_WHO: 2 * n,
        LOGGED: n,
        LOG_ENDS: m,
        REKEYED: 2 * n,
        DURATION: given.duration,
        OPENS: given.opens,
        DUE: given.due,
        LIMIT: given.limit,
        GAP_MIN: given.gap_min,
        GAP_MAX: given.gap_max,
        TRAVEL: given.travel.ravel(),
        SHIFT_START: given.shift_start,
        SHIFT_END: given.shift_end,
        BREAK_EARLIEST: rests[:, 0],
        BREAK_LATEST: rests[:, 1],
        BREAK_LENGTH: rests[:, 2],
        SOFT: given.soft.ravel(),
        WISH: none if given.wish is None else given.wish,
        KEEP: none if given.keep is None else given.keep,
        RELEASE: np.full(2 * n + m, -np.inf) if given.release is None else given.release,
        KEY: n,
        START: 2 * n,
        LEAVE: np.concatenate([none, given.shift_start]),
        TARDY: 2 * n,
        NODE_PENALTY: 2 * n,
        OVERTIME: m,
        REST_START: len(rests),
        BEST_KEY: n,
        LOG: n * LOG_WIDTH,
        LOG_OVERTIME: m,
        OLD_KEY: 2 * n,
    }
    sizes = {block: value if isinstance(value, int) else len(value) for block, value in blocks.items()}
    length = {True: HEADER, False: SCALARS}
    starts = {}
    for block, size in sizes.items():
        integer = block in INTEGER_BLOCKS
        starts[block] = length[integer]
        length[integer] += size
    f, i = np.zeros(length[False]), np.zeros(length[True], np.int64)
    for block, value in blocks.items():
        i[block] = starts[block]
        if not isinstance(value, int):
            (i if block in INTEGER_BLOCKS else f)[starts[block] : starts[block] + sizes[block]] = value
    i[VISITS], i[CAREGIVERS], i[PLACES], i[BREAKS] = n, m, given.travel.shape[-1], len(rests)
    i[FREE_COUNT], i[NEAR_COUNT] = len(given.free), near.shape[1]
    i[RANDOM] = np.int64((seed * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) % (2**63 - 1) or 1)
    f[WEIGHT_DISTANCE], f[WEIGHT_TOTAL], f[WEIGHT_LATEST] = given.weights
    f[TOLERANCE], f[BEST_COST] = given.tolerance, np.inf
    return Search(f, i, sizes)
