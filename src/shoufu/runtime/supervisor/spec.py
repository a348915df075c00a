"""What the supervisor is told about a process."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Check = Callable[[], bool]


def _nothing() -> None:
    return None


def _no_options() -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Spec:
    """One process: its command, when it may start, when it is ready, and how it is stopped.

    ``needs``: processes that must be ready (one-shots: done) before it starts. ``gate``: a one-shot that it waits for
    by itself after its imports (``shoufu.runtime.django.setup``). ``ready`` is asked until true, then ``healthy`` (or
    ``ready``) every few seconds; without ``ready`` a process is ready when it has lived for ``settle`` seconds.
    ``server`` processes are stopped last.
    """

    name: str
    argv: tuple[str, ...]
    needs: tuple[str, ...] = ()
    gate: str = ""
    ready: Check | None = None
    healthy: Check | None = None
    settle: float = 1.0
    ready_timeout: float = 180.0
    once: bool = False
    server: bool = False
    niceness: int = 0
    stop_signal: int = signal.SIGTERM
    stop_timeout: float = 10.0
    environment: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], None] = _nothing
    spawn_options: Callable[[], dict[str, Any]] = _no_options
