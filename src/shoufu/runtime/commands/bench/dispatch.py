"""Measure planning on instances of the public benchmark, against the best known costs."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--seconds", type=click.FloatRange(0.5), default=20.0, show_default=True, help="For each instance.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--only", default="*.json", show_default=True, help="Pattern of the files.")
@click.option("--json", "as_json", is_flag=True, help="Say the mean and the worst as one line of JSON last.")
def command(folder: Path, seconds: float, seed: int, only: str, as_json: bool) -> None:
    """Solve every instance of FOLDER, each by its own process, and check the solution file.

    FOLDER holds best_known.csv (instance,total_cost). One line of JSON an instance: cost, best known, gap in percent.
    Exit code 1 when a solution is not feasible.
    """
    best = _best_known(folder / "best_known.csv")
    gaps: list[float] = []
    failed = False
    for file in sorted(folder.glob(only)):
        if file.name not in best:
            continue
        figures = _solved(file, seconds, seed)
        gap = 100.0 * (float(figures["cost"]) / best[file.name] - 1.0)
        gaps.append(gap)
        failed = failed or not figures["feasible"]
        row = {
            "instance": file.stem,
            "cost": figures["cost"],
            "best_known": best[file.name],
            "gap_percent": round(gap, 3),
            "feasible": figures["feasible"],
            "seconds": figures["seconds"],
        }
        click.echo(json.dumps(row))
    if not gaps:
        raise click.ClickException(f"{folder}: no instance of {only} is in best_known.csv")
    summary = {
        "instances": len(gaps),
        "mean_gap_percent": round(sum(gaps) / len(gaps), 3),
        "worst": round(max(gaps), 3),
    }
    click.echo(json.dumps(summary), err=not as_json)
    sys.exit(1 if failed else 0)


def _best_known(file: Path) -> dict[str, float]:
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            return {row["instance"]: float(row["total_cost"]) for row in csv.DictReader(lines)}
    except (OSError, KeyError, ValueError) as error:
        raise click.ClickException(f"{file}: needs the columns instance and total_cost ({error})") from error


def _solved(file: Path, seconds: float, seed: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "solution.json"
        solved = _shoufu("solve", str(file), "--seconds", str(seconds), "--seed", str(seed), "--out", str(out))
        checked = _shoufu("check", str(file), str(out))
    return {**solved, "feasible": checked["feasible"]}


def _shoufu(*words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "shoufu", "dispatch", *words], capture_output=True, text=True, check=False
    )
    if not done.stdout.strip():
        raise click.ClickException(f"dispatch {words[0]} {words[1]}: {done.stderr.strip()}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found
