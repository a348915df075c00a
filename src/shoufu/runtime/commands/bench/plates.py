"""Figures of reading and matching number plates."""

from __future__ import annotations

import gc
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from shoufu.engines.plates import PictureError, PlateIndex, PlateReader, decode, form_of
from shoufu.runtime import models
from shoufu.runtime.bench import plates
from shoufu.runtime.plates import open_reader

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
USUAL = "offices"


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), required=False)
@click.option("--plates", "size", default=50_000, show_default=True, type=click.IntRange(100, 1_000_000))
@click.option("--reads", default=2_000, show_default=True, type=click.IntRange(100, 100_000), help="Readings a set.")
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
def command(folder: Path | None, size: int, reads: int, as_json: bool) -> None:
    """Read the photos of FOLDER named for their plate (any-辽A12345.jpg); match readings against made-up registers.

    Three registers, seven ways of misreading one character. `right` is the share in which the right plate came back;
    `limit` (possible) what any matcher could reach, as some readings fit several registered plates equally well.
    """
    figures: dict[str, Any] = _matching(size, reads, lambda line: click.echo(line, err=True))
    if folder is not None:
        try:
            figures = {**_reading(open_reader(), folder), **figures}
        except models.ModelError as error:
            raise click.ClickException(str(error)) from error
    for name, value in figures.items():
        if name != "sets":
            click.echo(f"{name:<18} {value}", err=True)
    if as_json:
        click.echo(json.dumps(figures))


def _reading(reader: PlateReader, folder: Path) -> dict[str, float]:
    named = [(file, file.stem.split("-")[-1]) for file in sorted(folder.rglob("*")) if file.suffix.lower() in _SUFFIXES]
    photos = [(file, text) for file, text in named if form_of(text)]
    right = none = broken = 0
    spent: list[float] = []
    for file, text in photos:
        start = time.perf_counter()
        try:
            found = reader.read(decode(file.read_bytes()))
        except PictureError as error:
            click.echo(f"{file.name}: {error}", err=True)
            broken += 1
            continue
        spent.append((time.perf_counter() - start) * 1000)
        hit = any(plate.text == text for plate in found)
        right += hit
        none += not found
        if not hit:
            click.echo(f"{file.name}: read {', '.join(plate.text for plate in found) or 'nothing'}", err=True)
    return {
        "photos": len(photos),
        "right": right,
        "none": none,
        "broken": broken,
        "read_p50_ms": _quantile(spent, 0.5),
        "read_p95_ms": _quantile(spent, 0.95),
    }


def _matching(size: int, reads: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Every made-up register under every way of misreading; the first figures are the usual register's."""
    sets = []
    for name, made in plates.REGISTERS.items():
        dice = random.Random(7)
        register = plates.register(made, size, dice)
        index = PlateIndex(register)
        gc.collect()
        gc.freeze()
        for channel in plates.CHANNELS:
            one = plates.measure(name, register, channel, reads, dice, index)
            say(
                f"{name:<8} {channel.name:<34} right {one.right:.4f}, possible {one.limit:.4f}, "
                f"taken {one.taken:.4f}, wrong exact {one.wrong_exact}, p50 {one.p50_ms} ms, p99 {one.p99_ms} ms"
            )
            sets.append(one)
    usual = next(one for one in sets if (one.register, one.misread) == (USUAL, plates.CHANNELS[0].name))
    return {
        "register": size,
        "match_right": usual.right,
        "match_possible": usual.limit,
        "match_wrong_exact": sum(one.wrong_exact for one in sets),
        "match_p50_ms": usual.p50_ms,
        "match_p99_ms": max(one.p99_ms for one in sets),
        "sets": [asdict(one) for one in sets],
    }


def _quantile(values: Sequence[float], share: float) -> float:
    return round(sorted(values)[int(len(values) * share)], 3) if values else 0.0
