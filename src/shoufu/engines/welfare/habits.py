from collections import deque
from dataclasses import dataclass, field

HOUR = 3600.0
DAY = 86400.0
BIN = 600.0
BINS = int(DAY / BIN)
# Shorter silences than this teach nothing: no limit is ever that short.
WORTH = 900.0


@dataclass(frozen=True)
class Settings:
    """How a silence is judged. Spans in seconds, ages in days.

    `factor` × the longest silence that began within `around` of this time of day in the last `memory_days`, and
    `margin` on top, is unusual, never under `shortest` nor over `longest`; nor is it later than `margin` after the
    latest time of day at which those silences ended, as who goes to bed late seldom sleeps as long. Each check
    that found the person well adds `patience` to the margin, quiet weeks take it away at the pace of `alarms_per_week`,
    between `margin_least` and `margin_most`: so an irregular person is not asked too often, and a regular one not late.
    Before `early_days` have passed a silence of `fixed` is; from then until `learning_days` little is known, so a
    silence is held against those of a wider time of day (`early_around`) with `early_margin` on top, less from day to
    day. Away from home: a door, then `away_after` without a sign; away longer than `factor` × the longest absence
    (between `absence_shortest` and `absence_longest`, while learning not before `absence_fixed`) is unusual too.
    A sign of life is two events within `pair`, as a stray firing is none; where fewer than
    `paired_share` of the events have a second one (few sensors), a single one has to do.
    """

    factor: float = 1.1
    margin: float = 1.0 * HOUR
    margin_least: float = 0.5 * HOUR
    margin_most: float = 4 * HOUR
    patience: float = 0.5 * HOUR
    alarms_per_week: float = 0.15
    memory_days: float = 60.0
    early_days: float = 5.0
    early_margin: float = 0.9 * HOUR
    early_around: float = 1.5
    learning_days: float = 28.0
    shortest: float = 1 * HOUR
    longest: float = 14 * HOUR
    fixed: float = 12 * HOUR
    away_after: float = 900.0
    absence_shortest: float = 8 * HOUR
    absence_longest: float = 72 * HOUR
    absence_fixed: float = 48 * HOUR
    pair: float = 300.0
    paired_share: float = 0.8
    around: float = HOUR

    @property
    def first_days(self) -> float:
        """The days in which nothing that was learned counts yet."""
        return min(self.early_days, self.learning_days)


@dataclass(frozen=True)
class Usual:
    """The longest known span in seconds, the span from which it is unusual, and whether that was learned."""

    known: float
    limit: float
    learned: bool


@dataclass
class Longest:
    """The longest of the spans that ended lately; a queue that falls, so each is looked at once."""

    _spans: deque[tuple[float, float]] = field(default_factory=deque)

    def add(self, ended: float, span: float) -> None:
        while self._spans and self._spans[-1][1] <= span:
            self._spans.pop()
        self._spans.append((ended, span))

    def longest(self, after: float) -> float:
        """The longest that ended after this time, 0 where there is none."""
        while self._spans and self._spans[0][0] <= after:
            self._spans.popleft()
        return self._spans[0][1] if self._spans else 0.0


@dataclass
class Habits:
    """The silences and absences of the last `memory_days`, by the time of day at which they began."""

    settings: Settings = field(default_factory=Settings)
    since: float | None = None
    _silences: list[Longest] = field(default_factory=lambda: [Longest() for _ in range(BINS)])
    _absences: Longest = field(default_factory=Longest)
    _patience: tuple[float, float] | None = None
    _events: float = 0.0
    _paired: float = 0.0

    def silence(self, began: float, ended: float) -> None:
        """A silence at home, heard by live sensors, that ended by itself or by the person's own word."""
        if ended - began >= WORTH:
            self._silences[_bin(began)].add(ended, ended - began)

    def absence(self, began: float, ended: float) -> None:
        """The person was out from `began` to `ended`."""
        self._absences.add(ended, ended - began)

    def begin(self, t: float) -> None:
        """The first event that was ever heard."""
        if self.since is None:
            self.since = t

    def heard(self, paired: bool) -> None:
        """An event, and whether another one came within `pair` before it; the last thousand or so count."""
        self._events = self._events * 0.999 + 1.0
        self._paired = self._paired * 0.999 + float(paired)

    @property
    def needs_pair(self) -> bool:
        """Whether this home has sensors enough to ask for two events as a sign of life."""
        return self._events >= 100.0 and self._paired >= self.settings.paired_share * self._events

    def days(self, now: float) -> float:
        """For how long this person is known."""
        return 0.0 if self.since is None else (now - self.since) / DAY

    def usual_silence(self, began: float) -> Usual:
        """What is usual for a silence that begins at `began`."""
        s = self.settings
        if self.days(began) < s.first_days:
            return Usual(0.0, s.fixed, False)
        young = self._young(began)
        known, latest = self._longest(began, s.around * (1.0 + (s.early_around - 1.0) * young))
        limit = min(known * s.factor, latest) + self._margin(began) + s.early_margin * young
        return Usual(known, min(max(limit, s.shortest), s.fixed if young else s.longest), True)

    def _young(self, now: float) -> float:
        """How little is known of a person yet: from 1 at the end of the early days down to 0 once they are learned."""
        s = self.settings
        return max(0.0, s.learning_days - self.days(now)) / max(s.learning_days - s.first_days, 1e-9)

    def _longest(self, began: float, around: float) -> tuple[float, float]:
        """Of the silences that began near this time of day the longest one, and how long it is from now until the
        latest time of day at which one of them ended, or as long where that is longer."""
        middle, reach, after = _bin(began), round(around / BIN), began - self.settings.memory_days * DAY
        near = ((place, self._silences[(middle + place) % BINS].longest(after)) for place in range(-reach, reach + 1))
        spans = [(span, span + place * BIN) for place, span in near if span]
        known = max((span for span, _end in spans), default=0.0)
        return known, max([known, *(end for _span, end in spans)])

    def was_well(self, now: float) -> None:
        """A check found the person well: from now on a little more patient."""
        self._patience = (now, self._margin(now) + self.settings.patience)

    def _margin(self, now: float) -> float:
        """What is added to the longest silence known: grows with each false alarm, shrinks with each quiet week."""
        s = self.settings
        since, margin = self._patience if self._patience else (now, s.margin)
        quiet = max(0.0, now - since) / (7 * DAY)
        return min(max(margin - quiet * s.patience * s.alarms_per_week, s.margin_least), s.margin_most)

    def usual_absence(self, began: float) -> Usual:
        """What is usual for an absence that begins at `began`."""
        s = self.settings
        if self.days(began) < s.first_days:
            return Usual(0.0, s.absence_fixed, False)
        known = self._absences.longest(began - s.memory_days * DAY)
        least = s.absence_shortest if self.days(began) >= s.learning_days else s.absence_fixed
        return Usual(known, min(max(known * s.factor, least), s.absence_longest), True)

    def suited(self, now: float) -> bool:
        """Whether silence says anything about this person.

        Where most hours of the day reach the longest span that may pass, a daily button serves better.
        """
        if self.days(now) < self.settings.learning_days:
            return True
        start = now - now % DAY
        wide = sum(self.usual_silence(start + hour * HOUR).limit >= self.settings.longest for hour in range(24))
        return wide <= 12


def _bin(t: float) -> int:
    return int(t % DAY // BIN)
