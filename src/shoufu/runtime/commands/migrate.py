"""Bring the database's tables up to date."""

import click


@click.command()
def command() -> None:
    """Create the database where it is missing and apply every migration; several machines may do so at once."""
    from shoufu.runtime import django

    django.setup(tasks=False)
    from shoufu.runtime import migrate

    migrate.run()
