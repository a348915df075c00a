"""Run the rules over the log, live."""

import click


@click.command()
@click.option("--shard", type=click.IntRange(0), default=0, show_default=True, help="Which share of the places.")
def command(shard: int) -> None:
    """Evaluate the rules of one shard until stopped: firings, cases, and a checkpoint to go on from."""
    from shoufu.runtime import django, env
    from shoufu.runtime.errors import Problem

    if shard >= env.get("SHOUFU_SHARDS"):
        raise Problem(f"There is no shard {shard}: SHOUFU_SHARDS is {env.get('SHOUFU_SHARDS')}, shards count from 0.")
    django.setup(tasks=False)
    from shoufu.runtime.evaluator import process

    process.run(shard)
