"""Simulate the sensors of a watched home."""

import click


@click.command()
def command() -> None:
    """Run the sensors of the demo's watched home as HTTP devices until stopped."""
    from shoufu.runtime import django, logs
    from shoufu.runtime.demo import home

    logs.setup()
    django.pass_gate()
    home.run()
