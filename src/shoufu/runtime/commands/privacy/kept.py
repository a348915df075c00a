"""List what laws keep of erased people."""

from __future__ import annotations

import json

import click


@click.command()
@click.argument("person", required=False)
@click.option("--json", "as_json", is_flag=True, help="One line of JSON a deposit.")
def command(person: str | None, as_json: bool) -> None:
    """List what laws keep of erased people (or of PERSON, by the code that they had or their number): what, why, until
    when. The content stays encrypted; `shoufu privacy hand-over` gives it to an authority."""
    from shoufu.runtime import django
    from shoufu.runtime.errors import Problem

    django.setup()
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.privacy import deposits, proofs

    rows = deposits.deposits(SYSTEM)
    if person:
        stone = proofs.tombstone(person)
        if stone is None:
            raise Problem(f"Nobody with the code or number “{person}” was erased.")
        rows = rows.filter(person=stone.person)
    for row in rows:
        told = {
            "deposit": row.pk,
            "person": row.person,
            "what": row.name,
            "law": row.law,
            "rows": row.count,
            "until": row.until.isoformat(),
        }
        line = f"{row.pk}: person {row.person}, {row.name} ({row.count} rows), until {row.until}: {row.law}"
        click.echo(json.dumps(told, ensure_ascii=False) if as_json else line)
