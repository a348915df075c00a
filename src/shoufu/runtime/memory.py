"""Memory of processes as the kernel counts it (Linux /proc)."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")


def families(leaders: Mapping[str, int | None]) -> dict[str, list[int]]:
    """For every named leader its pid and those of all its descendants, from one pass over /proc."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            children[parent(int(entry.name))].append(int(entry.name))
    return {name: _descend(pid, children) if pid else [] for name, pid in leaders.items()}


def rss(pids: Iterable[int]) -> int:
    """Resident bytes of related processes: what each has for itself, and once the most that one of them shares.

    An estimate that costs next to nothing; `pss` is exact and slow. Processes that are gone count nothing.
    """
    parts = [_statm(pid) for pid in pids]
    return sum(own for own, _ in parts) + max((shared for _, shared in parts), default=0)


def pss(pids: Iterable[int]) -> int:
    """Sum of proportional bytes: a page shared by n processes counts 1/n, so that sums over processes are true.

    Falls back to resident bytes for a process whose smaps may not be read.
    """
    return sum(_pss(pid) for pid in pids)


def _descend(pid: int, children: Mapping[int, list[int]]) -> list[int]:
    found = [pid]
    for member in found:
        found.extend(children.get(member, ()))
    return found


def parent(pid: int) -> int:
    """The parent of a process; -1 where it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return -1
    return int(text.rpartition(")")[2].split()[1])


def _statm(pid: int) -> tuple[int, int]:
    """Bytes of its own and shared bytes."""
    try:
        resident, shared = Path(f"/proc/{pid}/statm").read_text().split()[1:3]
    except (OSError, ValueError):
        return 0, 0
    return (int(resident) - int(shared)) * PAGE, int(shared) * PAGE


def _pss(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        return sum(_statm(pid))
    return 0
