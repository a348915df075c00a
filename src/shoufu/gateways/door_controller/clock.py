"""What time it is, and how well the controller knows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from shoufu.engines.doors import ClockQuality

DRIFT = 20e-6
"""Drift of a usual crystal, seconds a second."""
TOLERANCE = 2.0
AHEAD = 400 * 86_400.0
"""A clock further ahead of all that is known than this is no clock."""
CONFIRM = 5.0
"""An answer of the server within so many seconds of our own time refines it without being news."""


class Clock:
    """Unix time that never runs backwards by itself and never lies below the newest event or rule set.

    From the first answer of the server on, time is the server's plus the monotonic clock, whatever somebody does to the
    system's clock. Before that it is the system's clock as it was at the start, if that is believable, plus the
    monotonic clock.
    """

    def __init__(self, wall: Callable[[], float], uptime: Callable[[], float]) -> None:
        self._wall = wall
        self.uptime = uptime
        self._base: tuple[float, float] | None = None
        self._error = TOLERANCE
        self._synced_at = 0.0
        self._known_uptime = uptime()
        self.floor = 0.0
        self.quality = ClockQuality.LOST
        self._last = 0.0

    def start(self, floor: float, synced_at: float) -> None:
        """``floor``: time of the newest event or rule set known; ``synced_at``: last answer of the server."""
        self.floor = self._last = floor
        self._synced_at = synced_at
        self._known_uptime = self.uptime()
        self._try_wall()

    def _try_wall(self) -> None:
        wall = self._wall()
        if self.floor - TOLERANCE <= wall <= self.floor + AHEAD and self.floor > 0:
            self._base = (wall, self.uptime())
            self.quality = ClockQuality.HELD

    def now(self) -> float:
        """Unix seconds."""
        if self.quality == ClockQuality.LOST:
            self._try_wall()
        uptime = self.uptime()
        if self._base is None:
            found = self.floor + uptime - self._known_uptime
        else:
            found = self._base[0] + uptime - self._base[1]
        self._last = max(self._last, found)
        return self._last

    @property
    def uncertainty(self) -> float:
        """How far :meth:`now` may be off, seconds."""
        if self.quality == ClockQuality.SYNCED and self._base is not None:
            return self._error + DRIFT * (self.uptime() - self._base[1])
        return TOLERANCE + DRIFT * max(0.0, self.now() - self._synced_at)

    def raise_floor(self, moment: float) -> None:
        """A signed rule set was issued then: it cannot be earlier now."""
        self.floor = max(self.floor, moment)
        if self.quality != ClockQuality.SYNCED and self.now() < moment - TOLERANCE:
            self.quality = ClockQuality.LOST
            self._base = None
            self._known_uptime = self.uptime()
        self._last = max(self._last, moment)

    def set(self, server: float, took: float, issued_at: float) -> bool:
        """The server's time, in an answer that took ``took`` seconds; whether it was taken.

        A time before the issue of the rule set held is refused: the signed word counts more.
        """
        moment = server + took / 2
        if moment < issued_at - TOLERANCE:
            return False
        uptime = self.uptime()
        if self.quality == ClockQuality.SYNCED and took / 2 > self.uncertainty:
            return True
        self._base = (moment, uptime)
        self._error = took / 2 + 0.001
        # The server's word may lie below events that a wrong clock has stamped; small steps back are waited out.
        if self._last - moment > CONFIRM:
            self._last = moment
        self.floor = max(issued_at, min(self.floor, moment))
        self.quality = ClockQuality.SYNCED
        self._synced_at = moment
        return True


def stamp(milliseconds: int) -> str:
    """RFC 3339 of Unix milliseconds."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")
