"""Try every endpoint with a neighbour's ids, as every role; nothing of the neighbour may show or change."""

import json
import os
import sys

import click


@click.command()
@click.option("--role", "roles", multiple=True, help="Only this role (repeatable); default: every one.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON last.")
def command(roles: tuple[str, ...], as_json: bool) -> None:
    """Build two neighbouring compounds in a throw-away installation and try, for every role placed in one of them,
    every page, operation, export, search, picture and live stream with the ids of the other.

    A leak is a mark of the neighbour in an answer, a changed row of theirs, or an event. Exit code 1 when there is one,
    when an endpoint has nothing to be tried with, or when the server broke.
    """
    from shoufu.runtime.bench.stage import stage

    with stage() as place:
        from shoufu.runtime.drill.neighbours import run, streams

        figures = run(roles, say=lambda line: click.echo(line, err=True), workers=os.cpu_count() or 1)
        streams.listen(place, figures)
    for leak in figures.leaks:
        click.echo(f"leak: {leak.role}: {leak.endpoint}: {leak.what}", err=True)
    for line in figures.blind:
        click.echo(f"not tried: {line}", err=True)
    for line in figures.failed:
        click.echo(f"broke: {line}", err=True)
    if as_json:
        click.echo(json.dumps(figures.counts))
    else:
        click.echo(f"{figures.tried:,} requests to {figures.endpoints} endpoints by {figures.roles} roles")
        click.echo(f"{len(figures.leaks)} leaks, {len(figures.blind)} not tried, {len(figures.failed)} broke")
    sys.exit(1 if figures.leaks or figures.blind or figures.failed else 0)
