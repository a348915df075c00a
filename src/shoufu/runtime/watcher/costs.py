"""What each stage of the pipeline costs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Cost:
    """How often a stage ran and for how long in all, seconds."""

    runs: int = 0
    seconds: float = 0.0

    @property
    def mean_ms(self) -> float:
        """Milliseconds a run."""
        return self.seconds / self.runs * 1e3 if self.runs else 0.0


@dataclass(slots=True)
class Costs:
    """Costs by stage, in the order in which stages first ran."""

    stages: dict[str, Cost] = field(default_factory=dict)

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Add the time of the block to `stage`, also when the block raises."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, time.perf_counter() - start)

    def add(self, stage: str, seconds: float) -> None:
        """Add one run of `stage`."""
        cost = self.stages.setdefault(stage, Cost())
        cost.runs += 1
        cost.seconds += seconds

    def figures(self) -> dict[str, dict[str, float]]:
        """For JSON: stage -> runs, seconds, mean milliseconds."""
        return {
            stage: {"runs": cost.runs, "seconds": round(cost.seconds, 3), "mean_ms": round(cost.mean_ms, 3)}
            for stage, cost in self.stages.items()
        }
