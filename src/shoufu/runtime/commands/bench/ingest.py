"""Measure taking in observations: HTTP, MQTT and live push, against plain COPY."""

import click


@click.command()
@click.option("--seconds", type=click.FloatRange(min=2), default=20.0, show_default=True, help="How long in all.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON last.")
def command(seconds: float, as_json: bool) -> None:
    """Start a throw-away installation and load it: 50 observations a request, deduplicated, acknowledged when durable.

    The limit is plain COPY of the same rows into the same tables, measured in turn with it, so that noise cancels.
    """
    import msgspec

    from shoufu.runtime.bench.ingest.run import run

    figures = run(seconds)
    if as_json:
        click.echo(msgspec.json.encode(figures).decode())
        return
    click.echo(f"{figures.per_second:,} observations a second, {figures.ratio:.0%} of plain COPY")
    click.echo(
        f"request p99 {figures.p99_ms} ms; MQTT {figures.mqtt_per_second:,}/s; live p99 {figures.live_p99_ms} ms"
    )
