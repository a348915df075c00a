"""Children that end with their parent, and groups of processes that end whole."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(number: int = signal.SIGTERM) -> Callable[[], None]:
    """A ``preexec_fn``: the kernel sends signal ``number`` to the child when its parent dies, however it dies.

    Must run after a change of user, which clears it; ``subprocess`` does it in this order.
    """
    parent = os.getpid()

    def arm() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the line above
            os._exit(1)

    return arm


def end_group(leader: int, number: int = signal.SIGKILL) -> None:
    """Send a signal to the process group of ``leader``; a group that is gone already is fine."""
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        return


def die_with_parent_now(number: int = signal.SIGTERM) -> None:
    """The same for the calling process, after its start."""
    _libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
