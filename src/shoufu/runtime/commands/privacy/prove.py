"""Look through everything for what is left of a person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from shoufu.kernel.privacy.declarations import Identifier, Sort


@click.command()
@click.argument("person")
@click.option(
    "--identifiers",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Further texts to look for, one a line; a file of your own, which the proof does not keep.",
)
@click.option("--json", "as_json", is_flag=True, help="One line of JSON at the end.")
def command(person: str, identifiers: Path | None, as_json: bool) -> None:
    """Look for PERSON in every table, picture, archive file, broker file and log, by every identifier that they had.

    After an erasure by the code that the person had; identifiers are then known as keyed hashes only. Exit code 1 when
    anything is left. Not looked through: the database's own files (pages freed but not yet reused, its log), back-ups,
    and the drawn text of PDF files and pictures.
    """
    from shoufu.runtime import django
    from shoufu.runtime.errors import Problem

    django.setup()
    from shoufu.kernel.base import errors
    from shoufu.kernel.privacy import proofs

    try:
        proof = proofs.prove(person, _read(identifiers))
    except errors.Problem as problem:
        raise Problem(str(problem)) from problem
    if as_json:
        click.echo(json.dumps(proof.as_dict(), ensure_ascii=False))
    else:
        for line in proof.found:
            click.echo(f"{line['where']} {line['column']} {line['row']}: {line['what']}")
        for line in proof.kept:
            click.echo(f"kept: {line['where']} {line['column']} {line['row']}: {line['why']}")
        seen = proof.searched
        click.echo(
            f"{proof.remaining} left; looked through {seen['tables']} tables ({seen['rows']:,} rows), "
            f"{seen['files']:,} files and {seen['bytes']:,} bytes for {seen['identifiers']} forms of identifiers"
        )
        for text in seen["unread"]:
            click.echo(f"not readable: {text}")
    if proof.remaining:
        raise SystemExit(1)


def _read(path: Path | None) -> list[Identifier]:
    from shoufu.kernel.privacy.declarations import Identifier

    if path is None:
        return []
    lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    return [Identifier(_sort(line), line, "given") for line in lines if line]


def _sort(text: str) -> Sort:
    from shoufu.kernel.privacy.declarations import Sort

    if sum(letter.isdigit() for letter in text) >= 5:
        return Sort.NUMBER
    return Sort.WORD if text.isascii() else Sort.NAME
