"""Write the audit log's signed roots and public keys into a folder, for another machine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import click


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One line of JSON at the end.")
def command(folder: Path, as_json: bool) -> None:
    """Chain what is new, then copy the signed roots and public keys to FOLDER; keep that on another machine.

    `shoufu audit verify --roots FOLDER/roots.jsonl --keys FOLDER` proves the log against it.
    """
    from shoufu.runtime import django
    from shoufu.runtime.errors import Problem

    django.setup()
    from shoufu.kernel.audit import sequencer, signing

    while sequencer.chain_once() == sequencer.BATCH:
        pass
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = sorted(path for path in signing.folder().iterdir() if path.suffix in (".pem", ".jsonl"))
        for path in files:
            shutil.copyfile(path, folder / path.name)
    except OSError as error:
        raise Problem(f"Cannot write to {folder}: {error.strerror}; choose another folder.") from error
    last = signing.last_exported()
    if as_json:
        click.echo(json.dumps({"folder": str(folder), "last": last, "files": [path.name for path in files]}))
        return
    click.echo(f"Roots up to entry {last} and their public keys are in {folder}.")
