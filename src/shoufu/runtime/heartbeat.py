"""A sign of life of a process without a port: a file that the supervisor looks at."""

from __future__ import annotations

import contextlib
from pathlib import Path

from shoufu.runtime import data


def path(name: str) -> Path:
    """The heartbeat file of the process ``name``."""
    return data.layout().run / f"{name}.beat"


def beat(name: str) -> None:
    """Say that the process ``name`` is alive; a disk that refuses is no reason to die."""
    with contextlib.suppress(OSError):
        path(name).touch()
