from dataclasses import dataclass, field, replace
from enum import StrEnum

from shoufu.engines.welfare.habits import Habits, Usual


class Reason(StrEnum):
    """Why a check is due."""

    SILENT = "silent"
    NOT_BACK = "not_back"


@dataclass(frozen=True)
class Alarm:
    """A check is due at `at`: the last sign of life, what was usual, and why."""

    at: float
    reason: Reason
    last: float
    usual: Usual


@dataclass
class State:
    """Where a watch stands: small, so that it can be kept in a table or copied for a trial.

    `last` is the last sign of life, `pending` an event that needs a second one, `door` the last door event that no
    sign has followed since, `out` since when the person is out, `deaf` since when the sensors are not heard, `unheard`
    the seconds of this silence that nobody could have heard, `told` whether this silence was reported.
    """

    last: float | None = None
    pending: float | None = None
    door: float | None = None
    out: float | None = None
    deaf: float | None = None
    unheard: float = 0.0
    told: bool = False


@dataclass
class Watch:
    """Follows one person's events and says when a silence, or an absence, becomes unusual."""

    habits: Habits = field(default_factory=Habits)
    state: State = field(default_factory=State)

    def event(self, t: float, *, door: bool = False) -> None:
        """A sensor fired (`door`: that of the dwelling's own door). Earlier than the last event counts for nothing."""
        state = self.state
        self.habits.begin(t)
        if state.last is not None and t < state.last:
            return
        self._gone(t)
        if state.deaf is not None:
            self.found(t)
        if door:
            self._sign(t)
            self.state.door = t
            return
        paired = state.pending is not None and t - state.pending <= self.habits.settings.pair
        self.habits.heard(paired)
        state.pending = t
        # The first sign of all, and the first one back home, need no second event.
        if paired or not self.habits.needs_pair or state.last is None or state.out is not None:
            self._sign(t)

    def _sign(self, t: float) -> None:
        state = self.state
        if state.out is not None:
            self.habits.absence(state.out, t)
        elif state.last is not None and state.unheard == 0.0:
            self.habits.silence(state.last, t)
        self.state = replace(state, last=t, pending=t, door=None, out=None, unheard=0.0, told=False)

    def _gone(self, now: float) -> None:
        """A door, then silence: the person is out since the door."""
        state = self.state
        if state.door is None or state.out is not None:
            return
        if now - state.door > self.habits.settings.away_after:
            state.out = state.door

    def lost(self, t: float) -> None:
        """From now on the sensors are not heard (gateway off line): silence says nothing."""
        if self.state.deaf is None:
            self._gone(t)
            self.state.deaf = t

    def found(self, t: float) -> None:
        """The sensors are heard again."""
        state = self.state
        if state.deaf is None:
            return
        state.unheard += max(0.0, t - max(state.deaf, state.last if state.last is not None else state.deaf))
        state.deaf = None

    def due(self) -> Alarm | None:
        """When a check is due if nothing more is heard; None while deaf, unknown, or told already."""
        state = self.state
        if state.last is None or state.told or state.deaf is not None:
            return None
        out = state.out if state.out is not None else state.door
        if out is not None:
            usual = self.habits.usual_absence(out)
            return Alarm(out + usual.limit + state.unheard, Reason.NOT_BACK, out, usual)
        usual = self.habits.usual_silence(state.last)
        return Alarm(state.last + usual.limit + state.unheard, Reason.SILENT, state.last, usual)

    def said(self, t: float) -> None:
        """Somebody who knows says that the person is well: a sign of life that no sensor gave.

        Who is out stays out, and their absence is counted anew from now on. Earlier than the last sign is nothing.
        """
        state = self.state
        self.habits.begin(t)
        if state.last is not None and t < state.last:
            return
        self._gone(t)
        deaf, out = state.deaf, state.out
        self._sign(t)
        self.state.deaf = t if deaf is not None else None
        self.state.out = t if out is not None else None

    def told(self) -> None:
        """The check of this silence was raised; there is no second one until the next sign of life."""
        self.state.told = True
