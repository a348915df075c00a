"""Periodic work on many rows: one that fails keeps no other waiting."""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def apart(log: logging.Logger, what: str, keys: Iterable[T], step: Callable[[T], int]) -> int:
    """Do a step for each key and return the sum of what the steps return. A step must be a transaction of its own.

    One that fails is an error in the log, with its key and traceback; what it was for stays as it is, so that the next
    round tries it again.
    """
    done = 0
    for key in keys:
        try:
            done += int(step(key))
        except Exception:
            log.exception("%s %s failed; it is tried again in the next round", what, key)
    return done
