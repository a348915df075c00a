"""Run background work: queued jobs and what recurs."""

import click


@click.command()
@click.option("--concurrency", type=int, default=2, show_default=True, help="Jobs at the same time.")
@click.option("--queue", "queues", multiple=True, help="Only these queues.")
def command(concurrency: int, queues: tuple[str, ...]) -> None:
    """Run the jobs of the procrastinate queue until stopped; a job that was cut off is taken up again."""
    from shoufu.runtime import django

    django.setup()
    from shoufu.runtime import worker

    worker.run(concurrency, list(queues) or None)
