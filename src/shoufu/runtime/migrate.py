"""Migrations, applied by one process at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from shoufu.runtime.build import schema
from shoufu.runtime.errors import Problem
from shoufu.runtime.servers import postgres

LOCK = 0x53484F55_4D494752  # "SHOUMIGR"
SERVER_SECONDS = 60.0
log = structlog.get_logger("migrate")


def run() -> None:
    """Create the database where it is missing and apply every migration; a second machine waits for the first.

    Waits for the embedded server, which may start at the same time.
    """
    from django.core.management import call_command

    if postgres.embedded():
        _wait_for_server()
    if postgres.embedded() and postgres.ensure_database(postgres.address()):
        restored = schema.restore(postgres.dsn())
        log.info("database created", from_cache=restored)
    with _alone():
        call_command("migrate", interactive=False, verbosity=0)
    log.info("tables are up to date")


def _wait_for_server() -> None:
    deadline = time.monotonic() + SERVER_SECONDS
    while not postgres.ready(postgres.address()):
        if time.monotonic() > deadline:
            raise Problem(
                "The embedded PostgreSQL does not answer: start it with 'shoufu up', or read logs/postgres.log."
            )
        time.sleep(0.05)


@contextmanager
def _alone() -> Iterator[None]:
    # A connection of its own: migrations may close and reopen Django's.
    import psycopg

    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", [LOCK])
        yield
