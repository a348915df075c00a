"""Rules over recorded frames: columns where they can and pay, the live machines otherwise."""

from __future__ import annotations

from collections.abc import Sequence

from shoufu.kernel.rules.evaluation.rule import CompiledRule
from shoufu.kernel.rules.rehearsal.result import Load, Progress, Run
from shoufu.kernel.rules.rehearsal.rowwise import RowRun

SMALL = 20_000
"""Up to so many rows the live machines are done before Numba is even loaded."""


def run(
    rules: Sequence[CompiledRule],
    frames: Sequence[Load],
    since: int,
    until: int,
    progress: Progress | None = None,
    small: int = SMALL,
) -> list[Run]:
    """Run rules that read the same kinds over frames of those kinds, in the order of time.

    Rows before `since` warm the state up; firings in [since, until) count. Late rows change no state, as live.
    Up to `small` rows go through the live machines; both ways give equal firings.
    """
    runs: dict[int, Run] = {}
    if not _at_most(frames, small):
        # Numba takes a second and 100 MB: a process that tries small drafts only does without it.
        from shoufu.kernel.rules.rehearsal.columns import run_columns

        runs = run_columns(rules, frames, since, until, progress)
    return [runs.get(rule.version) or RowRun(rule, since, until).run(frames, progress) for rule in rules]


def _at_most(frames: Sequence[Load], rows: int) -> bool:
    """Whether the frames hold no more rows than that; looks no further than it must."""
    if not rows:
        return False
    total = 0
    for load in frames:
        frame = load()
        total += sum(part.count for part in frame.parts)
        frame.release()
        if total > rows:
            return False
    return True
