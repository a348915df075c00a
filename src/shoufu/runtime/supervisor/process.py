"""One supervised process: started, watched, restarted with back-off, stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import structlog

from shoufu.runtime.children import die_with_parent, end_group
from shoufu.runtime.data import problem_of
from shoufu.runtime.errors import Problem
from shoufu.runtime.supervisor.child import Child
from shoufu.runtime.supervisor.logfile import LogFile
from shoufu.runtime.supervisor.spec import Check, Spec

log = structlog.get_logger("supervisor")

BACKOFF_FIRST = 0.25
BACKOFF_LIMIT = 30.0
STABLE_AFTER = 30.0
EARLY_ATTEMPTS = 5
HEALTH_EVERY = 5.0
HEALTH_FAILURES = 6


class State(StrEnum):
    """Where a process is in its life."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    UNHEALTHY = "unhealthy"
    BACKOFF = "backoff"
    DONE = "done"
    STOPPED = "stopped"


def backoff(failures: int) -> float:
    """Seconds to wait before the next attempt after ``failures`` exits in a row (1 → 0.25, doubling, at most 30)."""
    return float(min(BACKOFF_FIRST * 2 ** (failures - 1), BACKOFF_LIMIT))


class Process:
    """Runs one :class:`Spec`. ``on_line`` gets each line of output, ``on_change`` is called at a change of state,
    ``on_group`` with the leader's pid when its process group begins (True) and has ended (False).
    """

    def __init__(
        self,
        spec: Spec,
        logs: Path,
        on_line: Callable[[str, bytes], None],
        on_change: Callable[[], None],
        on_group: Callable[[int, bool], None],
    ) -> None:
        self.spec = spec
        self.log = LogFile(logs / f"{spec.name}.log")
        self.state = State.WAITING
        self.since = time.time()
        self.restarts = 0
        self.last_error = ""
        self.ready = asyncio.Event()
        self.was_ready = threading.Event()
        self._on_line = on_line
        self._on_change = on_change
        self._on_group = on_group
        self._child: Child | None = None
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """Pid of the running child; it leads its own process group."""
        child = self._child
        return child.pid if child and child.running else None

    async def run(self, environment: dict[str, str]) -> None:
        """Keep the process running until :meth:`stop`; :class:`Problem` when it never gets ready."""
        failures = 0
        while not self._stopping:
            began = time.monotonic()
            code, refusal = await self._attempt(environment)
            if self._stopping:
                break
            if self.spec.once and code == 0:
                self._set(State.DONE)
                self._say_ready()
                return
            failures = 1 if time.monotonic() - began > STABLE_AFTER else failures + 1
            self.last_error = refusal or self._reason(code)
            if not self.was_ready.is_set() and (self.spec.once or failures >= EARLY_ATTEMPTS):
                raise Problem(explain(self.spec.name, self.last_error, list(self.log.tail), self.log.path))
            pause = backoff(failures)
            log.warning("process ended", process=self.spec.name, reason=self.last_error, again_in=pause)
            self._set(State.BACKOFF)
            await asyncio.sleep(pause)
            self.restarts += 1
        self._set(State.STOPPED)

    async def stop(self) -> None:
        """Ask the process to end, then end its whole group."""
        self._stopping = True
        child = self._child
        if child is None or not child.running:
            return
        child.send_signal(self.spec.stop_signal)
        try:
            async with asyncio.timeout(self.spec.stop_timeout):
                await child.wait()
        except TimeoutError:
            log.warning("did not stop in time, killing", process=self.spec.name)
        end_group(child.pid)

    def kill(self) -> None:
        """End the whole group at once."""
        self._stopping = True
        if self.pid:
            end_group(self.pid)

    async def _attempt(self, environment: dict[str, str]) -> tuple[int, str]:
        """Exit code, and why it could not even be started; what stops the first start is raised."""
        try:
            return await self._run_once(environment), ""
        except (Problem, OSError) as error:
            if not self.was_ready.is_set():
                raise error if isinstance(error, Problem) else problem_of(self.log.path.parent, error) from error
            return 1, str(error)

    async def _run_once(self, environment: dict[str, str]) -> int:
        self._set(State.STARTING)
        await asyncio.to_thread(self.spec.before)
        if self._stopping:
            return 0
        child = self._spawn(environment)
        self._child = child
        self._on_group(child.pid, True)
        watching = asyncio.create_task(self._watch(child))
        try:
            return await child.wait()
        finally:
            watching.cancel()
            end_group(child.pid)
            await child.drain()
            self._on_group(child.pid, False)
            self.log.close()

    def _spawn(self, environment: dict[str, str]) -> Child:
        arm = die_with_parent(self.spec.stop_signal)

        def prepare() -> None:
            arm()
            if self.spec.niceness:
                os.nice(self.spec.niceness)

        return Child(
            self.spec.argv,
            self._line,
            env=environment | dict(self.spec.environment),
            start_new_session=True,
            preexec_fn=prepare,
            **self.spec.spawn_options(),
        )

    def _line(self, line: bytes) -> None:
        self.log.write(line)
        self._on_line(self.spec.name, line)

    async def _watch(self, child: Child) -> None:
        if self.spec.once:
            return
        if not await self._becomes_ready():
            log.error("not ready in time, killing", process=self.spec.name, seconds=self.spec.ready_timeout)
            self.last_error = f"was not ready within {self.spec.ready_timeout:.0f} s"
            end_group(child.pid)
            return
        self._set(State.READY)
        self._say_ready()
        await self._stay_healthy(child)

    async def _becomes_ready(self) -> bool:
        if self.spec.ready is None:
            await asyncio.sleep(self.spec.settle)
            return True
        deadline = time.monotonic() + self.spec.ready_timeout
        pause = 0.03
        while time.monotonic() < deadline:
            if await asyncio.to_thread(self.spec.ready):
                return True
            await asyncio.sleep(pause)
            pause = min(pause * 1.3, 0.25)
        return False

    async def _stay_healthy(self, child: Child) -> None:
        check: Check | None = self.spec.healthy or self.spec.ready
        failed = 0
        while check is not None:
            await asyncio.sleep(HEALTH_EVERY)
            if await asyncio.to_thread(check):
                failed = 0
                if self.state is State.UNHEALTHY:
                    self._set(State.READY)
                continue
            failed += 1
            self._set(State.UNHEALTHY)
            if failed >= HEALTH_FAILURES:
                log.error("unhealthy for too long, killing", process=self.spec.name)
                self.last_error = "failed its health check"
                end_group(child.pid)
                return

    def _reason(self, code: int) -> str:
        if code < 0:
            return f"ended by {signal.Signals(-code).name}"
        lines = [line for line in self.log.tail if line.strip()]
        return f"exit code {code}" + (f": {lines[-1][:300]}" if lines else "")

    def _say_ready(self) -> None:
        self.ready.set()
        self.was_ready.set()

    def _set(self, state: State) -> None:
        if state is not self.state:
            self.state = state
            self.since = time.time()
            self._on_change()


# What programs say when the machine fails them → what to do about it.
HINTS = (
    ("No space left on device", "The disk is full: free some space, or set SHOUFU_DATA to another directory"),
    (
        "Read-only file system",
        "The data directory is on a read-only file system: mount it writable, or set SHOUFU_DATA",
    ),
    ("Address already in use", "A port is taken by another program: stop it, or choose another port (shoufu settings)"),
    ("address already in use", "A port is taken by another program: stop it, or choose another port (shoufu settings)"),
    (
        "incompatible with server",
        "The database files are from another PostgreSQL version: dump and load them with the old one",
    ),
    ("No space left", "The disk is full: free some space, or set SHOUFU_DATA to another directory"),
)


def explain(name: str, reason: str, tail: list[str], path: Path) -> str:
    """The sentence for a process that never got ready, from its last lines."""
    text = "\n".join(tail)
    for mark, advice in HINTS:
        if mark in text:
            return f"{advice}. ({name}: {path})"
    return f"The process {name} does not start ({reason}): read {path}, or run 'shoufu doctor'."
