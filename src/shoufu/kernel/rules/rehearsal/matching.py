"""Setting two lists of firings against each other, and against what people found out."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SECOND = 1_000_000
SLACK = 60 * SECOND


@dataclass(frozen=True)
class Mark:
    """Something raised: when (microseconds), by what key, where, and the observations behind it."""

    t: int
    key: str
    place: int
    device: int | None
    observations: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What became of a case: "true", "false_alarm", or "open" while nobody has said."""

    t: int
    key: str
    place: int
    verdict: str
    case: int
    number: str
    text: str = ""


@dataclass(frozen=True)
class Pair:
    """The same event as the live rule and as the draft raised it; None where one did not."""

    live: Mark | None
    draft: Mark | None

    @property
    def t(self) -> int:
        return min(mark.t for mark in (self.live, self.draft) if mark is not None)


def pair(live: Sequence[Mark], draft: Sequence[Mark], tolerance: int, by_place: bool = False) -> list[Pair]:
    """Pairs in the order of time: equal keys (or places), at most `tolerance` microseconds apart, each used once."""
    groups: dict[str, tuple[list[Mark], list[Mark]]] = defaultdict(lambda: ([], []))
    for side, marks in enumerate((live, draft)):
        for mark in sorted(marks, key=lambda one: one.t):
            groups[str(mark.place) if by_place else mark.key][side].append(mark)
    pairs = [found for lives, drafts in groups.values() for found in _merge(lives, drafts, tolerance)]
    return sorted(pairs, key=lambda found: (found.t, found.live is None))


def _merge(lives: list[Mark], drafts: list[Mark], tolerance: int) -> Iterable[Pair]:
    i = j = 0
    while i < len(lives) and j < len(drafts):
        if abs(lives[i].t - drafts[j].t) <= tolerance:
            yield Pair(lives[i], drafts[j])
            i, j = i + 1, j + 1
        elif lives[i].t < drafts[j].t:
            yield Pair(lives[i], None)
            i += 1
        else:
            yield Pair(None, drafts[j])
            j += 1
    yield from (Pair(mark, None) for mark in lives[i:])
    yield from (Pair(None, mark) for mark in drafts[j:])


class Verdicts:
    """Looks up what became of the case that a mark stands for: equal key and nearest in time, within the tolerance."""

    def __init__(self, verdicts: Iterable[Verdict], tolerance: int, by_place: bool = False) -> None:
        self.tolerance = tolerance
        self.by_place = by_place
        self.all = sorted(verdicts, key=lambda one: one.t)
        self._groups: dict[str, list[Verdict]] = defaultdict(list)
        for one in self.all:
            self._groups[str(one.place) if by_place else one.key].append(one)

    def of(self, found: Pair) -> Verdict | None:
        for mark in (found.live, found.draft):
            if mark is not None and (verdict := self._near(mark)) is not None:
                return verdict
        return None

    def _near(self, mark: Mark) -> Verdict | None:
        group = self._groups.get(str(mark.place) if self.by_place else mark.key, [])
        at = bisect_left(group, mark.t, key=lambda one: one.t)
        near = min(group[max(0, at - 1) : at + 1], key=lambda one: abs(one.t - mark.t), default=None)
        return near if near is not None and abs(near.t - mark.t) <= self.tolerance else None
