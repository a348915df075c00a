"""Measure a year of a compound: its pages, the time machine, a month of rehearsal."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from shoufu.runtime.bench import bulk
from shoufu.runtime.bench.kept import DATA_HELP, Kept
from shoufu.runtime.bench.stage import Stage, filled, start, stop

SEEK_S, PAGES_MS, REHEARSAL_S = 1.0, 200.0, 60.0


@click.command()
@click.option("--households", type=click.IntRange(200, 10_000), default=2_000, show_default=True)
@click.option("--days", type=click.IntRange(2, 800), default=365, show_default=True, help="Days of history.")
@click.option(
    "--log-days",
    type=click.IntRange(1, 800),
    default=90,
    show_default=True,
    help="Days of them that the log itself holds: rows older than their kind's retention are gone in a real year.",
)
@click.option("--rounds", type=click.IntRange(5), default=20, show_default=True, help="Times a page is asked for.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help=DATA_HELP)
@click.option("--json", "as_json", is_flag=True, help="The last line is JSON.")
@click.pass_context
def command(
    context: click.Context, households: int, days: int, log_days: int, rounds: int, data: Path | None, as_json: bool
) -> None:
    """Make a year of a compound (people and cars by the hour of the day) and ask for it as its manager would.

    Pages and jumps go through the edge. Exit code 1 when a figure is over: pages 200 ms, seek 1 s, rehearsal 60 s.
    """
    log_days = min(log_days, days)
    kept = Kept(data, {"bench": "compound", "households": households, "days": days, "log_days": log_days})
    with filled(kept, lambda: _make(households, days, log_days)) as place:
        figures = {"households": households, "days": days} | _measure(place, days, rounds)
    click.echo(json.dumps(figures) if as_json else "\n".join(f"{name}: {value}" for name, value in figures.items()))
    over = (
        figures["pages_p95_ms"] > PAGES_MS
        or figures["seek_p95_s"] > SEEK_S
        or figures["rehearsal_month_s"] > REHEARSAL_S
    )
    context.exit(1 if over else 0)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _make(households: int, days: int, log_days: int) -> None:
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.observations import services as observations
    from shoufu.runtime.bench.compound import register, traffic

    observations.sync_kinds(SYSTEM)
    now, began = datetime.now(UTC), time.monotonic()
    made = register.make(households)
    _say(f"Making {days} days of {households:,} households …")
    traffic.make(made, households, traffic.Span(days, log_days, now), _say)
    bulk.settle()
    flows = traffic.flows([now - timedelta(days=back) for back in range(min(log_days, 14))])
    _say(f"{flows:,} counts of movement; made in {time.monotonic() - began:.0f} s.")


def _measure(place: Stage, days: int, rounds: int) -> dict[str, float]:
    from shoufu.runtime.bench.compound import measure, register, traffic

    made = register.find()
    rows, changes = traffic.counts()
    _say(f"{rows:,} observations, {changes:,} changes of state.")
    web = start("web", log=place.root / "logs" / "web.log")
    try:
        with measure.client(f"http://127.0.0.1:{place.port}") as browser:
            measure.wait(browser)
            timings = measure.pages(browser, made.compound.pk, rounds)
            for page, (middle, high) in timings.pages.items():
                _say(f"{page:32} p50 {middle:7.1f} ms  p95 {high:7.1f} ms")
            seek_p50, seek_p95, largest = measure.seeks(browser, made, days, 5 * rounds)
            _say(f"{'a jump':32} p50 {seek_p50:7.3f} s   p95 {seek_p95:7.3f} s")
    finally:
        stop(web)
    seconds, rehearsed = measure.rehearse_month(made, datetime.now(UTC))
    return {
        "observations": rows,
        "changes": changes,
        "pages_p95_ms": timings.p95_ms,
        "worst_page_p95_ms": max(high for _middle, high in timings.pages.values()),
        "seek_p50_s": seek_p50,
        "seek_p95_s": seek_p95,
        "chunk_bytes": largest,
        "rehearsal_month_s": seconds,
        "rehearsed_observations": rehearsed,
    }
