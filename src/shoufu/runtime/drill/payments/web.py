"""The page server of the drill: started, killed with -9 in the middle of a booking, and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import psycopg

from shoufu.runtime import env
from shoufu.runtime.bench import stage

HOLD_SECONDS = 10.0
STEPS = ("payments_journal", "payments_ledgerentry", "audit_auditentry", "payments_orderevent")
"""Tables that a callback's transaction writes after it has noted the callback: where it is stopped before the kill."""


class Web:
    """A page server that can be killed. Start it from the main thread: it ends with the thread that started it."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.kills = 0

    def start(self) -> None:
        self._process = stage.start("web", log=self._log)
        stage.wait_for(env.get("SHOUFU_WEB_PORT"), self._process, self._log)

    def kill(self) -> None:
        """kill -9 of the server and its workers, then start it again."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self.kills += 1

    def stop(self) -> None:
        if self._process is not None:
            stage.stop(self._process)


def kill_between(web: Web, dsn: str, table: str) -> bool:
    """Kill the server while a callback's transaction waits to write the next step; whether one was caught.

    A lock on the table lets the transaction do all that comes before and holds it there. The product has no switch
    for this: it is stopped from outside, as a crash would.
    """
    with psycopg.connect(dsn) as connection:
        connection.execute(f"lock table {table} in share row exclusive mode")
        caught = _waits(dsn, table)
        web.kill()
    web.start()
    return caught


def _waits(dsn: str, table: str) -> bool:
    deadline = time.monotonic() + HOLD_SECONDS
    waiting = (
        "select count(*) from pg_locks join pg_class on pg_class.oid = relation where not granted and relname = %s"
    )
    with psycopg.connect(dsn, autocommit=True) as connection:
        while time.monotonic() < deadline:
            row = connection.execute(waiting, [table]).fetchone()
            if row is not None and row[0]:
                return True
            time.sleep(0.02)
    return False
