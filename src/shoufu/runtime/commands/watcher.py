"""Watch the cameras."""

import click


@click.command()
@click.option("--part", default="0/1", show_default=True, help="Which share of the cameras, such as 0/2 and 1/2.")
def command(part: str) -> None:
    """Watch the cameras that have a source: detect, track, and tell the edge what happens, until stopped."""
    from shoufu.runtime import django
    from shoufu.runtime.models import ModelError

    django.setup()
    from shoufu.runtime.watcher import process
    from shoufu.runtime.watcher.cameras import Part

    try:
        share = Part.parse(part)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--part") from error
    try:
        process.run(share)
    except ModelError as error:
        raise click.ClickException(str(error)) from error
