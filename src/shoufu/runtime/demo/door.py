"""How a simulated door lives: people pass, now and then it is held open, forced, or a card is refused."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

HEARTBEAT_SECONDS = 30.0
PASS_EVERY = 70.0
OPEN_SECONDS = (3.0, 9.0)
HELD_SECONDS = (75.0, 130.0)
FORCED_SECONDS = (15.0, 40.0)
CREDENTIALS = ("card", "card", "card", "pin", "qr", "button")


class Event(StrEnum):
    """What happens at a door."""

    PASS = "pass"
    REFUSED = "refused"
    HELD_OPEN = "held_open"
    FORCED = "forced"


# Of a thousand events at a door; a compound of 36 doors then sees an incident every few minutes.
WEIGHTS = {Event.PASS: 930, Event.REFUSED: 55, Event.HELD_OPEN: 10, Event.FORCED: 5}


@dataclass(frozen=True, slots=True)
class Reading:
    """One observation to be: its kind and result; the time is when it is asked for."""

    kind: str
    result: dict[str, Any]


@dataclass(slots=True)
class Door:
    """The state of one door and what comes next. Time is given (seconds, any origin), chance comes from ``dice``.

    ``planned`` holds events that happen at given times besides those by chance; ``who`` gives the fields of a decision
    that tell who passed, where the door knows.
    """

    dice: random.Random
    born: float
    planned: list[tuple[float, Event]] = field(default_factory=list)
    closes_at: float | None = None
    who: Callable[[], dict[str, Any]] = dict
    _next_event: float = 0.0
    _next_beat: float = 0.0

    def __post_init__(self) -> None:
        self._next_event = self.born + self.dice.expovariate(1 / PASS_EVERY)
        # Spread over the interval, or all doors would speak in the same instant.
        self._next_beat = self.born + self.dice.uniform(0, HEARTBEAT_SECONDS)

    def hello(self) -> Reading:
        """What it says when it comes on: a closed door."""
        return _state("closed")

    def step(self, now: float) -> Iterator[Reading]:
        """Everything that has happened up to ``now`` since the last call."""
        if self.closes_at is not None and now >= self.closes_at:
            self.closes_at = None
            yield _state("closed")
        if now >= self._next_beat:
            self._next_beat = now + HEARTBEAT_SECONDS
            yield Reading("device.heartbeat", {"uptime": round(now - self.born, 1), "version": "2.4.1"})
        event = self._due(now)
        if event and self.closes_at is None:
            yield from self._happen(event, now)

    def unlock(self, now: float, seconds: float = 5.0) -> Iterator[Reading]:
        """Open it from afar."""
        yield Reading("door.access", {"granted": True, "credential": "remote", "direction": "in"})
        yield from self._open(now, seconds)

    def _due(self, now: float) -> Event | None:
        for index, (at, event) in enumerate(self.planned):
            if now >= at:
                del self.planned[index]
                return event
        if now < self._next_event:
            return None
        self._next_event = now + self.dice.expovariate(1 / PASS_EVERY)
        return self.dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]

    def _happen(self, event: Event, now: float) -> Iterator[Reading]:
        match event:
            case Event.REFUSED:
                yield Reading("door.access", {"granted": False, "credential": "unknown", "reason": "unknown card"})
            case Event.FORCED:
                yield Reading("door.alarm", {"alarm": "forced", "detail": "opened without a grant"})
                yield from self._open(now, self.dice.uniform(*FORCED_SECONDS), bolt="locked")
            case Event.PASS | Event.HELD_OPEN:
                yield self._grant()
                held = event is Event.HELD_OPEN
                yield from self._open(now, self.dice.uniform(*(HELD_SECONDS if held else OPEN_SECONDS)))

    def _grant(self) -> Reading:
        result = {
            "granted": True,
            "credential": self.dice.choice(CREDENTIALS),
            "direction": self.dice.choice(("in", "out")),
        }
        return Reading("door.access", result | self.who())

    def _open(self, now: float, seconds: float, bolt: str = "unlocked") -> Iterator[Reading]:
        self.closes_at = now + seconds
        yield Reading("door.state", {"state": "open", "bolt": bolt})


def _state(state: str) -> Reading:
    return Reading("door.state", {"state": state, "bolt": "locked" if state == "closed" else "unlocked"})
