"""Load the demo district into the database."""

import click


@click.command()
def command() -> None:
    """Load the model district: places, people, accounts, devices, rules. What is there already stays as it is."""
    from shoufu.runtime import django

    django.setup()
    from shoufu.runtime.demo import loader

    loader.load()
