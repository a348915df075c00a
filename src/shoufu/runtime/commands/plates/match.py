"""Match plate readings against registered plates."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import click

from shoufu.engines.plates.match import PlateIndex

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--registered", required=True, type=FILE, help="Registered plates, one a line, UTF-8 or GB18030.")
@click.option("--reads", required=True, type=FILE, help="Readings, one a line.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON a reading.")
@click.option("--times", is_flag=True, help="Say on stderr how long the look-ups took.")
def command(registered: Path, reads: Path, as_json: bool, times: bool) -> None:
    """Say for each reading whether it is a registered plate (exact), probably one (fuzzy) or none.

    `rivals` counts further plates that fit equally well. Exact may open a barrier; fuzzy must ask someone.
    """
    index = PlateIndex(_lines(registered))
    if not len(index):
        raise click.ClickException(f"{registered} has no plates: give one a line")
    spent: list[float] = []
    for read in _lines(reads):
        start = time.perf_counter()
        match = index.match(read)
        spent.append(time.perf_counter() - start)
        row = {"read": read, "class": match.kind.value, "plate": match.plate, "cost": match.cost}
        text = json.dumps({**row, "rivals": match.rivals}, ensure_ascii=False)
        click.echo(text if as_json else f"{read}: {match.kind.value} {match.plate or '-'}")
    if times and spent:
        _report(len(index), spent)


def _report(plates: int, spent: list[float]) -> None:
    ordered = sorted(spent)
    middle, late = (ordered[int(len(ordered) * share)] * 1000 for share in (0.5, 0.99))
    click.echo(f"{plates} plates, {len(spent)} reads: p50 {middle:.3f} ms, p99 {late:.3f} ms", err=True)


def _lines(file: Path) -> Iterator[str]:
    data = file.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError as error:
            raise click.ClickException(f"{file} is neither UTF-8 nor GB18030: save it as UTF-8") from error
    return (line.strip() for line in text.splitlines() if line.strip())
