"""Read the log again and prove that it gives what live gave."""

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as one line of JSON.")
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Replay the log from its beginning and compare firings and cases with those of the live evaluator.

    Exit code 1 when anything differs.
    """
    from shoufu.runtime import django

    django.setup()
    from shoufu.kernel.rules.replay import replay

    found = replay()
    if as_json:
        click.echo(json.dumps(found.as_dict(), ensure_ascii=False))
    else:
        verdict = "Equal" if found.equal else "NOT equal"
        click.echo(
            f"{verdict}: {found.observations} observations gave {found.firings} firings, live {found.live_firings}"
        )
        for name in ("missing", "surplus", "changed"):
            for one in getattr(found, name):
                click.echo(f"  {name}: {one}")
    context.exit(0 if found.equal else 1)
