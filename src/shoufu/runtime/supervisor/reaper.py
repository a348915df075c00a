"""Ends what a killed supervisor leaves behind.

The kernel tells every direct child that the supervisor died (``children.die_with_parent``); children of children hear
nothing. This small process waits for the other end of a pipe to close and then ends the process groups that remain. It
holds the lock of the data directory meanwhile, so that a new supervisor waits for the old one's last process.
"""

from __future__ import annotations

import os
import signal
import time

from shoufu.runtime.children import end_group

PATIENCE = 20.0


class Reaper:
    """Knows the process groups of a supervisor; made before its event loop, while there is only one thread."""

    def __init__(self, lock: int) -> None:
        reading, self._writing = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            _child(reading, lock)
        os.close(reading)

    def add(self, leader: int) -> None:
        """Remember the group of ``leader``."""
        self._tell(f"+{leader}\n")

    def remove(self, leader: int) -> None:
        """Forget the group of ``leader``: it has ended."""
        self._tell(f"-{leader}\n")

    def close(self) -> None:
        """Everything has ended: let the process go."""
        os.close(self._writing)
        os.waitpid(self.pid, 0)

    def _tell(self, text: str) -> None:
        try:
            os.write(self._writing, text.encode())
        except BrokenPipeError:  # somebody killed it; the supervisor itself does not need it
            return


def _child(reading: int, lock: int) -> None:
    code = 1
    try:
        os.setsid()
        _keep_only(reading, lock)
        _end_groups(_follow(reading))
        code = 0
    finally:
        os._exit(code)


def _keep_only(*handles: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    low = 3
    for handle in sorted(handles):
        os.closerange(low, handle)
        low = handle + 1
    os.closerange(low, 4096)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _follow(reading: int) -> set[int]:
    """The groups that still ran when the supervisor's end of the pipe closed."""
    groups: set[int] = set()
    with os.fdopen(reading) as pipe:
        for line in pipe:
            (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    return groups


def _end_groups(groups: set[int]) -> None:
    deadline = time.monotonic() + PATIENCE
    while groups:
        late = time.monotonic() > deadline
        for leader in list(groups):
            if late or not _alive(leader):
                end_group(leader)
                groups.discard(leader)
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
