"""Control doors: decide at the door, with or without the network."""

from pathlib import Path

import click


@click.command()
@click.option(
    "--config", "config_path", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Settings (TOML)."
)
@click.option("--check", is_flag=True, help="Only say whether the settings are good.")
def command(config_path: Path, check: bool) -> None:
    """Run one door controller until stopped. Needs no database, no Django and 256 MB of memory; see
    docs/devices/door-controller.md."""
    from shoufu.gateways.door_controller import config
    from shoufu.runtime import logs

    try:
        settings = config.read(config_path)
    except config.ConfigError as error:
        raise click.ClickException(str(error)) from error
    if check:
        click.echo("The settings are good.")
        return
    logs.setup()
    from shoufu.gateways.door_controller import program

    program.run(settings)
