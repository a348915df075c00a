"""Solve an instance of home health care routing and scheduling."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click


@click.command()
@click.argument("instance", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--seconds",
    type=click.FloatRange(0.1),
    default=20.0,
    show_default=True,
    help="How long in all, compiling included.",
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of the random numbers.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where the solution file goes.")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Searches side by side.")
@click.option("--moves", type=click.IntRange(1), help="Trials a worker instead of seconds: same seed, same plan.")
def command(instance: Path, seconds: float, seed: int, out: Path | None, workers: int, moves: int | None) -> None:
    """Plan the INSTANCE (JSON format of the public benchmark) and write the solution file.

    Prints one line of JSON last: the cost is (distance + total tardiness + largest tardiness) / 3. The plan has passed
    an independent check; visits for which nobody has the skill stop it.
    """
    began = time.perf_counter()
    from shoufu.runtime.dispatch import read, write

    problem = read(instance)
    from shoufu.engines.dispatch.solving import solve

    plan = solve(problem, max(0.05, seconds - (time.perf_counter() - began)), seed, workers=workers, moves=moves)
    if plan.unassigned:
        raise click.ClickException(f"{instance}: nobody has the skills for {', '.join(plan.unassigned)}")
    if out is not None:
        write(out, problem, plan)
    click.echo(
        json.dumps(
            {
                "cost": round(plan.cost, 3),
                "distance": round(plan.distance, 3),
                "total_tardiness": round(plan.total_tardiness, 3),
                "max_tardiness": round(plan.max_tardiness, 3),
                "seconds": round(time.perf_counter() - began, 3),
            }
        )
    )
