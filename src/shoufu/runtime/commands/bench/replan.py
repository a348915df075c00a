"""Measure re-planning a day of home visits when a nurse is late."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--visits", type=click.IntRange(10, 300), default=100, show_default=True, help="Visits of the day.")
@click.option("--late", type=click.FloatRange(0, 480), default=90.0, show_default=True, help="Minutes.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of the day and of the search.")
@click.option("--seconds", type=click.FloatRange(1), default=20.0, show_default=True, help="A plan from nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON last.")
def command(visits: int, late: float, seed: int, seconds: float, as_json: bool) -> None:
    """The busiest nurse of a made-up day begins late; nobody is on the way yet.

    `first_feasible_s`: until a plan stands that passes the check, compiled code being warm. `moved`: visits of the
    answer (after half a second) with another nurse, or a start more than 15 minutes away; the delays of visits that
    the late nurse keeps do not count. `gap_percent`: its cost above a plan made from nothing in --seconds.
    """
    from shoufu.runtime import dispatch  # noqa: F401 (where compiled code is kept)
    from shoufu.runtime.bench.homecare import late as measure

    figures, answer = measure(visits, late, seed, seconds)
    row = {
        "visits": figures.visits,
        "first_feasible_s": figures.first_feasible_s,
        "moved": figures.moved,
        "gap_percent": figures.gap_percent,
    }
    if as_json:
        click.echo(json.dumps(row))
        return
    for name, value in row.items():
        click.echo(f"{name:<18} {value}")
    click.echo(f"not planned: {', '.join(answer.plan.unassigned) or 'none'}")
