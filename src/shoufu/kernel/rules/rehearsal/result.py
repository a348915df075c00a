"""What a rehearsal of one rule gives, and the kinds of function it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from shoufu.kernel.rules.evaluation.rows import Firing
from shoufu.kernel.rules.evaluation.rule import CompiledRule
from shoufu.kernel.rules.rehearsal.frames import Frame

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Load = Callable[[], Frame]
"""Gives a frame; called again when its rows are needed once more."""
Progress = Callable[[int, int], None]
"""Told (frames done, frames in all)."""


@dataclass
class Run:
    """What one rule did over a span. `t`, `suppressed`, `late` say so for every firing, in the order (t, key)."""

    rule: CompiledRule
    engine: str
    t: Ints
    suppressed: Bools
    late: Bools
    rows: int = 0
    _make: Callable[[Sequence[int]], list[Firing]] = field(default=lambda _: [])

    def __len__(self) -> int:
        return len(self.t)

    def firings(self, indices: Sequence[int] | None = None) -> list[Firing]:
        """The firings at these places (default: all) with ids, key, place and reasons; reads their rows."""
        return self._make(range(len(self.t)) if indices is None else indices)
