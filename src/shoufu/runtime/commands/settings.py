"""List every setting, its value and where it comes from."""

import json

import click

from shoufu.runtime import env


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
def command(as_json: bool) -> None:
    """List every setting; each is an environment variable. Secrets are masked."""
    rows = [env.lookup(setting.name) for setting in env.SETTINGS]
    if as_json:
        shown = {
            row.setting.name: {"value": row.shown(), "source": row.source, "help": row.setting.help} for row in rows
        }
        click.echo(json.dumps(shown, ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"{row.setting.name:<24} {row.shown() or '-':<28} {row.source:<12} {row.setting.help}")
    for name in env.unknown():
        click.echo(f"shoufu: {name} is set but is no setting of this program: check its spelling.", err=True)
