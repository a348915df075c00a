"""Start everything with the demo district, cameras and doors."""

import click


@click.command()
@click.option("--once", is_flag=True, help="Throw-away data and free ports; ends by itself after both kinds of case.")
@click.option("--json", "as_json", is_flag=True, help="With --once: the figures as JSON on the last line.")
@click.option("--verbose", is_flag=True, help="Show every line of every process.")
@click.option("--seconds", type=float, default=180.0, show_default=True, help="With --once: wait at most so long.")
def command(once: bool, as_json: bool, verbose: bool, seconds: float) -> None:
    """Load the demo district and run everything, with simulated doors over MQTT and a camera from footage.

    Prints the address and one-click sign-in links, which work on this machine only. Ctrl-C ends every process.
    """
    from shoufu.runtime.demo import run

    if not once:
        run.stay(verbose)
        return
    result = run.once(verbose, seconds)
    if as_json:
        click.echo(result.as_json())
    else:
        click.echo(f"ready after {result.seconds_to_ready} s; {result.tally}")
    run.require(result, seconds)
