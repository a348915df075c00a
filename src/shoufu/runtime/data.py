"""The data directory: where everything that must survive a restart is kept."""

from __future__ import annotations

import errno
import os
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shoufu.runtime import env
from shoufu.runtime.errors import Problem

REASONS = {
    errno.EROFS: "it is on a read-only file system; mount it writable",
    errno.EACCES: "you may not write there; change its owner",
    errno.EPERM: "you may not write there; change its owner or attributes",
    errno.ENOTDIR: "a file stands where a directory is needed; move the file away",
    errno.EEXIST: "a file stands where a directory is needed; move the file away",
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "your disk quota is used up; free some space",
    errno.ENAMETOOLONG: "its name is too long",
}


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one data directory."""

    root: Path

    @property
    def postgres(self) -> Path:
        """The cluster of the embedded PostgreSQL."""
        return self.root / "postgres"

    @property
    def nats(self) -> Path:
        """JetStream's store and the configuration of the embedded NATS."""
        return self.root / "nats"

    @property
    def media(self) -> Path:
        """Snapshots, clips and recordings."""
        return self.root / "media"

    @property
    def static(self) -> Path:
        """Static files of the pages, collected for a server of your own; empty where nobody collected them."""
        return self.root / "static"

    @property
    def keys(self) -> Path:
        """Generated secrets, readable by the owner only."""
        return self.root / "keys"

    @property
    def logs(self) -> Path:
        """One rotating log file a process."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """Lock, status and heartbeats: of this run only."""
        return self.root / "run"

    @property
    def sockets(self) -> Path:
        """Unix sockets of the embedded PostgreSQL."""
        return self.run / "pg"


def layout() -> Layout:
    """The layout of the data directory that the settings name."""
    return Layout(env.data_dir())


def problem_of(path: Path, error: OSError) -> Problem:
    """The sentence for an ``OSError`` met at ``path``."""
    reason = REASONS.get(error.errno or 0, f"{error.strerror or error}; check the path")
    return Problem(f"Cannot write to the data directory {path}: {reason}, or set SHOUFU_DATA to another directory.")


def prepare(where: Layout | None = None) -> Layout:
    """Make the folders and prove by writing that they are usable; :class:`Problem` when they are not."""
    where = where or layout()
    try:
        where.root.mkdir(parents=True, exist_ok=True)
        for folder in (where.media, where.static, where.keys, where.logs, where.run):
            folder.mkdir(exist_ok=True)
        where.keys.chmod(0o700)
        with tempfile.TemporaryFile(dir=where.root) as probe:
            probe.write(b"0" * 65536)
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        raise problem_of(where.root, error) from error
    return where


def secret(name: str, make: Callable[[], str] = lambda: secrets.token_urlsafe(36)) -> str:
    """The generated secret ``name`` of this data directory; made with ``make`` at the first call, mode 0600.

    Safe against two processes asking first at the same time: one text wins and both return it.
    """
    path = layout().keys / name
    try:
        return path.read_text()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise problem_of(path, error) from error
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, draft = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(draft)
    except OSError as error:
        raise problem_of(path, error) from error
    return path.read_text()


def secret_key() -> str:
    """Django's signing key: ``SHOUFU_SECRET_KEY``, else the one generated into the data directory."""
    return str(env.get("SHOUFU_SECRET_KEY")) or secret("secret-key")
