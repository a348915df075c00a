"""Send right and wrong callbacks of payment providers, kill the server between the steps; the books must stay right."""

import sys

import click


@click.command()
@click.option("--callbacks", type=click.IntRange(min=40), default=400, show_default=True, help="How many at least.")
@click.option("--seed", type=int, help="Makes the choices repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON last.")
def command(callbacks: int, seed: int | None, as_json: bool) -> None:
    """Start the product and the test gateway in a throw-away directory; callbacks go by HTTP, signed and encrypted.

    Duplicates, reorder, lost ones, replays older than five minutes, wrong amounts, merchants, signatures and orders,
    and kill -9 of the page server inside a booking. Afterwards books, orders, gateway and bills are compared. Exit code
    1 when they differ.
    """
    import msgspec

    from shoufu.runtime.drill.payments import run

    figures = run(callbacks, seed)
    kept = not (figures.wrong_entries or figures.reconciliation_difference or figures.double_credits)
    if as_json:
        click.echo(msgspec.json.encode(figures).decode())
    else:
        click.echo(f"{figures.callbacks:,} callbacks: {figures.wrong_entries} wrong entries")
        click.echo(f"{figures.double_credits} double credits, bills differ by {figures.reconciliation_difference}")
        click.echo(f"promise {'kept' if kept else 'BROKEN'}")
    sys.exit(0 if kept else 1)
