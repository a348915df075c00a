"""Erase everything held on a person, or list what would go."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from shoufu.kernel.privacy.erasure import Outcome


@click.command()
@click.argument("person")
@click.option("--dry-run", is_flag=True, help="List what goes, per table and file; change nothing.")
@click.option("--reason", default="", help="On what ground; it is kept in the audit log, so name nobody in it.")
@click.option("--yes", is_flag=True, help="Do not ask again.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON at the end.")
def command(person: str, dry_run: bool, reason: str, yes: bool, as_json: bool) -> None:
    """Erase everything held on PERSON (code or number): tables, archive, pictures, logs, broker, doors.

    What a legal hold or an open case keeps stays, and is listed with its reason. `shoufu privacy prove PERSON` looks
    afterwards, by the same code.
    """
    from shoufu.runtime import django
    from shoufu.runtime.errors import Problem

    django.setup()
    from shoufu.kernel.base import errors
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.privacy import erasure, proofs

    found = proofs.person(person)
    if found is None:
        gone = proofs.tombstone(person)
        raise Problem(
            f"The person “{person}” was erased on {gone.erased_at:%Y-%m-%d}."
            if gone
            else f"There is no person with the code or number “{person}”."
        )
    if not dry_run:
        reason = reason or click.prompt("Reason", err=True)
        if not yes:
            click.confirm(f"Erase everything held on {person}? This cannot be undone.", abort=True, err=True)
    try:
        outcome = erasure.erase(SYSTEM, found.pk, reason, dry_run=dry_run)
    except errors.Problem as problem:
        raise Problem(str(problem)) from problem
    click.echo(json.dumps(outcome.as_dict(), ensure_ascii=False) if as_json else "\n".join(_lines(outcome)))


def _lines(outcome: Outcome) -> list[str]:
    verb = "would go" if outcome.dry_run else "gone"
    lines = [f"{gone.table}: {gone.rows} rows ({gone.how})" for gone in outcome.tables]
    lines.append(f"observations {verb}: {outcome.observations}")
    lines.append(f"archive: {outcome.history.get('rows', 0)} rows in {outcome.history.get('files', 0)} files")
    lines.append(f"pictures and clips {verb}: {outcome.media}")
    lines += [f"log {name}: {count} lines" for name, count in outcome.logs.items()]
    if outcome.broker:
        done = outcome.broker
        state = f"{done['deleted']} messages, {done['purged']} streams emptied" if done["reached"] else done["problem"]
        lines.append(f"broker: {state}")
    lines += [f"{receipt.where}: {receipt.what}{'' if receipt.done else ' (NOT DONE)'}" for receipt in outcome.receipts]
    lines += [
        f"KEPT {held.what}: {held.count} ({held.why}), until {held.until or 'the case ends'}" for held in outcome.held
    ]
    if outcome.shared:
        lines.append(f"{outcome.shared} identifiers are shared with somebody else and stay where they stand")
    lines.append(f"Back-ups hold the person until {outcome.backups_until} at the latest (SHOUFU_BACKUP_DAYS).")
    return lines
