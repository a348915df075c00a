"""Measure how many observations a second the rules stand."""

import json
from dataclasses import asdict

import click


@click.command()
@click.option(
    "--observations", type=click.IntRange(10_000), default=1_000_000, show_default=True, help="Rows of the log."
)
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="Rounds; the best one counts.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one line of JSON.")
@click.pass_context
def command(context: click.Context, observations: int, rounds: int, as_json: bool) -> None:
    """50 active rules of all patterns, 40 kinds, 20,000 devices, on one core.

    Live reads JSON; the rehearsal reads the same rows as recorded Parquet days. Exit code 1 when their firings differ.
    """
    from shoufu.runtime.evaluator.benchmark.measure import measure

    observations -= observations % 1_000
    figures = measure(observations, rounds)
    if as_json:
        click.echo(json.dumps(asdict(figures)))
    else:
        click.echo(f"live {figures.per_second:,.0f}/s, rehearsal {figures.rehearsal_per_second:,.0f}/s, ")
        click.echo(f"{figures.firings} firings, {'equal' if figures.equal else 'NOT EQUAL'}")
    context.exit(0 if figures.equal else 1)
