"""Measure what each question of booking takes alone."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import click

from shoufu.runtime.bench.stage import Stage, stage, start, stop, wait_for

CLIENTS = 16


@click.command()
@click.option("--visits", type=click.IntRange(1), default=330, show_default=True, help="Visits that are booked before.")
@click.option("--days", type=click.IntRange(1, 10), default=10, show_default=True, help="Days that a look is at.")
@click.option("--rounds", type=click.IntRange(3), default=20, show_default=True, help="Times that each is asked for.")
@click.option("--json", "as_json", is_flag=True, help="The last line is JSON; a JSON line of each question before it.")
def command(visits: int, days: int, rounds: int, as_json: bool) -> None:
    """Fill the days of the booking drill's five nurses and its courts' hours, then ask for free times, hold, pay, move
    and cancel, one after the other, through the edge and one page server.

    A line of each question: `seconds` is the 95th percentile of `n` answers, `cpu` the processor time of page server
    and database for one, `ratio` that of seconds to the limit (1 is at the limit).
    """
    os.environ["SHOUFU_LOG_FORMAT"] = "json"
    with stage() as place:
        found = _served(place, visits, days, rounds)
    worst = max(found, key=lambda row: float(row["ratio"]))
    over = sum(row["ratio"] > 1 for row in found)
    total = {"asked": len(found), "over": over, "load": round(os.getloadavg()[0], 1)}
    click.echo(json.dumps(total | {"worst": worst["what"], "ratio": worst["ratio"]}))
    if not as_json:
        click.echo(f"{over} of {len(found)} over their limit.", err=True)


def _served(place: Stage, visits: int, days: int, rounds: int) -> list[Mapping[str, Any]]:
    from shoufu.engines.dispatch import warm_up
    from shoufu.runtime import (
        dispatch,  # noqa: F401 (where compiled code is kept)
        env,
    )
    from shoufu.runtime.bench.booking import Asking
    from shoufu.runtime.bench.care.measure import told
    from shoufu.runtime.bench.care.spent import database_process
    from shoufu.runtime.drill.booking.district import make
    from shoufu.runtime.drill.booking.homes import VISITS_A_DAY

    warm_up()
    web = start("web", log=place.root / "logs" / "web.log")
    try:
        course = make(place.port, CLIENTS, 2 * VISITS_A_DAY * days, seed=1, pause=0.0)
        wait_for(env.get("SHOUFU_WEB_PORT"), web, place.root / "logs" / "web.log")
        with ExitStack() as held:
            asking = Asking(course, held)
            click.echo(f"{asking.fill(visits)} visits are booked on {days} days.", err=True)
            processes = [web.pid, database_process()]
            found = [told(ask, rounds, processes) for ask in asking.asks()]
    finally:
        stop(web)
    return found
