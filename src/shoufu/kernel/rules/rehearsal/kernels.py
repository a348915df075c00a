"""The patterns as loops over columns, compiled by Numba: the same steps as in `evaluation/patterns`, by state arrays.

Rows come in total order; `key` is a dense number. Keys are independent of each other, so a deadline is looked at when
the key's next row comes, and the rest by `flush`. Rows are named by their number in the whole rehearsal. Each kernel
writes its firings into `out_*` and returns how many there are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NONE = -1
"""No row, or no state."""
FIRED = 0
"""A deadline that has passed."""
LONG_AGO = -(1 << 62)


@njit(cache=True)
def is_open(opens: Ints, closes: Ints, t: int) -> bool:
    at = np.searchsorted(opens, t, side="right") - 1
    return bool(at >= 0 and t < closes[at])


@njit(cache=True)
def next_open(scheduled: bool, opens: Ints, closes: Ints, t: int) -> int:
    if not scheduled:
        return t
    at = np.searchsorted(opens, t, side="right") - 1
    if at >= 0 and t < closes[at]:
        return t
    return opens[at + 1]  # type: ignore[no-any-return]


@njit(cache=True)
def hold(
    t: Ints, key: Ints, rows: Ints, matches: Bools, clears: Bools, span: int, forget: int,
    scheduled: bool, opens: Ints, closes: Ints, deadline: Ints, seen: Ints, origin: Ints,
    out_t: Ints, out_key: Ints, out_row: Ints,
) -> int:  # fmt: skip
    """Threshold and dwell; `deadline` is NONE, FIRED, or when it fires."""
    made = 0
    for i in range(len(t)):
        now, k = t[i], key[i]
        if deadline[k] > FIRED and now >= deadline[k]:
            out_t[made], out_key[made], out_row[made] = deadline[k], k, origin[k]
            made += 1
            deadline[k] = FIRED
        starts = False
        if deadline[k] == NONE:
            starts = matches[i]
        elif now - seen[k] > forget and (matches[i] or clears[i]):
            deadline[k] = NONE
            starts = matches[i]
        elif clears[i]:
            deadline[k] = NONE
        elif matches[i]:
            seen[k] = now
        if starts:
            seen[k], origin[k] = now, rows[i]
            due = next_open(scheduled, opens, closes, now + span)
            deadline[k] = due
            if due == now:
                out_t[made], out_key[made], out_row[made] = now, k, rows[i]
                made += 1
                deadline[k] = FIRED
    return made


@njit(cache=True)
def absence(
    t: Ints, key: Ints, rows: Ints, after: int, scheduled: bool, opens: Ints, closes: Ints,
    deadline: Ints, origin: Ints, out_t: Ints, out_key: Ints, out_row: Ints,
) -> int:  # fmt: skip
    """`deadline` is NONE or when the silence is complete. All rows match."""
    made = 0
    for i in range(len(t)):
        now, k = t[i], key[i]
        if deadline[k] > FIRED and now >= deadline[k]:
            out_t[made], out_key[made], out_row[made] = deadline[k], k, origin[k]
            made += 1
        deadline[k] = next_open(scheduled, opens, closes, now + after)
        origin[k] = rows[i]
    return made


@njit(cache=True)
def flush(until: int, deadline: Ints, origin: Ints, out_t: Ints, out_key: Ints, out_row: Ints) -> int:
    """Every deadline up to `until`."""
    made = 0
    for k in range(len(deadline)):
        if deadline[k] > FIRED and deadline[k] <= until:
            out_t[made], out_key[made], out_row[made] = deadline[k], k, origin[k]
            made += 1
            deadline[k] = FIRED
    return made


@njit(cache=True)
def count(
    t: Ints, key: Ints, rows: Ints, n: int, window: int, scheduled: bool, opens: Ints, closes: Ints,
    ring_t: Ints, ring_row: Ints, length: Ints, out_t: Ints, out_key: Ints, out_rows: Ints,
) -> int:  # fmt: skip
    """`ring_t[k, :length[k]]` are the times in the window, oldest first. All rows match."""
    made = 0
    for i in range(len(t)):
        now, k = t[i], key[i]
        start = now - window
        gone = 0
        while gone < length[k] and ring_t[k, gone] <= start:
            gone += 1
        if gone:
            for j in range(gone, length[k]):
                ring_t[k, j - gone], ring_row[k, j - gone] = ring_t[k, j], ring_row[k, j]
            length[k] -= gone
        ring_t[k, length[k]], ring_row[k, length[k]] = now, rows[i]
        length[k] += 1
        if length[k] == n:
            length[k] = 0
            if not scheduled or is_open(opens, closes, now):
                out_t[made], out_key[made] = now, k
                out_rows[made, :] = ring_row[k, :]
                made += 1
    return made


@njit(cache=True)
def sequence(
    t: Ints, key: Ints, rows: Ints, hits: Bools, excused: Bools, window: int, scheduled: bool, opens: Ints,
    closes: Ints, start: Ints, chain: Ints, unless: Ints, out_t: Ints, out_key: Ints, out_rows: Ints,
) -> int:  # fmt: skip
    """`start[k, j]` is when the chain of j + 1 steps began (LONG_AGO: none), `chain[k, j, :]` its rows."""
    made = 0
    steps = hits.shape[1]
    for i in range(len(t)):
        now, k = t[i], key[i]
        oldest = now - window
        if excused[i]:
            unless[k] = now
        for j in range(steps - 1, -1, -1):
            if not hits[i, j] or (j > 0 and start[k, j - 1] <= oldest):
                continue
            if j < steps - 1:
                start[k, j] = now if j == 0 else start[k, j - 1]
                for step in range(j):
                    chain[k, j, step] = chain[k, j - 1, step]
                chain[k, j, j] = rows[i]
                continue
            if unless[k] <= oldest and (not scheduled or is_open(opens, closes, now)):
                out_t[made], out_key[made] = now, k
                for step in range(j):
                    out_rows[made, step] = chain[k, j - 1, step]
                out_rows[made, j] = rows[i]
                made += 1
            start[k, :] = LONG_AGO
            break
    return made


@njit(cache=True)
def occupancy(
    t: Ints, key: Ints, rows: Ints, delta: Ints, limit: int, most: int, forget: int, scheduled: bool, opens: Ints,
    closes: Ints, total: Ints, seen: Ints, deadline: Ints, origin: Ints, peak: Ints,
    out_t: Ints, out_key: Ints, out_row: Ints, out_peak: Ints,
) -> int:  # fmt: skip
    """`origin[k]` is the row that took the sum over the limit (NONE: it is not over)."""
    made = 0
    for i in range(len(t)):
        now, k = t[i], key[i]
        if deadline[k] > FIRED and now >= deadline[k]:
            out_t[made], out_key[made], out_row[made], out_peak[made] = deadline[k], k, origin[k], peak[k]
            made += 1
            deadline[k] = FIRED
        if now - seen[k] > forget:
            total[k], deadline[k], origin[k] = 0, FIRED, NONE
        change = min(max(delta[i], -most), most)
        total[k] = min(max(total[k] + change, 0), most)
        seen[k] = now
        if total[k] <= limit:
            deadline[k], origin[k] = FIRED, NONE
        elif origin[k] == NONE:
            origin[k], peak[k] = rows[i], total[k]
            due = next_open(scheduled, opens, closes, now)
            deadline[k] = due
            if due == now:
                out_t[made], out_key[made], out_row[made], out_peak[made] = now, k, rows[i], total[k]
                made += 1
                deadline[k] = FIRED
    return made


@njit(cache=True)
def suppress(t: Ints, key: Ints, cooldown: int, last: Ints) -> Bools:
    """Which firings fall into the cool-down of an earlier one of their key; sorted by time within each key."""
    calm = np.zeros(len(t), np.bool_)
    for i in range(len(t)):
        k = key[i]
        if t[i] < last[k] + cooldown:
            calm[i] = True
        else:
            last[k] = t[i]
    return calm


def filled(size: int | tuple[int, ...], value: int) -> Any:
    """A state array."""
    return np.full(size, value, np.int64)
