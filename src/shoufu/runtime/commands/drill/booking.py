"""Race for the same slots by HTTP; nothing may overlap, and nothing that was acknowledged may be lost."""

import sys

import click


@click.command()
@click.option(
    "--attempts", type=click.IntRange(min=1), default=2000, show_default=True, help="How many holds to ask for."
)
@click.option("--clients", type=click.IntRange(1, 64), default=16, show_default=True, help="How many at the same time.")
@click.option(
    "--pause",
    type=click.FloatRange(0, 10),
    default=0.25,
    show_default=True,
    help="Seconds that a client thinks between two requests, on the average; 0: none waits, the server is saturated.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Makes the clients' choices repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON last.")
def command(attempts: int, clients: int, pause: float, seed: int, as_json: bool) -> None:
    """Start a throw-away installation with its web server and let client processes race for courts, double services,
    places of a class and, with half of the attempts, for nurses' visits at home, whose times the dispatcher knows.

    They hold, confirm, move, cancel, let holds expire and send requests twice under one key; some are killed in the
    middle (kill -9), and what they had asked is sent again under the same key. Afterwards the database is compared with
    what was acknowledged and refused. Exit code 1 when a promise broke.
    """
    import msgspec

    from shoufu.runtime.drill.booking.run import run

    figures = run(attempts, clients, seed, pause, say=lambda line: click.echo(line, err=True))
    if as_json:
        click.echo(msgspec.json.encode(figures).decode())
    else:
        click.echo(f"{figures.attempts:,} attempts, {figures.accepted:,} accepted")
        click.echo(f"{figures.overlaps} overlaps, {figures.lost} lost")
        click.echo(f"free slots within {figures.offer_p95_ms} ms (p95)")
    sys.exit(1 if figures.overlaps or figures.lost else 0)
