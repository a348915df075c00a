"""Compiled: routes as linked rings, and trials: changes that can be taken back from a log."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit

from shoufu.engines.dispatch.arrays import (
    BEFORE,
    CAREGIVERS,
    DISTANCE,
    ENDED,
    ENDS,
    ENDS_LENGTH,
    KEY,
    LEAVE,
    LOG,
    LOG_ENDS,
    LOG_ENDS_LENGTH,
    LOG_LENGTH,
    LOG_OVERTIME,
    LOG_WIDTH,
    LOGGED,
    MODE,
    MOVED,
    MOVED_LENGTH,
    MOVED_PREV,
    MOVED_WHO,
    NEXT,
    NODE_PENALTY,
    OLD_KEY,
    OVERTIME,
    PLACE,
    PLACES,
    PREFERENCE,
    PREV,
    QUEUE,
    QUEUE_LENGTH,
    QUEUED,
    REKEYED,
    REKEYED_LENGTH,
    RESTS,
    SOFT,
    START,
    TARDY,
    TRAVEL,
    VISITS,
    WHO,
    Floats,
    Ints,
)

F = TypeVar("F", bound=Callable[..., Any])

# Nothing compiled here allocates; without reference counts the functions are inlined and run twice as fast.
OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}


def _fingerprint() -> str:
    folder = Path(__file__).parent
    sources = ("arrays", "routes", "schedule", "moves", "annealing", "trying")
    return hashlib.sha256(b"".join((folder / f"{name}.py").read_bytes() for name in sources)).hexdigest()


FINGERPRINT = _fingerprint()


def compiled(function: F) -> F:
    """Compile at the first call, kept on disk for the next process; runs without the interpreter's lock.

    Numba keeps a function until its own file changes, though it holds code and constants of the others by then: so the
    stamp of what is kept is made from all of them.
    """
    dispatcher = njit(**OPTIONS)(function)
    dispatcher._cache._cache_file._source_stamp = FINGERPRINT
    return cast(F, dispatcher)


@compiled
def travel(f: Floats, i: Ints, c: int, a: int, b: int) -> float:
    """Travel time of c from one node's place to another's."""
    row = i[i[MODE] + c] * i[PLACES] + i[i[PLACE] + a]
    return float(f[i[TRAVEL] + row * i[PLACES] + i[i[PLACE] + b]])


@compiled
def soft(f: Floats, i: Ints, node: int, c: int) -> float:
    """Soft cost of c doing a node's service; inf where c may not."""
    return float(f[i[SOFT] + node * i[CAREGIVERS] + c])


@compiled
def touch(f: Floats, i: Ints, node: int, c: int) -> None:
    """Mark what stands at `node` of c's ring: its visit, or the way home, is to be computed again."""
    if node >= 2 * i[VISITS]:
        if not i[i[ENDED] + c]:
            i[i[ENDED] + c] = True
            i[i[ENDS] + i[ENDS_LENGTH]] = c
            i[ENDS_LENGTH] += 1
        return
    visit = node >> 1
    if not i[i[QUEUED] + visit]:
        i[i[QUEUED] + visit] = True
        i[i[QUEUE] + i[QUEUE_LENGTH]] = visit
        i[QUEUE_LENGTH] += 1


@compiled
def _splice(f: Floats, i: Ints, node: int, before: int, after: int, c: int, sign: float) -> None:
    f[DISTANCE] += sign * (
        travel(f, i, c, before, node) + travel(f, i, c, node, after) - travel(f, i, c, before, after)
    )
    f[PREFERENCE] += sign * soft(f, i, node, c)


@compiled
def unlink(f: Floats, i: Ints, node: int) -> None:
    """Take a node out of its route."""
    before, after, c = i[i[PREV] + node], i[i[NEXT] + node], i[i[WHO] + node]
    _splice(f, i, node, before, after, c, -1.0)
    i[i[NEXT] + before] = after
    i[i[PREV] + after] = before
    i[i[WHO] + node] = -1
    touch(f, i, after, c)


@compiled
def link(f: Floats, i: Ints, node: int, before: int, c: int) -> None:
    """Put a node into c's route behind `before`."""
    after = i[i[NEXT] + before]
    _splice(f, i, node, before, after, c, 1.0)
    i[i[NEXT] + before] = node
    i[i[PREV] + node] = before
    i[i[NEXT] + node] = after
    i[i[PREV] + after] = node
    i[i[WHO] + node] = c
    touch(f, i, node, c)
    touch(f, i, after, c)


@compiled
def slot_at(f: Floats, i: Ints, c: int, key: float) -> int:
    """The node of c's route behind which a visit with that key stands."""
    head = 2 * i[VISITS] + c
    node = i[i[PREV] + head]
    while node != head and f[i[KEY] + (node >> 1)] > key:
        node = i[i[PREV] + node]
    return int(node)


@compiled
def begin(f: Floats, i: Ints) -> None:
    """Start a trial: remember the sums, forget the last log."""
    for j in range(4):
        f[BEFORE + j] = f[j]
    i[MOVED_LENGTH] = 0
    i[LOG_LENGTH] = 0
    i[LOG_ENDS_LENGTH] = 0
    i[REKEYED_LENGTH] = 0


@compiled
def set_key(f: Floats, i: Ints, visit: int, key: float) -> None:
    """Give a visit another place in the global order, for a trial."""
    j = i[REKEYED_LENGTH]
    i[i[REKEYED] + j] = visit
    f[i[OLD_KEY] + j] = f[i[KEY] + visit]
    i[REKEYED_LENGTH] += 1
    f[i[KEY] + visit] = key


@compiled
def take(f: Floats, i: Ints, node: int) -> None:
    """Unlink a node for a trial, remembering where it stood."""
    j = i[MOVED_LENGTH]
    i[i[MOVED] + j] = node
    i[i[MOVED_PREV] + j] = i[i[PREV] + node]
    i[i[MOVED_WHO] + j] = i[i[WHO] + node]
    i[MOVED_LENGTH] += 1
    unlink(f, i, node)


@compiled
def put_new(f: Floats, i: Ints, node: int, before: int, c: int) -> None:
    """Link a node that was in no route, for a trial."""
    j = i[MOVED_LENGTH]
    i[i[MOVED] + j] = node
    i[i[MOVED_WHO] + j] = -1
    i[MOVED_LENGTH] += 1
    link(f, i, node, before, c)


@compiled
def drop_queue(f: Floats, i: Ints) -> None:
    """Forget what was marked, when a trial ends before it was scheduled."""
    for j in range(i[QUEUE_LENGTH]):
        i[i[QUEUED] + i[i[QUEUE] + j]] = False
    for j in range(i[ENDS_LENGTH]):
        i[i[ENDED] + i[i[ENDS] + j]] = False
    i[QUEUE_LENGTH] = 0
    i[ENDS_LENGTH] = 0


@compiled
def undo(f: Floats, i: Ints) -> None:
    """Take the trial back: routes, schedule keys and sums as they were at `begin`."""
    for j in range(i[MOVED_LENGTH]):
        if i[i[WHO] + i[i[MOVED] + j]] >= 0:
            unlink(f, i, i[i[MOVED] + j])
    for j in range(i[MOVED_LENGTH] - 1, -1, -1):
        if i[i[MOVED_WHO] + j] >= 0:
            link(f, i, i[i[MOVED] + j], i[i[MOVED_PREV] + j], i[i[MOVED_WHO] + j])
    drop_queue(f, i)
    for j in range(i[LOG_LENGTH] - 1, -1, -1):
        for k in range(2):
            node, column = 2 * i[i[LOGGED] + j] + k, 5 * k
            f[i[START] + node] = f[i[LOG] + LOG_WIDTH * j + column]
            f[i[LEAVE] + node] = f[i[LOG] + LOG_WIDTH * j + column + 1]
            i[i[RESTS] + node] = int(f[i[LOG] + LOG_WIDTH * j + column + 2])
            f[i[TARDY] + node] = f[i[LOG] + LOG_WIDTH * j + column + 3]
            f[i[NODE_PENALTY] + node] = f[i[LOG] + LOG_WIDTH * j + column + 4]
    for j in range(i[LOG_ENDS_LENGTH]):
        f[i[OVERTIME] + i[i[LOG_ENDS] + j]] = f[i[LOG_OVERTIME] + j]
    for j in range(i[REKEYED_LENGTH] - 1, -1, -1):
        f[i[KEY] + i[i[REKEYED] + j]] = f[i[OLD_KEY] + j]
    for j in range(4):
        f[j] = f[BEFORE + j]
