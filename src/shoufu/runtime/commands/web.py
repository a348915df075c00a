"""Serve the pages (behind the edge)."""

import click

from shoufu.runtime import env

THREADS = 2


@click.command()
@click.option("--port", type=int, help="Loopback port; default SHOUFU_WEB_PORT.")
@click.option("--workers", type=int, help="Worker processes; default SHOUFU_WEB_WORKERS.")
def command(port: int | None, workers: int | None) -> None:
    """Serve the pages on loopback; the edge passes on to it what it does not answer itself.

    A worker answers two requests at a time: a quick one need not wait behind a slow one that waits for the database.
    More fight for the interpreter's lock (three answered a quarter fewer pages than two, 16 a third of what one did).
    """
    from granian.constants import Interfaces
    from granian.server import Server

    Server(
        "shoufu.runtime.wsgi:application",
        address="127.0.0.1",
        port=port or int(env.get("SHOUFU_WEB_PORT")),
        interface=Interfaces.WSGI,
        workers=workers or int(env.get("SHOUFU_WEB_WORKERS")),
        blocking_threads=THREADS,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
        log_access=False,
    ).serve()
