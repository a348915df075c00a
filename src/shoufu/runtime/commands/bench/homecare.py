"""Measure home care on a large institution: free times, the planning board, quality, the phone."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from shoufu.runtime.bench import bulk
from shoufu.runtime.bench.kept import DATA_HELP, Kept
from shoufu.runtime.bench.stage import Stage, filled, start, stop


@click.command()
@click.option("--visits", type=click.IntRange(10, 400), default=100, show_default=True, help="Visits a day.")
@click.option("--nurses", type=click.IntRange(3, 100), default=20, show_default=True)
@click.option(
    "--days", type=click.IntRange(1, 14), default=14, show_default=True, help="Days to come that are planned."
)
@click.option("--past", type=click.IntRange(100), default=100_000, show_default=True, help="Visits that were.")
@click.option("--rounds", type=click.IntRange(3), default=20, show_default=True, help="Times that each is asked for.")
@click.option("--only", default="", help="Only what has this in its name.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help=DATA_HELP)
@click.option("--json", "as_json", is_flag=True, help="The last line is JSON; a JSON line of each question before it.")
def command(
    visits: int, nurses: int, days: int, past: int, rounds: int, only: str, data: Path | None, as_json: bool
) -> None:
    """Make an institution with planned days to come and years of visits that were, and ask for it as patients,
    coordinators, managers and nurses' phones do, through the edge.

    A line of each question: `seconds` is the 95th percentile of `n` answers, `cpu` the processor time of page server
    and database for one, `ratio` that of seconds to the limit (1 is at the limit).
    """
    sizes = {"bench": "homecare", "visits": visits, "nurses": nurses, "days": days, "past": past, "made": _today()}
    with filled(Kept(data, sizes), lambda: _make(nurses, days, visits, past)) as place:
        found = _served(place, days, rounds, only)
    over = [row for row in found if row["ratio"] > 1]
    total = {"asked": len(found), "over": len(over), "load": round(os.getloadavg()[0], 1), "past": past}
    worst = max(found, key=lambda row: float(row["ratio"]), default={"what": "", "ratio": 0})
    click.echo(json.dumps(total | {"worst": worst["what"], "ratio": worst["ratio"]}, ensure_ascii=False))
    if not as_json:
        click.echo(f"{len(over)} of {len(found)} over their limit.", err=True)


def _today() -> str:
    """Data is of a day: what was to come is past tomorrow."""
    return time.strftime("%Y-%m-%d")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _make(nurses: int, days: int, visits: int, past: int) -> None:
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.observations import services as observations
    from shoufu.runtime import dispatch  # noqa: F401 (where compiled code is kept)
    from shoufu.runtime.bench.care import coming, district
    from shoufu.runtime.bench.care import past as before

    began = time.monotonic()
    observations.sync_kinds(SYSTEM)
    made = district.make(nurses)
    _say(f"The institution was made in {time.monotonic() - began:.0f} s.")
    before.make(made, past, visits, _say)
    coming.make(made, days, visits, _say)
    bulk.settle()
    _say(f"Made in {time.monotonic() - began:.0f} s.")


def _served(place: Stage, days: int, rounds: int, only: str) -> list[Mapping[str, Any]]:
    from shoufu.runtime import dispatch  # noqa: F401 (where compiled code is kept)
    from shoufu.runtime.bench.care import district, measure
    from shoufu.runtime.bench.care.spent import database_process
    from shoufu.runtime.commands.bench.pages import wait

    web, found = start("web", log=place.root / "logs" / "web.log"), []
    try:
        with ExitStack() as held:
            people = measure.People(f"http://127.0.0.1:{place.port}", held)
            wait(people[district.COORDINATOR])
            processes = [web.pid, database_process()]
            for ask in measure.asks(district.find(), people, days):
                if only not in ask.what:
                    continue
                found.append(measure.told(ask, rounds, processes))
    finally:
        stop(web)
    return found
