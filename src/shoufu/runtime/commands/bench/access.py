"""Measure decisions at a door controller, through the protocol of real readers."""

import sys

import click


@click.command()
@click.option("--seconds", type=click.FloatRange(min=1), default=15.0, show_default=True, help="How long to measure.")
@click.option(
    "--rate", type=click.FloatRange(min=1), default=1000.0, show_default=True, help="Cards a second, offered."
)
@click.option("--credentials", type=click.IntRange(100, 200_000), default=20_000, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON last.")
def command(seconds: float, rate: float, credentials: int, as_json: bool) -> None:
    """Hold cards to 32 OSDP readers (secure channel, own process) of one controller process with 32 doors.

    Open loop: cards come by a Poisson process, whatever the answers take. The event of a decision is on the disk
    (fdatasync) before the lock opens. Exit code 1 when an answer was wrong or missing.
    """
    import msgspec

    from shoufu.runtime.bench.access.run import run

    figures = run(seconds, rate, credentials)
    if as_json:
        click.echo(msgspec.json.encode(figures).decode())
    else:
        click.echo(f"{figures.per_second:,} decisions a second at {figures.credentials:,} credentials")
        click.echo(f"p50 {figures.p50_ms} ms, p99 {figures.p99_ms} ms; controller {figures.rss_mb} MB")
    sys.exit(1 if figures.wrong or figures.unanswered else 0)
