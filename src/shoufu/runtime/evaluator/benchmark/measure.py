"""How many observations a second the rules stand, live and in rehearsal, and whether both say the same."""

from __future__ import annotations

import gc
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from shoufu.kernel.rules.evaluation import Batch, Engine, Firing, RuleSource, compile_rule, to_datetime
from shoufu.kernel.rules.rehearsal.frames import Frame, build_table
from shoufu.kernel.rules.rehearsal.history import History
from shoufu.kernel.rules.rehearsal.result import Load, Run
from shoufu.kernel.rules.rehearsal.run import run
from shoufu.runtime.evaluator.benchmark import workload

SHARD = 0
WARM_UP = 20_000
HOUR = 3_600_000_000


@dataclass(frozen=True)
class Figures:
    """Observations a second of one core's own time, so that what else the machine does counts less."""

    rules: int
    observations: int
    per_second: float
    rehearsal_per_second: float
    firings: int
    equal: bool
    live_wall_per_second: float
    rehearsal_wall_per_second: float
    decode_per_second: float
    bytes_per_observation: float


def measure(observations: int, rounds: int) -> Figures:
    """The best of some rounds each; the log is made, and recorded as Parquet days, outside of the measured time."""
    texts = list(workload.batches(observations))
    sources = workload.rules()
    decode = max(_clock(lambda: _decode(texts), observations)[0] for _ in range(rounds))
    lives = [_live(texts, sources, observations) for _ in range(rounds)]
    firings, watermark = lives[0][2], lives[0][3]
    with tempfile.TemporaryDirectory(prefix="shoufu-bench-") as folder:
        history = History(Path(folder))
        days, size = _record(history, texts, watermark)
        _rehearse(history, days[:1], sources, watermark)  # Numba compiles, or loads what it compiled before.
        trials = [_timed_rehearsal(history, days, sources, watermark, observations) for _ in range(rounds)]
        rehearsed = [firing for found in trials[-1][2] for firing in found.firings()]
    return Figures(
        rules=len(sources),
        observations=observations,
        per_second=round(max(one[0] for one in lives)),
        rehearsal_per_second=round(max(one[0] for one in trials)),
        firings=len(firings),
        equal=_equal(firings, rehearsed) and all(_equal(firings, one[2]) for one in lives[1:]),
        live_wall_per_second=round(max(one[1] for one in lives)),
        rehearsal_wall_per_second=round(max(one[1] for one in trials)),
        decode_per_second=round(decode),
        bytes_per_observation=round(size / observations, 1),
    )


def _clock(work: Callable[[], Any], observations: int) -> tuple[float, float, Any]:
    """Observations a second by processor time and by the wall, and what the work returned."""
    gc.collect()
    gc.freeze()
    cpu, wall = time.process_time(), time.perf_counter()
    found = work()
    figures = observations / (time.process_time() - cpu), observations / (time.perf_counter() - wall)
    gc.unfreeze()
    return *figures, found


def _decode(texts: Iterable[bytes]) -> None:
    decoder = msgspec.json.Decoder(Batch)
    for text in texts:
        decoder.decode(text)


def _live(
    texts: Sequence[bytes], sources: Sequence[RuleSource], observations: int
) -> tuple[float, float, list[Firing], int]:
    """From JSON to firings as they are written, as the evaluator process does it, with the same collector settings."""
    engine = Engine(workload.kinds(), workload.places())
    engine.set_rules(sources)
    decoder, encoder = msgspec.json.Decoder(Batch), msgspec.json.Encoder()
    written: list[bytes] = []
    thresholds = gc.get_threshold()
    gc.set_threshold(50_000, 20, 50)

    def work() -> None:
        for text in texts:
            batch = decoder.decode(text)
            firings = engine.process([(batch, batch.rows)]).firings
            if firings:
                written.append(encoder.encode(firings))

    cpu, wall, _ = _clock(work, observations)
    gc.set_threshold(*thresholds)
    firings = [firing for text in written for firing in msgspec.json.decode(text, type=list[Firing])]
    return cpu, wall, firings, engine.buffer.watermark


def _record(history: History, texts: Iterable[bytes], watermark: int) -> tuple[list[date], int]:
    """Write the log as closed days; returns the days and the bytes."""
    kinds = workload.kinds()
    decoder = msgspec.json.Decoder(Batch)
    rows = [
        (round(row.t * 1e6), row.device_id, row.kind, row.id, row)
        for text in texts
        for row in decoder.decode(text).rows
    ]
    rows.sort()
    days: dict[date, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for t, _, kind, _, row in rows:
        days[to_datetime(t).date()][kind].append((t, row, False))
    size = sum(
        history.write(SHARD, day, ((kind, build_table(found, kinds[kind])) for kind, found in sorted(tables.items())))
        for day, tables in days.items()
    )
    return sorted(days), size


def _timed_rehearsal(
    history: History, days: Sequence[date], sources: Sequence[RuleSource], watermark: int, observations: int
) -> tuple[float, float, list[Run]]:
    return _clock(lambda: _rehearse(history, days, sources, watermark), observations)


def _rehearse(history: History, days: Sequence[date], sources: Sequence[RuleSource], watermark: int) -> list[Run]:
    """All rules over the recorded days; rules of the same kinds share the reading."""
    kinds, places = workload.kinds(), workload.places()
    since = round(workload.START * 1e6) - HOUR
    groups: dict[tuple[str, ...], list[RuleSource]] = defaultdict(list)
    for source in sources:
        groups[source.spec.kinds].append(source)
    found: list[Run] = []
    for codes, members in groups.items():
        rules = [compile_rule(source, kinds, places, {}) for source in members]
        found += run(rules, [_loader(history, day, codes) for day in days], since, watermark + 1, small=0)
    return found


def _loader(history: History, day: date, codes: tuple[str, ...]) -> Load:
    kinds = workload.kinds()

    def load() -> Frame:
        parts = (history.part(SHARD, day, code, kinds[code]) for code in codes)
        return Frame([part for part in parts if part is not None])

    return load


def _equal(live: Sequence[Firing], rehearsed: Sequence[Firing]) -> bool:
    """Firing for firing, with observations and reasons; the batch is known to live only."""

    def facts(firings: Sequence[Firing]) -> list[tuple[Any, ...]]:
        return sorted(
            (
                one.t,
                one.version,
                one.key,
                one.place,
                one.device,
                one.observations,
                one.suppressed,
                one.late,
                repr(one.why),
            )
            for one in firings
        )

    return facts(live) == facts(rehearsed)
