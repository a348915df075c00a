"""All processes of one data directory."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable

import structlog

from shoufu.runtime import django, memory
from shoufu.runtime.data import Layout
from shoufu.runtime.supervisor import status
from shoufu.runtime.supervisor.lock import DirectoryLock
from shoufu.runtime.supervisor.process import Process, State
from shoufu.runtime.supervisor.reaper import Reaper
from shoufu.runtime.supervisor.spec import Spec

log = structlog.get_logger("supervisor")

STATUS_EVERY = 3.0
LineSink = Callable[[str, bytes], None]


class Supervisor:
    """Runs a list of :class:`Spec` until :meth:`stop`, a signal, or a process that never starts.

    ``essential`` names the processes that must be ready before the whole is; ``on_ready`` is called once then, with the
    seconds since ``began`` (epoch seconds, the start of the program).
    """

    def __init__(
        self,
        layout: Layout,
        specs: list[Spec],
        *,
        essential: tuple[str, ...],
        address: str,
        began: float,
        on_line: LineSink = lambda _name, _line: None,
        on_ready: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        self.layout = layout
        self.address = address
        self.began = began
        self.seconds_to_ready: float | None = None
        self.processes = {
            spec.name: Process(spec, layout.logs, on_line, self._changed, self._group_changed) for spec in specs
        }
        self._essential = [name for name in essential if name in self.processes]
        self._on_ready = on_ready
        self._lock = DirectoryLock(layout.run / "lock")
        self._reaper: Reaper | None = None
        self._stop = asyncio.Event()
        self._gates = layout.run / "gates"
        self._dirty = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.stopping = threading.Event()

    def stop(self) -> None:
        """Ask for the orderly end of everything; from any thread, and more than once if you like."""
        self.stopping.set()
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)

    def wait_ready(self, *names: str) -> None:
        """Block a thread until these processes have been ready (one-shots: done); names that do not run are skipped."""
        for name in names:
            if name in self.processes:
                self.processes[name].was_ready.wait()

    def run(self, check: Callable[[], None] = lambda: None, on_start: Callable[[], None] = lambda: None) -> None:
        """Start everything and stay until asked to stop; afterwards nothing is left running.

        ``check`` is called once the directory is ours, ``on_start`` inside the event loop. Raises :class:`Problem` when
        the data directory is in use or a process never gets ready.
        """
        self._lock.take()
        check()
        self._reaper = Reaper(self._lock.handle)
        try:
            self._clear_gates()
            asyncio.run(self._run_all(on_start))
        finally:
            self._reaper.close()
            self._lock.release()

    async def _run_all(self, on_start: Callable[[], None]) -> None:
        self._loop = loop = asyncio.get_running_loop()
        on_start()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._interrupted)
        tasks = [asyncio.create_task(self._run_one(process)) for process in self.processes.values()]
        helpers = [asyncio.create_task(self._write_status()), asyncio.create_task(self._announce())]
        waiting = asyncio.create_task(self._stop.wait())
        try:
            await self._until_stopped(tasks, waiting)
        finally:
            waiting.cancel()
            self.stopping.set()
            await self._end_all()
            for task in (*tasks, *helpers):
                task.cancel()
            await asyncio.gather(*tasks, *helpers, waiting, return_exceptions=True)
            self._save_status()

    async def _until_stopped(self, tasks: list[asyncio.Task[None]], waiting: asyncio.Task[bool]) -> None:
        pending: set[asyncio.Task[object]] = {*tasks, waiting}
        while not self._stop.is_set():
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if task.exception():
                    raise task.exception()  # type: ignore[misc]

    async def _run_one(self, process: Process) -> None:
        for name in process.spec.needs:
            if name in self.processes:
                await self.processes[name].ready.wait()
        environment = dict(os.environ) | {"SHOUFU_LOG_FORMAT": "json", "PYTHONUNBUFFERED": "1"}
        gate = process.spec.gate
        if gate in self.processes:
            environment[django.GATE] = str(self._gates / gate)
        await process.run(environment)

    def _group_changed(self, leader: int, runs: bool) -> None:
        assert self._reaper is not None
        (self._reaper.add if runs else self._reaper.remove)(leader)

    def _changed(self) -> None:
        for process in self.processes.values():
            if process.state is State.DONE:
                self._open_gate(process.spec.name)
        self._dirty.set()

    async def _announce(self) -> None:
        for name in self._essential:
            await self.processes[name].ready.wait()
        self.seconds_to_ready = time.time() - self.began
        log.info("ready", seconds=round(self.seconds_to_ready, 2), address=self.address)
        self._save_status()
        self._on_ready(self.seconds_to_ready)

    async def _end_all(self) -> None:
        for server in (False, True):
            group = [process for process in self.processes.values() if process.spec.server is server]
            await asyncio.gather(*(process.stop() for process in group))

    def _interrupted(self) -> None:
        if not self._stop.is_set():
            log.info("stopping")
            return self._stop.set()
        log.warning("asked again, killing")
        for process in self.processes.values():
            process.kill()
        return None

    def _clear_gates(self) -> None:
        self._gates.mkdir(exist_ok=True)
        for path in self._gates.iterdir():
            path.unlink()

    def _open_gate(self, name: str) -> None:
        (self._gates / name).touch()

    async def _write_status(self) -> None:
        while True:
            self._save_status()
            self._dirty.clear()
            with contextlib.suppress(TimeoutError):
                # Not wait_for: before Python 3.12 it can swallow a cancellation.
                async with asyncio.timeout(STATUS_EVERY):
                    await self._dirty.wait()

    def _save_status(self) -> None:
        families = memory.families({name: process.pid for name, process in self.processes.items()})
        rows = [
            status.ProcessStatus(
                name,
                str(process.state),
                process.pid,
                process.restarts,
                process.since,
                memory.rss(families[name]),
                process.log.failed or process.last_error,
                str(process.log.path),
            )
            for name, process in self.processes.items()
        ]
        whole = status.Status(
            os.getpid(),
            self.began,
            time.time(),
            self.seconds_to_ready is not None,
            self.seconds_to_ready,
            self.address,
            rows,
        )
        try:
            status.write(self.layout.run, whole)
        except OSError as error:
            log.error("status not written", reason=error.strerror)
