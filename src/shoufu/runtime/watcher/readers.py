"""The plate reader, made when the first camera wants one."""

from __future__ import annotations

import threading

import structlog

from .plates import Reader

log = structlog.get_logger("watcher")


class PlateReaders:
    """One reader for all cameras of the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reader: Reader | None = None
        self._failed = False

    def get(self) -> Reader | None:
        """The reader, or None (said once in the log) where its models are not installed."""
        from shoufu.runtime import models
        from shoufu.runtime.plates import open_reader

        with self._lock:
            if self._reader is None and not self._failed:
                try:
                    self._reader = open_reader()
                except models.ModelError as error:
                    self._failed = True
                    log.error("plates are not read", reason=str(error))
            return self._reader
