"""Waiting longer after every failure."""

from __future__ import annotations

import random


class Backoff:
    """Doubles from `least` to `most` seconds, a little at random so that many do not come back at once."""

    def __init__(self, least: float, most: float) -> None:
        self._least, self._most = least, most
        self._next = least

    def next(self) -> float:
        """Seconds to wait now."""
        wait = self._next
        self._next = min(self._next * 2, self._most)
        return wait * random.uniform(0.8, 1.2)

    def reset(self) -> None:
        """It worked: begin with the shortest wait again."""
        self._next = self._least
