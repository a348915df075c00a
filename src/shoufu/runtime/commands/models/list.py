from __future__ import annotations

import json
from typing import Any

import click

from shoufu.runtime import models


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
def command(as_json: bool) -> None:
    """Every model and piece of footage: what it is, licence, size, origin, and whether it is here and intact."""
    rows = [_row(entry) for entry in models.ENTRIES]
    if as_json:
        click.echo(json.dumps({"directory": str(models.cache_directory()), "models": rows}, ensure_ascii=False))
        return
    click.echo(f"directory: {models.cache_directory()}")
    for row in rows:
        click.echo(
            f"{row['name']:<16} {row['state']:<8} {row['size'] / 1e6:>6.1f} MB  {row['licence']:<13} {row['source']}"
        )
        click.echo(f"{'':<16} {row['what']}")


def _row(entry: models.Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "state": str(models.state(entry)),
        "what": entry.what,
        "licence": entry.licence,
        "size": entry.size,
        "source": str(entry.package),
        "sha256": entry.sha256,
        "file": entry.file,
    }
