"""Start everything on this machine and stay."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable

import psutil
import structlog

from shoufu.runtime import data, env, heartbeat, logs, preflight, processes
from shoufu.runtime.supervisor import Spec, Supervisor

log = structlog.get_logger("supervisor")
# bin/ takes at most so long before it starts us, or starts its clock anew; an older clock is another program's.
BIN_SECONDS = 15.0
LOUD = frozenset({"warning", "error", "critical"})


def address() -> str:
    """The address of the console."""
    origin = str(env.get("SHOUFU_ORIGIN"))
    host = str(env.get("SHOUFU_HOST"))
    shown = "127.0.0.1" if host == "0.0.0.0" else host
    return origin or f"http://{shown}:{env.get('SHOUFU_PORT')}"


def run(
    *,
    verbose: bool = False,
    arrange: Callable[[list[Spec]], list[Spec]] = list,
    on_ready: Callable[[float], None] = lambda _seconds: None,
    on_start: Callable[[Supervisor], None] = lambda _supervisor: None,
) -> Supervisor:
    """Check, start and supervise until a signal; returns the stopped supervisor.

    ``arrange`` may change or add processes, ``on_start`` gets the supervisor once its loop runs.
    """
    logs.setup()
    began = _began()
    layout = data.prepare()
    specs = arrange(processes.all_specs(layout))
    _say_missing(specs)
    for spec in specs:
        heartbeat.path(spec.name).unlink(missing_ok=True)
    supervisor = Supervisor(
        layout,
        specs,
        essential=processes.ESSENTIAL,
        address=address(),
        began=began,
        on_line=show if not verbose else show_all,
        on_ready=on_ready,
    )

    log.info("starting", data=str(layout.root), processes=[spec.name for spec in specs], pid=os.getpid())
    supervisor.run(lambda: preflight.check(layout), lambda: on_start(supervisor))
    log.info("stopped", after=round(time.time() - began, 1))
    return supervisor


def _began() -> float:
    """When this program began, in epoch seconds: the clock of ``bin/`` where it started us, else our own."""
    own, given = psutil.Process().create_time(), float(env.get("SHOUFU_BEGAN"))
    os.environ.pop("SHOUFU_BEGAN", None)
    return given if own - BIN_SECONDS < given else own


def show(name: str, line: bytes) -> None:
    """Pass a process's warnings and errors on to our own log; the rest is in its file."""
    record = _record(line)
    level = str(record.pop("level", ""))
    if level not in LOUD:
        return
    getattr(log, level)(str(record.pop("event", "")), process=name, **_fields(record))


def show_all(name: str, line: bytes) -> None:
    """Pass every line of a process on to our own log."""
    record = _record(line)
    level = str(record.pop("level", "info"))
    event = str(record.pop("event", line.decode(errors="replace").rstrip()))
    getattr(log, level if level in LOUD else "info")(event, process=name, **_fields(record))


def _record(line: bytes) -> dict[str, object]:
    if not line.startswith(b"{"):
        return {}
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _fields(record: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in record.items() if key not in {"timestamp", "process", "event"}}


def _say_missing(specs: list[Spec]) -> None:
    started = {spec.name for spec in specs}
    for name in processes.ESSENTIAL:
        if name not in started:
            log.warning("this installation has no such process", process=name)
