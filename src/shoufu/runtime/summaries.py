"""Readers of the log: they keep figures and device states and derive observations (a thread of the worker)."""

from __future__ import annotations

import threading

import structlog
from django.db import Error, close_old_connections, connections

from shoufu.kernel.doors import following as doors
from shoufu.kernel.observations import derivations, summaries

log = structlog.get_logger("summaries")

REST_SECONDS = 0.5
DOWN_SECONDS = 2.0


def run(stop: threading.Event) -> None:
    """Keep up with the log until told to stop; while the database is away, wait for it."""
    try:
        while not stop.is_set():
            stop.wait(_step())
    finally:
        connections.close_all()


def _step() -> float:
    """Read what is there; the seconds to wait until the next time."""
    try:
        close_old_connections()
        read = max(derivations.step(), summaries.step(), doors.step())
        return 0.0 if read == summaries.AT_ONCE else REST_SECONDS
    except Error as error:
        log.warning("log not read", reason=str(error).strip()[:200])
        connections.close_all()
        return DOWN_SECONDS
