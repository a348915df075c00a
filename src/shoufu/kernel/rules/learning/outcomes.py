"""The cases of a rule with what became of them, and how far each number could have gone before they were not raised."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from shoufu.engines.tuning import Event, Outcome, Sample
from shoufu.kernel.cases import outcomes
from shoufu.kernel.cases.models import Case
from shoufu.kernel.rules.evaluation import SECOND, Calendar, CompiledRule, Row, to_microseconds
from shoufu.kernel.rules.evaluation.calendar import to_datetime
from shoufu.kernel.rules.learning.turns import Turn
from shoufu.kernel.rules.models import Firing, Rule, RuleVersion
from shoufu.kernel.rules.rehearsal.matching import Mark
from shoufu.kernel.rules.rehearsal.rows import RowReader

MOST_CASES = 3_000
FARTHEST = 20
"""So many times the present span is looked ahead, an hour at least and a day at most."""
HOUR, DAY = 3_600.0, 86_400.0
Why = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Ended:
    """A case: what became of it and when that was said, the firing that raised it, and the reasons of the signs that
    followed within the cool-down."""

    id: int
    outcome: Outcome
    judged_at: datetime | None
    version: int
    key: str
    t: int
    place: int
    device: int | None
    observations: tuple[str, ...]
    why: Why
    signs: tuple[Why, ...]


def ended(rule: Rule, versions: Sequence[RuleVersion], since: datetime, until: datetime) -> list[Ended]:
    """The newest cases that these versions raised in [since, until), oldest first; two queries."""
    rows = Case.objects.filter(
        rule_version__in=versions, firing__isnull=False, opened_at__gte=since, opened_at__lt=until
    ).select_related("firing", *outcomes.RELATED)
    cases = sorted(rows.order_by("-opened_at")[:MOST_CASES], key=lambda case: case.opened_at)
    signs = _signs(versions, since, until)
    following: dict[str, list[datetime]] = defaultdict(list)
    for case in cases:
        following[case.key].append(case.opened_at)
    return [_ended(case, case.firing, signs.get(case.key, ()), following[case.key]) for case in cases if case.firing]


def _signs(versions: Sequence[RuleVersion], since: datetime, until: datetime) -> dict[str, list[tuple[datetime, Why]]]:
    rows = Firing.objects.filter(version__in=versions, suppressed=True, t__gte=since, t__lt=until)
    found: dict[str, list[tuple[datetime, Why]]] = defaultdict(list)
    for key, t, why in rows.order_by("-t").values_list("key", "t", "why")[: MOST_CASES * 10]:
        found[key].append((t, why))
    return {key: sorted(signs, key=lambda one: one[0]) for key, signs in found.items()}


def _ended(case: Case, firing: Firing, signs: Sequence[tuple[datetime, Why]], opened: Sequence[datetime]) -> Ended:
    place = bisect_right(opened, case.opened_at)
    end = bisect_left(signs, opened[place], key=lambda one: one[0]) if place < len(opened) else len(signs)
    start = bisect_right(signs, case.opened_at, key=lambda one: one[0])
    return Ended(
        id=case.pk,
        outcome=Outcome(outcomes.verdict(case)),
        judged_at=outcomes.judged_at(case),
        version=firing.version_id,
        key=case.key,
        t=to_microseconds(firing.t),
        place=firing.place_id,
        device=firing.device_id,
        observations=tuple(firing.observations),
        why=firing.why,
        signs=tuple(why for _t, why in signs[start:end]),
    )


class Reaches:
    """How far each number could have gone, from the reasons that were kept and, for spans, from the log."""

    def __init__(
        self,
        rule: CompiledRule,
        cases: Sequence[Ended],
        reader: RowReader,
        now: datetime,
        atoms: Mapping[tuple[int, str], str],
    ) -> None:
        """`atoms`: the comparison's text in each version, by (version, pointer in the present one)."""
        self.rule = rule
        self.cases = cases
        self.reader = reader
        self.now = to_microseconds(now)
        self.atoms = atoms

    def samples(self, turn: Turn) -> list[Sample]:
        """One sample a case."""
        return [Sample(case.id, case.outcome, self._reach(turn, case)) for case in self.cases]

    def events(self) -> list[Event]:
        """The cases for a cool-down."""
        return [Event(case.id, case.outcome, case.key, case.t / SECOND) for case in self.cases]

    def _reach(self, turn: Turn, case: Ended) -> float | None:
        match turn.kind:
            case "constant":
                text = self.atoms.get((case.version, turn.pointer), turn.atom)
                values = [value for why in (case.why, *case.signs) for value in _read(why, text, turn.path)]
                return (max if turn.knob.rising else min)(values, default=None)
            case "hold" | "silence":
                return self._held(turn, case)
            case "count":
                return self._count(case)
            case "window":
                return _window(case.why)
            case "opens" | "closes":
                return self._into_schedule(case)
        return None

    def farthest(self, turn: Turn) -> float:
        """How many seconds after its beginning a span is followed."""
        return min(max(FARTHEST * turn.knob.current, HOUR), DAY)

    def _held(self, turn: Turn, case: Ended) -> float | None:
        """Seconds from the beginning until the condition was over; infinite where that did not come in time."""
        first = self._first(case)
        if first is None or self.rule.spec.key not in ("device", "device+feature"):
            return None
        start, row = first
        until = min(start + round(self.farthest(turn) * SECOND), self.now)
        ends = self._ends(turn)
        key = self.rule.key_text(row)
        for t, one in self.reader.following(row, start, until, self.rule.spec.kinds):
            if self.rule.key_text(one) == key and ends(t, one):
                return (t - start) / SECOND
        return float("inf") if until < self.now else (self.now - start) / SECOND

    def _ends(self, turn: Turn) -> Any:
        test = self.rule.condition("/where")
        if turn.kind == "silence":
            return test
        for pointer in ("/pattern/clear", "/pattern/until"):
            if pointer in self.rule.programs:
                return self.rule.condition(pointer)
        return lambda t, row: not test(t, row)

    def _count(self, case: Ended) -> float | None:
        """How many rows that match came within the window after the first one."""
        first = self._first(case)
        if first is None or self.rule.spec.key not in ("device", "device+feature"):
            return None
        start, row = first
        window = round(getattr(self.rule.spec.pattern, "window", 0.0) * SECOND)
        test, key = self.rule.condition("/where"), self.rule.key_text(row)
        rows = self.reader.following(row, start, start + window - 1, self.rule.spec.kinds)
        return 1.0 + sum(1 for t, one in rows if self.rule.key_text(one) == key and test(t, one))

    def _first(self, case: Ended) -> tuple[int, Row] | None:
        """The row with which it began; None where the log keeps it no more."""
        mark = Mark(case.t, case.key, case.place, case.device, case.observations)
        rows = self.reader.of(mark)
        return rows[0] if rows else None

    def _into_schedule(self, case: Ended) -> float | None:
        """Minutes between the opening of the schedule and the case."""
        schedule, zone = self.rule.spec.schedule, self.rule.places.zones.get(case.place)
        if schedule is None or zone is None:
            return None
        opens, closes = Calendar(schedule, zone).spans(case.t, case.t)
        place = bisect_right(opens, case.t) - 1
        if place < 0 or case.t >= closes[place]:
            return None
        # By the wall, so that a night in which the clocks change has its hours where people expect them.
        start, at = (to_datetime(t).astimezone(ZoneInfo(zone)).replace(tzinfo=None) for t in (opens[place], case.t))
        return (at - start).total_seconds() / 60


def _read(why: Why, text: str, path: str) -> Iterator[float]:
    """What the comparison read, from the reasons of one firing."""
    for reason in why:
        if reason.get("text") != text:
            continue
        for leaf in reason.get("leaves") or ():
            value = leaf.get("value")
            if leaf.get("path") == path and isinstance(value, int | float) and not isinstance(value, bool):
                yield float(value)


def _window(why: Why) -> float | None:
    """Seconds between the first and the last row that made a count or a sequence."""
    for reason in why:
        seconds = reason.get("seconds")
        if reason.get("pattern") == "count" and isinstance(seconds, int | float):
            return float(seconds)
        if reason.get("pattern") == "sequence" and isinstance(seconds, list) and seconds:
            return float(seconds[-1])
    return None
