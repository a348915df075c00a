import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from shoufu.engines.welfare.habits import DAY, HOUR, Habits, Settings
from shoufu.engines.welfare.watch import Alarm, Reason, Watch

STEP = 300.0
OUTAGE = 6 * HOUR
BETWEEN_OUTAGES = 7 * HOUR + 780.0


@dataclass(frozen=True)
class Event:
    """A row of a record: `t` in seconds of wall-clock time, whether it came from the dwelling's door, and whether it
    only proves that the sensors are heard (`life` false: temperature, battery, a heartbeat)."""

    t: float
    door: bool = False
    life: bool = True


@dataclass(frozen=True)
class Trial:
    """What a record says: days, false alarms, and hours from collapse to alarm.

    A collapse is tried every five minutes of the time at home after the learning days (after the early ones where the
    record is shorter, `since_day`): from then on nothing is heard. Outages of six hours are tried all over the record;
    `outage_alarms` are the checks that only an outage caused.
    """

    days: float
    alarms: Sequence[Alarm]
    delays: Sequence[float] = field(repr=False)
    outages: int
    outage_alarms: int
    since_day: float = 0.0

    @property
    def false_alarms_per_week(self) -> float:
        return len(self.alarms) / max(self.days / 7, 1e-9)

    def delay(self, share: float) -> float | None:
        """The delay in hours that this share of collapses stays under; None where none could be tried."""
        return float(np.quantile(np.asarray(self.delays), share)) / HOUR if self.delays else None


def trial(events: Sequence[Event], settings: Settings | None = None, silent_after: float | None = None) -> Trial:
    """Run a record through a watch. `silent_after`: the sensors count as lost after this long without any row."""
    settings = settings or Settings()
    watch = Watch(Habits(settings))
    alarms: list[Alarm] = []
    delays: list[float] = []
    tried = caused = 0
    if not events:
        return Trial(0.0, [], [], 0, 0)
    first, final = events[0].t, events[-1].t
    learning = (settings.learning_days, settings.first_days, 0.0)
    since_day = next(days for days in learning if not days or final - first > (days + 7) * DAY)
    from_day = first + since_day * DAY
    outage = first + DAY
    life = _next_life(events)
    for index, event in enumerate(events):
        if event.life:
            watch.event(event.t, door=event.door)
        following = events[index + 1].t if index + 1 < len(events) else final
        while outage + OUTAGE < final and outage < following:
            if outage >= event.t:
                tried += 1
                caused += _outage_alarm(watch, outage, events, life[index])
            outage += BETWEEN_OUTAGES
        if following // STEP == event.t // STEP and index + 1 < len(events):
            continue
        due = watch.due()
        _collapses(delays, due, max(event.t, from_day), following, watch)
        if silent_after is not None and following - event.t > silent_after:
            heard_until = event.t + silent_after
            if due is not None and due.at <= heard_until:
                _well(alarms, due, watch)
            watch.lost(event.t)
            watch.found(following)
        elif due is not None and due.at < following:
            _well(alarms, due, watch)
    return Trial((final - first) / DAY, alarms, delays, tried, caused, since_day)


def _well(alarms: list[Alarm], due: Alarm, watch: Watch) -> None:
    """A false alarm: the person was asked and said so."""
    alarms.append(due)
    watch.told()
    if due.usual.learned and due.reason is Reason.SILENT:
        watch.habits.was_well(due.at)


def _next_life(events: Sequence[Event]) -> list[int]:
    """For each row the index of the next row of life after it; the length where there is none."""
    found = [len(events)] * len(events)
    following = len(events)
    for index in range(len(events) - 1, -1, -1):
        found[index] = following
        if events[index].life:
            following = index
    return found


def _collapses(delays: list[float], due: Alarm | None, since: float, until: float, watch: Watch) -> None:
    """Delays of the collapses between two rows, on a grid of five minutes, while the person is at home."""
    state = watch.state
    if due is None or until <= since:
        return
    if state.out is not None or (state.door is not None and until - state.door > watch.habits.settings.away_after):
        return
    t = math.ceil(since / STEP) * STEP
    while t < until:
        if t <= due.at:
            delays.append(due.at - t)
        t += STEP


def _outage_alarm(watch: Watch, begins: float, events: Sequence[Event], following: int) -> int:
    """Whether an outage of six hours from here raises a check that the same silence without it would not have."""
    due = watch.due()
    if due is not None and due.at <= begins:
        return 0
    ends = begins + OUTAGE
    twin = Watch(watch.habits, replace(watch.state))
    twin.lost(begins)
    twin.found(ends)
    while following < len(events) and (events[following].t < ends or not events[following].life):
        following += 1
    if following == len(events):
        return 0
    alarm = twin.due()
    late = alarm is not None and alarm.at < events[following].t
    return int(late and (due is None or due.at >= events[following].t))
