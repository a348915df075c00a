"""Kill processes under load; nothing acknowledged may be lost or doubled, and replay must equal live."""

import sys

import click


@click.command()
@click.option("--rounds", type=click.IntRange(min=1), default=10, show_default=True, help="How many kills.")
@click.option("--seed", type=int, help="Makes the choice of victims repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON last.")
def command(rounds: int, seed: int | None, as_json: bool) -> None:
    """Start the whole product with the demo district in a throw-away directory and load it by HTTP and MQTT.

    Each round kills one of edge, evaluator, broker, database and watcher (kill -9) and waits for its return. Afterwards
    the log is compared with what was acknowledged, and read again from its beginning. Exit code 1 when a promise broke.
    """
    import msgspec

    from shoufu.runtime.drill.kill import run

    figures = run(rounds, seed)
    kept = not figures.lost and not figures.duplicates and figures.replay_equal
    if as_json:
        click.echo(msgspec.json.encode(figures).decode())
    else:
        click.echo(f"{figures.rounds} kills, {figures.sent:,} acknowledged")
        click.echo(f"{figures.lost} lost, {figures.duplicates} doubled")
        click.echo(f"replay {'equal' if figures.replay_equal else 'different'}: promise {'kept' if kept else 'BROKEN'}")
    sys.exit(0 if kept else 1)
