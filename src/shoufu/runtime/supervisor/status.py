"""The status file: what runs, since when, how often it was restarted. Written by the supervisor, read by anyone."""

from __future__ import annotations

from pathlib import Path

import msgspec


class ProcessStatus(msgspec.Struct, frozen=True):
    """One process as last seen; ``rss`` in bytes over its whole process group, ``since`` as epoch seconds."""

    name: str
    state: str
    pid: int | None
    restarts: int
    since: float
    rss: int
    last_error: str
    log: str


class Status(msgspec.Struct, frozen=True):
    """All processes of one data directory; ``written`` as epoch seconds."""

    supervisor: int
    started: float
    written: float
    ready: bool
    seconds_to_ready: float | None
    address: str
    processes: list[ProcessStatus]


def path_in(run: Path) -> Path:
    """Where the status file of a run folder is."""
    return run / "status.json"


def write(run: Path, status: Status) -> None:
    """Replace the status file in one step."""
    path = path_in(run)
    draft = path.with_suffix(".new")
    draft.write_bytes(msgspec.json.encode(status))
    draft.replace(path)


def read(run: Path) -> Status | None:
    """The last status, or None where nothing ever ran or the supervisor is gone."""
    try:
        status = msgspec.json.decode(path_in(run).read_bytes(), type=Status)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return status if Path(f"/proc/{status.supervisor}").exists() else None
