"""Parts of the drill on every core: each is a forked process with a connection of its own.

Whatever a request does is taken back at its end, so parts wait for each other's locks at times and never see more.
"""

from __future__ import annotations

import gc
import multiprocessing
import queue
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db import connections

from shoufu.runtime.errors import Problem

T = TypeVar("T")
PATIENCE = 1.0


def spread(parts: Sequence[Callable[[], T]], workers: int) -> list[T]:
    """The results of the parts in their order, worked off by so many processes. Problem where one of them died."""
    if workers < 2 or len(parts) < 2:
        return [part() for part in parts]
    fork = multiprocessing.get_context("fork")
    waiting, done = fork.Queue(), fork.Queue()
    for number in range(len(parts)):
        waiting.put(number)
    connections.close_all()  # a socket must not be shared
    gc.collect()
    gc.freeze()  # what the parts share stays shared
    processes = [fork.Process(target=_work, args=(parts, waiting, done), daemon=True) for _ in range(workers)]
    for process in processes:
        process.start()
    try:
        found = _gathered(len(parts), done, processes)
    finally:
        for process in processes:
            process.terminate()
            process.join()
    return [found[number] for number in range(len(parts))]


def _work(parts: Sequence[Callable[[], Any]], waiting: Any, done: Any) -> None:
    while True:
        try:
            number = waiting.get(timeout=PATIENCE)
        except queue.Empty:
            return
        done.put((number, parts[number]()))


def _gathered(count: int, done: Any, processes: Sequence[Any]) -> dict[int, Any]:
    found: dict[int, Any] = {}
    while len(found) < count:
        try:
            number, result = done.get(timeout=PATIENCE)
        except queue.Empty:
            if not any(process.is_alive() for process in processes) and done.empty():
                raise Problem("A part of the drill ended early; the lines above say why.") from None
            continue
        found[number] = result
    return found
