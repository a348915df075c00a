"""Start everything on this machine and stay until Ctrl-C."""

import click


@click.command()
@click.option("--verbose", is_flag=True, help="Show every line of every process, not only warnings.")
def command(verbose: bool) -> None:
    """Start database, broker, console and background; watch them and restart what fails.

    Ctrl-C or SIGTERM ends them all; asked twice, at once. Logs are in the data directory, one file a process.
    """
    from shoufu.runtime import up

    up.run(verbose=verbose, on_ready=lambda seconds: click.echo(f"{up.address()}  ready after {seconds:.1f} s"))
