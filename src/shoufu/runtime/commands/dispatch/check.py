"""Check a solution of home health care routing and scheduling."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("instance", type=FILE)
@click.argument("solution", type=FILE)
def command(instance: Path, solution: Path) -> None:
    """Say whether SOLUTION can be carried out on INSTANCE: skills, double services, windows, travel, everybody served.

    Prints each violation on stderr and one line of JSON last, with the figures recomputed; exit code 1 if there is any.
    """
    from shoufu.engines.dispatch.check import violations
    from shoufu.runtime.dispatch import read, read_plan

    problem = read(instance)
    plan = read_plan(solution, problem)
    found = violations(problem, plan)
    for violation in found:
        click.echo(str(violation), err=True)
    figures = {
        "feasible": not found,
        "violations": len(found),
        "cost": round(plan.cost, 3),
        "distance": round(plan.distance, 3),
        "total_tardiness": round(plan.total_tardiness, 3),
        "max_tardiness": round(plan.max_tardiness, 3),
    }
    click.echo(json.dumps(figures))
    sys.exit(1 if found else 0)
