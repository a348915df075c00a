"""Made-up people who live alone, and what the sensors of their homes would have recorded.

They are not real and prove less than a public record; they show where the watch fails: night workers, people who are
often away, homes with two sensors, sensors that die, a month that has just begun.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

START = datetime(2023, 10, 2, tzinfo=UTC)  # a Monday
DAY, HOUR, MINUTE = 86400.0, 3600.0, 60.0


@dataclass(frozen=True)
class Home:
    """A person's rhythm, in hours of the day where nothing else is said, and their sensors.

    `rest`: the usual quiet between two bouts of activity in minutes; `visits`: how often they get up at night;
    `outings` a week and `trips` (of one to four nights) a month; `nights`: every second week is worked at night; `ill`:
    the share of days in bed; `sensors`: rooms with motion sensors; `door`: the dwelling's door has one; `dies`: the day
    from which the first sensor is silent; `beats`: temperatures every ten minutes, and twelve hours a month in which
    nothing is heard.
    """

    name: str
    days: int = 120
    wakes: float = 7.0
    sleeps: float = 22.5
    spread: float = 0.6
    rest: float = 25.0
    visits: float = 1.0
    outings: float = 6.0
    trips: float = 0.0
    nights: bool = False
    ill: float = 0.01
    naps: float = 0.3
    sensors: int = 6
    door: bool = True
    dies: int | None = None
    beats: bool = False


HOMES = (
    Home("dense, early", wakes=5.5, sleeps=21.0, rest=12, visits=2.0, sensors=12, beats=True),
    Home("dense, late", wakes=9.0, sleeps=25.0, rest=12, spread=1.0, sensors=12),
    Home("usual", days=200),
    Home("usual, no door sensor", door=False),
    Home("irregular", spread=1.8, rest=40, naps=0.6, visits=0.7),
    Home("sparse: door and two more", rest=70, sensors=2, visits=0.6),
    Home("works nights every second week", nights=True, outings=3),
    Home("often away for days", trips=3.0, days=200),
    Home("often ill", ill=0.08),
    Home("a sensor dies", dies=60, sensors=3, rest=35),
    Home("three weeks", days=21),
    Home("two weeks, dense", days=14, rest=12, sensors=10),
    Home("four weeks, sparse", days=28, rest=60, sensors=3),
)


@dataclass
class _Life:
    """Writes one life; `t` is now, in seconds since `START`."""

    home: Home
    dice: random.Random
    seed: int
    t: float = 0.0

    def days(self) -> Iterator[tuple[float, str, str]]:
        """Rows of all days, in order of time but for the beats."""
        away_until = -1
        for day in range(self.home.days):
            if day < away_until:
                continue
            wakes, sleeps = self._hours(day)
            self.t = max(self.t, day * DAY + wakes * HOUR)
            yield from self._awake(day, day * DAY + sleeps * HOUR)
            if self.dice.random() < self.home.trips / 30:
                away_until = day + 1 + self.dice.randrange(1, 5)
                yield from self._out((away_until * DAY + 17 * HOUR) - self.t + self.dice.gauss(0, HOUR))
                continue
            yield from self._night((day + 1) * DAY + self._hours(day + 1)[0] * HOUR)

    def _hours(self, day: int) -> tuple[float, float]:
        home, dice = self.home, random.Random(f"{self.home.name}/{day}/{self.seed}")
        shift = 9.0 if home.nights and (day // 7) % 2 else 0.0
        late = 0.7 if day % 7 in (5, 6) else 0.0
        wakes = home.wakes + shift + late + dice.gauss(0, home.spread)
        sleeps = home.sleeps + shift + late + dice.gauss(0, home.spread)
        if dice.random() < home.ill:
            wakes, sleeps = wakes + 2.5, sleeps - 2.0
        return wakes, max(sleeps, wakes + 6)

    def _awake(self, day: int, until: float) -> Iterator[tuple[float, str, str]]:
        home, dice = self.home, self.dice
        out_at = self.t + dice.uniform(1, 9) * HOUR if dice.random() < home.outings / 7 else float("inf")
        nap_at = self.t + dice.gauss(6.5, 0.7) * HOUR if dice.random() < home.naps else float("inf")
        while self.t < until:
            if self.t >= out_at:
                out_at = float("inf")
                yield from self._out(dice.lognormvariate(0.6, 0.5) * HOUR)
            elif self.t >= nap_at:
                nap_at = float("inf")
                self.t += dice.uniform(0.7, 2.2) * HOUR
            yield from self._bout(dice.uniform(3, 18) * MINUTE)
            self.t += dice.lognormvariate(0, 0.7) * home.rest * MINUTE

    def _bout(self, lasts: float) -> Iterator[tuple[float, str, str]]:
        ends = self.t + lasts
        while self.t < ends:
            room = self.dice.randrange(self.home.sensors)
            hold = self.dice.uniform(2, 12)
            yield self.t, f"M{room + 1:03d}", "ON"
            yield self.t + hold, f"M{room + 1:03d}", "OFF"
            self.t += hold + self.dice.expovariate(1 / (60.0 if self.home.sensors > 4 else 200.0))

    def _out(self, lasts: float) -> Iterator[tuple[float, str, str]]:
        yield from self._door()
        self.t += max(lasts, 5 * MINUTE)
        yield from self._door()

    def _door(self) -> Iterator[tuple[float, str, str]]:
        if self.home.door:
            yield self.t, "FrontDoor", "OPEN"
            yield self.t + 8, "FrontDoor", "CLOSE"
        self.t += 15

    def _night(self, until: float) -> Iterator[tuple[float, str, str]]:
        visits = sum(self.dice.random() < self.home.visits / 4 for _ in range(4))
        if until - self.t > 3 * HOUR:
            for moment in sorted(self.dice.uniform(self.t + HOUR, until - HOUR) for _ in range(visits)):
                self.t = max(self.t, moment)
                yield from self._bout(self.dice.uniform(2, 7) * MINUTE)
        self.t = max(self.t, until)


def rows(home: Home, seed: int) -> list[tuple[float, str, str]]:
    """What was recorded: seconds since `START`, sensor, state; in order of time."""
    life = _Life(home, random.Random(f"{home.name}/{seed}"), seed)
    found = [row for row in life.days() if row[0] < home.days * DAY]
    if home.dies is not None:
        found = [row for row in found if row[1] != "M001" or row[0] < home.dies * DAY]
    if home.beats:
        found += [(n * 600.0, "T001", f"{20 + n % 40 / 10:.1f}") for n in range(int(home.days * 144))]
        holes = [(day * DAY + life.dice.uniform(0, 12) * HOUR) for day in range(20, home.days, 30)]
        found = [row for row in found if not any(hole <= row[0] < hole + 12 * HOUR for hole in holes)]
    return sorted(found)


def text(home: Home, seed: int) -> str:
    """The record as CSV, as a collection would hand it out."""
    told = ((START + timedelta(seconds=t), sensor, state) for t, sensor, state in rows(home, seed))
    lines = (f"{at:%Y-%m-%d %H:%M:%S},{sensor},{state}" for at, sensor, state in told)
    return "time,sensor,state\n" + "\n".join(lines) + "\n"
