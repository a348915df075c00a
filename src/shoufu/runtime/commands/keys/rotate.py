"""Add a key to the ring and bring everything under it."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--drop-old", is_flag=True, help="Forget the older keys afterwards; old backups then open no more.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON at the end.")
def command(drop_old: bool, as_json: bool) -> None:
    """Add a key to the ring, then encrypt every person's key and remake every look-up hash with it.

    May run while the product runs. One-time code secrets of accounts stay under the key they were made with: with
    --drop-old their owners set them up anew.
    """
    from shoufu.runtime import django

    django.setup()
    from shoufu.kernel.base import keyring
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.parties import services

    active = keyring.rotate().active
    people = services.reencrypt(SYSTEM)
    dropped = [number for number in keyring.ring().keys if number != active] if drop_old else []
    for number in dropped:
        keyring.drop(number)
    if as_json:
        click.echo(json.dumps({"active": active, "people": people, "dropped": dropped}))
        return
    click.echo(f"Key {active} is active; {people} people are under it; {len(dropped)} older keys were forgotten.")
