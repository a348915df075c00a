"""Load the demo district into the database."""

import click


@click.command()
def command() -> None:
    """Load the model district: places, people, accounts, devices, rules. What is there already stays as it is.

    Into an empty log come some weeks of a few doors, by the way that every observation goes: the edge must run.
    """
    from shoufu.runtime import django

    django.setup()
    from shoufu.runtime.demo import loader, past

    loader.load()
    past.tell()
