"""Doors through power cuts, lost clocks and a broken network; nothing may be decided wrongly, lost or doubled."""

import sys

import click


@click.command()
@click.option("--doors", type=click.IntRange(2, 200), default=50, show_default=True, help="How many controllers.")
@click.option(
    "--seconds", type=click.FloatRange(min=20), default=60.0, show_default=True, help="How long it goes wrong."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Makes faults and people repeatable.")
@click.option("--lying-disk", is_flag=True, help="Let the disks lose what was synced too: the drill must then fail.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON last.")
def command(doors: int, seconds: float, seed: int, lying_disk: bool, as_json: bool) -> None:
    """Run door controllers against a real server in a throw-away directory, and judge every decision by an oracle.

    Networks are cut and lose answers, clocks jump or are lost, the power goes and leaves only what was synced, cards
    are withdrawn meanwhile. Exit code 1 when a decision was wrong, or an event was lost or doubled.
    """
    import msgspec

    from shoufu.runtime.drill.door_offline.run import run

    figures = run(doors, seconds, seed, lying_disk)
    kept = not (figures.wrong or figures.events_lost or figures.events_duplicated or figures.holes)
    if as_json:
        click.echo(msgspec.json.encode(figures).decode())
    else:
        click.echo(f"{figures.decisions:,} decisions at {figures.doors} doors, {figures.wrong} wrong")
        click.echo(f"{figures.power_cuts} power cuts, {figures.network_cuts} network cuts")
        click.echo(f"{figures.events_lost} events lost, {figures.events_duplicated} doubled")
        click.echo(f"withdrawn at connected doors within {figures.revocation_p99_s} s (p99)")
    sys.exit(0 if kept else 1)
