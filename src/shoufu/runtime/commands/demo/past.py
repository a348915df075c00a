"""Judge what the demo's doors raised in the weeks before."""

import click


@click.command()
def command() -> None:
    """Wait for the cases of the weeks before and end them as the demo's guard would have; once."""
    from shoufu.runtime import django, logs

    logs.setup()
    django.setup()
    from shoufu.runtime.demo import past

    past.judge()
