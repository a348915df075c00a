"""Figures of the welfare watch on a record of a home's sensors, or on made-up people."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from shoufu.engines.welfare import Trial, trial
from shoufu.runtime.bench import homes as made
from shoufu.runtime.bench import record


@click.command()
@click.option("--data", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A record as text.")
@click.option("--door", "doors", multiple=True, help="A sensor of the dwelling's own door (found otherwise).")
@click.option("--homes", is_flag=True, help="Made-up people instead of a record.")
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(1, 100), help="Lives a made-up person.")
@click.option("--first-seed", default=100, show_default=True, type=int)
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
def command(path: Path | None, doors: tuple[str, ...], homes: bool, seeds: int, first_seed: int, as_json: bool) -> None:
    """Run a record (time, sensor, state, in the usual forms of public collections) through the welfare watch.

    False alarms: every check raised, since the person was well. Delays: a collapse is tried every five minutes of the
    time at home, once the first days are over. Outages of six hours are tried all over the record; none may raise a
    check.
    """
    if homes == (path is not None):
        raise click.UsageError("give either --data FILE or --homes")
    figures = _record(path, doors) if path is not None else _homes(range(first_seed, first_seed + seeds))
    for name, value in figures.items():
        if name != "homes":
            click.echo(f"{name:<22} {value}", err=True)
    if as_json:
        click.echo(json.dumps(figures, ensure_ascii=False))


def _record(path: Path, doors: tuple[str, ...]) -> dict[str, Any]:
    try:
        found = record.read(path, doors)
    except record.RecordError as error:
        raise click.ClickException(str(error)) from error
    for line in found.skipped[:5]:
        click.echo(f"left out: {line}", err=True)
    more = {"events": len(found.events), "skipped": len(found.skipped), "doors": list(found.doors)}
    return _figures(_trial(found)) | more


def _homes(seeds: range) -> dict[str, Any]:
    """Every made-up person, the mean of their lives, and the mean of all."""
    rows = []
    for home in made.HOMES:
        lives = [_figures(_trial(record.parse(made.text(home, seed)))) for seed in seeds]
        rows.append({"home": home.name, "days": home.days} | _mean(lives))
        click.echo("  ".join(f"{name} {value}" for name, value in rows[-1].items()), err=True)
    return {"homes": rows, "lives": len(rows) * len(seeds)} | _mean(rows)


def _trial(life: record.Record) -> Trial:
    return trial(life.events, silent_after=life.silent_after)


def _mean(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    names = ("false_alarms_per_week", "delay_median_h", "delay_p90_h")
    means = {name: round(sum(row[name] or 0.0 for row in rows) / len(rows), 2) for name in names}
    return means | {name: sum(row[name] for row in rows) for name in ("outages", "outage_alarms")}


def _figures(result: Trial) -> dict[str, Any]:
    return {
        "days": round(result.days, 1),
        "false_alarms_per_week": round(result.false_alarms_per_week, 3),
        "delay_median_h": _hours(result.delay(0.5)),
        "delay_p90_h": _hours(result.delay(0.9)),
        "delays_since_day": result.since_day,
        "outages": result.outages,
        "outage_alarms": result.outage_alarms,
    }


def _hours(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
