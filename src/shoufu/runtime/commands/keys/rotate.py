"""Add a key to the ring and bring everything under it."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--drop-old", is_flag=True, help="Forget the older keys afterwards; old backups then open no more.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON at the end.")
def command(drop_old: bool, as_json: bool) -> None:
    """Add a key to the ring, then bring every person's key, every look-up hash and all else that it sealed under it.

    May run while the product runs. With --drop-old older keys are forgotten only once nothing needs them any more; else
    nothing is forgotten, and what still needs them is named. Erasures are proved by the key of their time: such a key
    stays until their proof ends, a year later.
    """
    from shoufu.runtime import django
    from shoufu.runtime.errors import Problem

    django.setup()
    from django.utils import timezone

    from shoufu.kernel.base import keyring, resealing
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.parties import services

    active, since = keyring.rotate().active, timezone.now()
    old = [number for number in keyring.ring().keys if number != active]
    waited = resealing.settled(since) if drop_old else True
    people = services.reencrypt(SYSTEM)
    resealed = resealing.reseal()
    if drop_old:
        if not waited:
            raise Problem(
                f"Key {active} is active. Older keys were not forgotten, because a transaction that may still seal "
                "with them has been running for a minute: run the command again."
            )
        if left := resealing.left(old):
            said = ", ".join(f"{where} ({count})" for where, count in left.items())
            raise Problem(
                f"Key {active} is active. Older keys were not forgotten, because these still need them: {said}."
            )
        for number in old:
            keyring.drop(number)
    dropped = old if drop_old else []
    if as_json:
        click.echo(json.dumps({"active": active, "people": people, "resealed": resealed, "dropped": dropped}))
        return
    click.echo(f"Key {active} is active; {people} people are under it; {len(dropped)} older keys were forgotten.")
    for where, count in resealed.items():
        click.echo(f"  {where}: {count}")
