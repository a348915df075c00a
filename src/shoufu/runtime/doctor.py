"""Looks for what is wrong on this machine and says what to do about it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from shoufu.runtime import data, env, memory, preflight
from shoufu.runtime.data import Layout
from shoufu.runtime.errors import Problem
from shoufu.runtime.supervisor import status
from shoufu.runtime.supervisor.status import Status

MEMORY_LIMIT = 1_200 * 2**20
RESTARTS_MANY = 5
BUSY = frozenset({"ready", "done"})


class Level(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong, in one sentence that says what to do."""

    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class ProcessMemory:
    """Proportional memory of a process with its children, in bytes: a page shared by n processes counts 1/n."""

    name: str
    state: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Report:
    """What the doctor found. ``memory_total`` in bytes over all processes and the supervisor."""

    running: bool
    findings: list[Finding] = field(default_factory=list)
    memory: list[ProcessMemory] = field(default_factory=list)
    memory_total: int = 0

    @property
    def healthy(self) -> bool:
        """Whether nothing is an error; warnings may be."""
        return not any(finding.level is Level.ERROR for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"healthy": self.healthy, **asdict(self)}


def examine() -> Report:
    """Look at everything; nothing is changed besides the folders of the data directory, which are made."""
    findings = list(_settings())
    if any(finding.level is Level.ERROR for finding in findings):
        return Report(False, findings)
    try:
        layout = data.prepare()
    except Problem as problem:
        return Report(False, [*findings, Finding(Level.ERROR, str(problem))])
    found = status.read(layout.run)
    findings += [*_front_end(), *_models()]
    findings += _running(found) if found else _stopped(layout)
    if found is None:
        return Report(False, findings)
    rows, total = _memory(found)
    if total > MEMORY_LIMIT:
        text = f"The processes take {total / 2**20:.0f} MB of memory, more than {MEMORY_LIMIT / 2**20:.0f} MB."
        findings.append(Finding(Level.WARNING, text))
    return Report(True, findings, rows, total)


def _settings() -> Iterator[Finding]:
    for name in env.unknown():
        yield Finding(Level.WARNING, f"{name} is set but is no setting of this program: check its spelling.")
    for setting in env.SETTINGS:
        try:
            env.lookup(setting.name)
        except env.SettingError as error:
            yield Finding(Level.ERROR, f"{error} Correct it or unset it.")
    if env.get("SHOUFU_DEBUG") and env.get("SHOUFU_HOST") not in {"127.0.0.1", "localhost", "::1"}:
        yield Finding(Level.ERROR, "SHOUFU_DEBUG shows internals to all who reach SHOUFU_HOST: unset one of them.")


def _front_end() -> Iterator[Finding]:
    from shoufu.runtime.build import frontend

    if not frontend.current():
        yield Finding(Level.WARNING, "The front end is not built from the present sources: run 'shoufu build'.")


def _models() -> Iterator[Finding]:
    from shoufu.runtime import models

    for entry in models.ENTRIES:
        if entry.optional or entry.footage:
            continue
        state = models.state(entry)
        if state is not models.State.READY:
            text = f"The model {entry.name} is {state}: run 'shoufu models install'."
            yield Finding(Level.WARNING, text)


def _stopped(layout: Layout) -> Iterator[Finding]:
    yield Finding(Level.WARNING, f"Nothing runs on the data directory {layout.root}: start it with 'shoufu up'.")
    for problem in preflight.problems(layout):
        yield Finding(Level.ERROR, str(problem))


def _running(found: Status) -> Iterator[Finding]:
    for row in found.processes:
        if row.state not in BUSY:
            reason = f" ({row.last_error})" if row.last_error else ""
            yield Finding(Level.ERROR, f"The process {row.name} is {row.state}{reason}: read {row.log}.")
        elif row.restarts >= RESTARTS_MANY:
            text = f"The process {row.name} was restarted {row.restarts} times ({row.last_error}): read {row.log}."
            yield Finding(Level.WARNING, text)
    free = shutil.disk_usage(data.layout().root).free
    if free < preflight.SPACE_NEEDED:
        yield Finding(Level.ERROR, f"The disk has {free // 2**20} MB left: free some space, or media will stop.")
    yield from _answers()


def _answers() -> Iterator[Finding]:
    import psycopg

    from shoufu.runtime.servers import nats, postgres

    try:
        psycopg.connect(postgres.dsn(), connect_timeout=3).close()
    except psycopg.Error as error:
        reason = (str(error).strip().splitlines() or ["no reason given"])[-1]
        text = f"The database does not answer ({reason}): read logs/postgres.log, or start the server of DATABASE_URL."
        yield Finding(Level.ERROR, text)
    if nats.embedded() and not nats.ready(nats.ports().nats):
        yield Finding(Level.ERROR, "The embedded NATS does not answer: read logs/nats.log.")


def _memory(found: Status) -> tuple[list[ProcessMemory], int]:
    leaders: dict[str, int | None] = {row.name: row.pid for row in found.processes}
    members = memory.families(leaders)
    states = {row.name: row.state for row in found.processes}
    rows = [ProcessMemory(name, states[name], memory.pss(pids)) for name, pids in members.items() if pids]
    rows.append(ProcessMemory("supervisor", "ready", memory.pss([found.supervisor, *_reapers(found)])))
    rows.sort(key=lambda row: -row.bytes)
    return rows, sum(row.bytes for row in rows)


def _reapers(found: Status) -> list[int]:
    known = {row.pid for row in found.processes}
    children = memory.families({"": found.supervisor})[""][1:]
    with contextlib.suppress(ValueError):
        return [pid for pid in children if pid not in known and memory.parent(pid) == found.supervisor]
    return []
