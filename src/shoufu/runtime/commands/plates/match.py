"""Match plate readings against registered plates."""

from __future__ import annotations

import csv
import gc
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from shoufu.engines import sheets
from shoufu.engines.plates.listed import NAMES, READ_NAMES, columned, listed
from shoufu.engines.plates.match import PlateIndex, normalised

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--registered", required=True, type=FILE, help="Registered plates: one a line, CSV, Excel or JSON.")
@click.option("--reads", required=True, type=FILE, help="Readings, in the same forms.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON a reading.")
@click.option("--times", is_flag=True, help="Say on stderr how long the look-ups took.")
def command(registered: Path, reads: Path, as_json: bool, times: bool) -> None:
    """Say for each reading whether it is a registered plate (exact), probably one (fuzzy) or none.

    Texts may be UTF-8 or GB18030, in small or full-width letters, with spaces or the dot. `rivals` counts further
    plates that it may mean as well. Exact may open a barrier; fuzzy must ask someone.
    """
    index = PlateIndex(text for text in _lines(registered) if normalised(text))
    if not len(index):
        raise click.ClickException(f"{registered} has no plates: give one a line")
    # The index is long-lived: looking through it at a collection would only delay a look-up.
    gc.collect()
    gc.freeze()
    spent: list[float] = []
    for read in _lines(reads, READ_NAMES):
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


def _lines(file: Path, names: Sequence[str] = NAMES) -> Iterator[str]:
    try:
        data = file.read_bytes()
        if sheets.is_workbook(data):
            rows = sheets.read_workbook(data).lines
            yield from columned([["" if value is None else str(value) for value in row.values] for row in rows], names)
            return
        lines = sheets.decode(data)
        if any(line.encoding is None for line in lines):
            number = next(number for number, line in enumerate(lines, 1) if line.encoding is None)
            raise click.ClickException(f"{file}, line {number} is neither UTF-8 nor GB18030: save it as UTF-8")
        yield from listed([line.text for line in lines], names)
    except (ValueError, csv.Error) as error:
        raise click.ClickException(f"{file}: {error}") from error
