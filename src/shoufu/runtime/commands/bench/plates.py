"""Figures of reading and matching number plates."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from pathlib import Path

import click

from shoufu.engines.plates import MatchClass, PictureError, PlateIndex, PlateReader, decode, form_of
from shoufu.engines.plates.grammar import DIGITS, ISSUED, LETTERS
from shoufu.runtime import models
from shoufu.runtime.plates import open_reader

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
_HOME = "辽"
_ABROAD = 0.1


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), required=False)
@click.option("--plates", default=50_000, show_default=True, type=click.IntRange(100, 1_000_000), help="Register size.")
@click.option("--reads", default=5_000, show_default=True, type=click.IntRange(100, 100_000), help="Readings matched.")
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
def command(folder: Path | None, plates: int, reads: int, as_json: bool) -> None:
    """Read the photos of FOLDER named for their plate (any-辽A12345.jpg); match readings against a made-up register.

    Each made-up reading has one wrong character; `match_right` is the share where the right plate came back first.
    """
    figures = _matching(plates, reads)
    if folder is not None:
        try:
            figures = {**_reading(open_reader(), folder), **figures}
        except models.ModelError as error:
            raise click.ClickException(str(error)) from error
    for name, value in figures.items():
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


def _matching(size: int, reads: int) -> dict[str, float]:
    """A register of mostly one province, asked with plates of which one character is wrong in a readers' way or any."""
    dice = random.Random(7)
    register: set[str] = set()
    while len(register) < size:
        register.add(_made_up(dice))
    plates = sorted(register)
    index = PlateIndex(plates)
    right = wrong_exact = 0
    spent: list[float] = []
    for _ in range(reads):
        plate = dice.choice(plates)
        read = _misread(dice, plate)
        start = time.perf_counter()
        match = index.match(read)
        spent.append((time.perf_counter() - start) * 1000)
        right += match.plate == plate
        wrong_exact += match.kind is MatchClass.EXACT and match.plate != read
    return {
        "register": size,
        "match_right": round(right / reads, 4),
        "match_wrong_exact": wrong_exact,
        "match_p50_ms": _quantile(spent, 0.5),
        "match_p99_ms": _quantile(spent, 0.99),
    }


def _made_up(dice: random.Random) -> str:
    province = dice.choice(list(ISSUED)) if dice.random() < _ABROAD else _HOME
    tail = dice.choices(DIGITS, k=5)
    for place in dice.sample(range(5), dice.choice((0, 1, 2))):
        tail[place] = dice.choice(LETTERS)
    return province + dice.choice(ISSUED[province].replace("O", "A")) + "".join(tail)


def _misread(dice: random.Random, plate: str) -> str:
    place = dice.randrange(len(plate))
    signs = list(ISSUED) if place == 0 else list(LETTERS + DIGITS)
    signs.remove(plate[place])
    return plate[:place] + dice.choice(signs) + plate[place + 1 :]


def _quantile(values: Sequence[float], share: float) -> float:
    return round(sorted(values)[int(len(values) * share)], 3) if values else 0.0
