"""Keep hourly counts and device states up to date with the log."""

import click


@click.command()
@click.option("--once", is_flag=True, help="Stop when the end of the log is reached.")
def command(once: bool) -> None:
    """Read the log until stopped. The worker does this too; run it by itself where the worker is kept for jobs."""
    import signal
    import threading

    from shoufu.runtime import django

    django.setup()
    from shoufu.kernel.observations import summaries as reader
    from shoufu.runtime import summaries

    if once:
        while reader.step():
            pass
        return
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    summaries.run(stop)
