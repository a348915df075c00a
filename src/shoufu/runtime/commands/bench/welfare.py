"""Figures of the welfare watch on a record of a home's sensors."""

import json
from pathlib import Path

import click

from shoufu.engines.welfare import trial
from shoufu.runtime.bench import record


@click.command()
@click.option("--data", "path", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--door", "doors", multiple=True, help="A sensor of the dwelling's own door (found by name otherwise).")
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
def command(path: Path, doors: tuple[str, ...], as_json: bool) -> None:
    """Run a record (CSV: time, sensor, state) through the welfare watch.

    False alarms: every check raised, since the person was well. Delays: a collapse is tried every five minutes of the
    time at home. Outages of six hours are tried all over the record; none may raise a check.
    """
    try:
        found = record.read(path, doors)
    except record.RecordError as error:
        raise click.ClickException(str(error)) from error
    for line in found.skipped[:5]:
        click.echo(f"left out: {line}", err=True)
    result = trial(found.events, silent_after=found.silent_after)
    figures = {
        "days": round(result.days, 1),
        "false_alarms_per_week": round(result.false_alarms_per_week, 3),
        "delay_median_h": _hours(result.delay(0.5)),
        "delay_p90_h": _hours(result.delay(0.9)),
        "outages": result.outages,
        "outage_alarms": result.outage_alarms,
        "events": len(found.events),
        "skipped": len(found.skipped),
        "doors": list(found.doors),
    }
    for name, value in figures.items():
        click.echo(f"{name:<22} {value}", err=True)
    if as_json:
        click.echo(json.dumps(figures, ensure_ascii=False))


def _hours(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
