"""Erase people who have left traces everywhere, and prove that nothing is left."""

from __future__ import annotations

import json
import sys

import click


@click.command()
@click.option("--persons", type=click.IntRange(min=1, max=1000), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON last.")
def command(persons: int, as_json: bool) -> None:
    """Make a throw-away district whose people have data in every place, erase half of them, and look for them.

    `remaining` counts what is found of the erased; `found_before` what the same search found while they were there;
    `planted_found` says that traces planted afterwards, one in each kind of place, were all found. Exit code 1 when a
    promise broke.
    """
    from dataclasses import asdict

    from shoufu.runtime.drill.privacy import run

    figures = run(persons)
    if as_json:
        click.echo(json.dumps(asdict(figures)))
    else:
        click.echo(f"{figures.persons} erased, {figures.found_before:,} traces before, {figures.remaining} remaining")
        click.echo(f"planted afterwards: {figures.planted}, found: {figures.planted_found}")
    sys.exit(0 if not figures.remaining and figures.planted == figures.planted_found and figures.others_whole else 1)
