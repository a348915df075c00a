"""Take in observations, push live events, and front the pages."""

import click


@click.command()
def command() -> None:
    """Serve devices (HTTP and MQTT) and browsers on SHOUFU_HOST:SHOUFU_PORT until stopped."""
    from shoufu.runtime import django

    django.setup(tasks=False)
    from shoufu.runtime.edge import server

    server.run()
