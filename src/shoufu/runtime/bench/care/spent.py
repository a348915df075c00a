"""What a server really worked: the processor time of its processes, which other work on the machine does not lengthen
as it does the clock's."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def database_process() -> int:
    """The first process of the database server that Django speaks to."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("show data_directory")
        folder = Path(cursor.fetchone()[0])
    return int((folder / "postmaster.pid").read_text().splitlines()[0])


def processor_seconds(roots: Iterable[int]) -> float:
    """User and system time so far of these processes and everything that they started, ended or not (Linux)."""
    parents, spent = {}, {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile: its parent has its time
            continue
        pid = int(folder.name)
        parents[pid], spent[pid] = int(fields[1]), sum(int(field) for field in fields[11:15])
    family = set(roots)
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        family |= more
        grown = bool(more)
    return sum(spent.get(pid, 0) for pid in family) / TICKS
