"""PostgreSQL refuses to run as root; then it runs as a system user of its own."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from shoufu.runtime.errors import Problem

NAME = "shoufu-postgres"


@dataclass(frozen=True, slots=True)
class SystemUser:
    """The user that a server process runs as."""

    name: str
    uid: int
    gid: int


def needed() -> SystemUser | None:
    """The user to run PostgreSQL as; made at first use. None where we are not root and need none."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        entry = _make()
    return SystemUser(NAME, entry.pw_uid, entry.pw_gid)


def _make() -> pwd.struct_passwd:
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "--user-group", NAME]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        # Another process may have made it between the look-up and here.
        try:
            return pwd.getpwnam(NAME)
        except KeyError:
            raise Problem(
                f"PostgreSQL may not run as root and the system user {NAME} cannot be made ({error}): "
                "start as an ordinary user, or set DATABASE_URL."
            ) from error
    return pwd.getpwnam(NAME)


def open_tree(folder: Path) -> None:
    """Let other users read and run what is in ``folder``: a strict umask at installation kept them out."""
    for path in (folder, *folder.rglob("*")) if folder.is_dir() else ():
        mode = path.stat().st_mode
        wanted = stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
        if mode & wanted != wanted:
            path.chmod(mode | wanted)


def open_way(path: Path) -> list[Path]:
    """Let other users pass through (not list) the parents of ``path``; returns the directories that were changed."""
    changed = []
    for folder in path.absolute().parents:
        mode = folder.stat().st_mode
        if mode & stat.S_IXOTH:
            continue
        folder.chmod(mode | stat.S_IXOTH)
        changed.append(folder)
    return changed
