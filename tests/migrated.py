"""A migrated cluster, made once for each state of the migrations and copied for every run: migrating costs a minute."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
CLUSTER = "postgres"
KEPT = 3
# Losing the test database in a power cut is fine; drills and benches run the real settings.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


def into(data: Path) -> None:
    """Copy the cluster with its test database into the data directory ``data``; make it where this state of the
    migrations has none yet. A run that comes meanwhile waits."""
    from shoufu.runtime import env

    folder = env.cache_dir() / "tests"
    folder.mkdir(parents=True, exist_ok=True)
    ready = folder / f"migrated-{_state()}"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            _make(ready)
            _forget_old(folder)
    _copy(ready, data / CLUSTER)


def give_password(data: Path) -> None:
    """Every test cluster has the same password, so that a copy opens: it is loopback's, and gone after the run."""
    (data / "keys").mkdir(mode=0o700)
    (data / "keys" / "postgres-password").write_text("tests-only")


def _state() -> str:
    """A digest of what decides how a migrated cluster looks."""
    files = [
        *(ROOT / "src").glob("**/migrations/*.py"),
        *(ROOT / "src" / "shoufu" / "runtime" / "servers").glob("*.py"),
        ROOT / "requirements-dev.lock",
        Path(__file__),
    ]
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(files):
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _make(ready: Path) -> None:
    draft = Path(tempfile.mkdtemp(prefix="shoufu-migrated-"))
    give_password(draft)
    own = {name: value for name, value in os.environ.items() if not name.startswith("SHOUFU_")}
    own |= {"SHOUFU_DATA": str(draft), "SHOUFU_PG_PORT": os.environ["SHOUFU_PG_PORT"]}
    own |= {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])}
    try:
        subprocess.run([sys.executable, "-m", "tests.migrated"], env=own, cwd=ROOT, check=True)
        unfinished = ready.with_name(f"{ready.name}.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        _copy(draft / CLUSTER, unfinished)
        unfinished.rename(ready)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _forget_old(folder: Path) -> None:
    for path in sorted(folder.glob("migrated-*"), key=lambda path: path.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(path, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    """With its owner: under root the server runs as a user of its own."""
    subprocess.run(["cp", "-Rp", str(source), str(target)], check=True)


def _migrate() -> None:
    from django.db import connection

    from shoufu.runtime import data, django, env
    from shoufu.runtime.servers import postgres

    server = postgres.start(data.prepare(), env.get("SHOUFU_PG_PORT"), tuning=FAST)
    try:
        django.setup()
        connection.creation.create_test_db(verbosity=0, autoclobber=True)
        connection.close()
    finally:
        server.stop()


if __name__ == "__main__":
    began = time.monotonic()
    _migrate()
    sys.stderr.write(f"Migrated a database for the tests in {time.monotonic() - began:.0f} s.\n")
