"""Read the number plates in photos."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import click

from shoufu.engines.plates import PictureError, Plate, PlateReader, decode
from shoufu.runtime import models
from shoufu.runtime.plates import open_reader


@click.command()
@click.argument("images", nargs=-1, required=True, metavar="IMAGE…")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON an image.")
@click.option(
    "--threads", type=click.IntRange(1, 64), help="Threads of the networks; all cores (at most 4) if not given."
)
def command(images: tuple[str, ...], as_json: bool, threads: int | None) -> None:
    """Find and read the plates in each IMAGE, photo or tight crop; the best first.

    Corners are pixels [x, y] of the image, clockwise from the plate's top left. An image that cannot be read gets a
    line with `error`, the others are still read, and the exit code is 1.
    """
    try:
        reader = open_reader(threads or min(4, os.cpu_count() or 1))
    except models.ModelError as error:
        raise click.ClickException(str(error)) from error
    failed = False
    for image in images:
        row = _read(reader, image)
        failed = failed or "error" in row
        click.echo(json.dumps(row, ensure_ascii=False) if as_json else _line(row))
    if failed:
        sys.exit(1)


def _read(reader: PlateReader, image: str) -> dict[str, object]:
    start = time.perf_counter()
    try:
        picture = decode(Path(image).read_bytes())
    except PictureError as error:
        return {"image": image, "error": str(error)}
    except OSError as error:
        return {"image": image, "error": f"cannot read the file ({error.strerror or error}): check path and rights"}
    plates = [_row(plate) for plate in reader.read(picture)]
    return {"image": image, "plates": plates, "ms": round((time.perf_counter() - start) * 1000, 1)}


def _row(plate: Plate) -> dict[str, object]:
    corners = [[round(float(x), 1), round(float(y), 1)] for x, y in plate.corners]
    return {"plate": plate.text, "score": round(plate.score, 3), "corners": corners, "colour": plate.colour.value}


def _line(row: dict[str, object]) -> str:
    if "error" in row:
        return f"{row['image']}: {row['error']}"
    plates = row["plates"]
    texts = [f"{p['plate']} ({p['colour']}, {p['score']})" for p in plates] if isinstance(plates, list) else []
    return f"{row['image']}: {', '.join(texts) or '-'}"
