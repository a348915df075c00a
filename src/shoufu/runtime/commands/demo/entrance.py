"""Run one gate with the door controller's own program."""

import click


@click.command()
def command() -> None:
    """Run the demo's east gate until stopped: simulated OSDP readers, and the real door controller on their line."""
    import asyncio

    from shoufu.runtime import logs
    from shoufu.runtime.demo import entrance

    logs.setup()
    asyncio.run(entrance.run())
