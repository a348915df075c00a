"""Make an evidence bundle of a case from the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import click


@click.command()
@click.argument("case")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--recipient", required=True, help="Who gets it.")
@click.option("--reason", required=True, help="Why it is handed over.")
@click.option("--recipient-key", default="", help="Seal the originals to this age1… key.")
@click.option("--passphrase-file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One line of JSON at the end.")
def command(
    case: str,
    file: Path,
    recipient: str,
    reason: str,
    recipient_key: str,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Write the evidence of CASE (C-20261124-0007) to FILE, faces blurred."""
    from shoufu.runtime import django

    django.setup()
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.base.errors import Problem
    from shoufu.kernel.cases import selectors as cases
    from shoufu.kernel.evidence import selectors, services
    from shoufu.kernel.evidence.making import run

    passphrase = passphrase_file.read_text().strip() if passphrase_file else ""
    try:
        found = cases.by_number(SYSTEM, case)
        draft = services.ExportDraft(found.pk, recipient, reason, passphrase=passphrase, recipient_key=recipient_key)
        asked = services.request_export(SYSTEM, draft)
        run(asked.pk)
        made = selectors.get(SYSTEM, asked.pk)
        if made.state == made.State.FAILED:
            raise click.ClickException(made.error)
        _export, path = services.download(SYSTEM, made.pk)
    except Problem as problem:
        raise click.ClickException(str(problem)) from problem
    shutil.copyfile(path, file)
    if as_json:
        told = {"export": made.number, "file": str(file), "bytes": made.size, "sha256": made.sha256}
        click.echo(json.dumps(told | {"files": made.files, "key": made.signed_by}))
    else:
        click.echo(f"{file}: {made.files} files, {made.size} bytes, signed by {made.signed_by}")
