"""Run the test payment gateway: WeChat Pay and Alipay as they behave, with keys of its own."""

from pathlib import Path

import click


@click.command()
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), required=True, help="Keys and settings.")
@click.option("--port", type=click.IntRange(1, 65535), default=8620, show_default=True, help="Loopback port.")
@click.option("--shop", default="", help="Where callbacks go; default: this installation's edge.")
def command(folder: Path, port: int, shop: str) -> None:
    """For developers. Makes keys, where there are none, and settings files in FOLDER, prints the variables that point
    Shoufu at this gateway, and serves until stopped. The page at / lets a payer pay,
    and so does `POST /control/pay {"number": …}`."""
    from shoufu.runtime import env
    from shoufu.runtime.paygateway import keys
    from shoufu.runtime.paygateway.server import Gateway

    keys.make(folder, f"http://127.0.0.1:{port}", shop or f"http://127.0.0.1:{env.get('SHOUFU_PORT')}")
    for name, value in keys.environment(folder.absolute()).items():
        click.echo(f"export {name}={value}")
    with Gateway(folder, port) as server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
