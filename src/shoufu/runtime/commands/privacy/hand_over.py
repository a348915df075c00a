"""Write what a law keeps of an erased person to a file, for an authority."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("deposit", type=int)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--authority", required=True, help="Who asks for it.")
@click.option("--reason", required=True, help="By which document; it is kept in the audit log, so name nobody in it.")
def command(deposit: int, file: Path, authority: str, reason: str) -> None:
    """Write DEPOSIT (see `shoufu privacy kept`) in clear to the new ZIP FILE, for an authority that asks by law.

    Leaves an entry in the audit log. The deposit stays until its day.
    """
    from shoufu.runtime import django
    from shoufu.runtime.errors import Problem

    django.setup()
    from shoufu.kernel.base import errors
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.privacy import deposits

    try:
        row = deposits.hand_over(SYSTEM, deposit, authority, reason, file)
    except errors.Problem as problem:
        raise Problem(str(problem)) from problem
    except OSError as error:
        raise Problem(
            f"{file} cannot be written: {error.strerror}. Name a new file in a folder that is there."
        ) from error
    click.echo(
        f"{file}: {row.count} rows of person {row.person}, kept until {row.until}. Protect it; it is not encrypted."
    )
