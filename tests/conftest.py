"""One embedded PostgreSQL and one NATS for the whole run, in a temporary data directory, started when asked for."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import databases

DATA = Path(tempfile.mkdtemp(prefix="shoufu-test-"))
PORTS = ("SHOUFU_PORT", "SHOUFU_WEB_PORT", "SHOUFU_NATS_PORT", "SHOUFU_MQTT_PORT", "SHOUFU_PG_PORT")
# Losing the test database in a power cut is fine; drills and benches run the real settings.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


def free_ports(count: int) -> list[int]:
    """Ports of loopback that are free now, all different."""
    holders = [socket.socket() for _ in range(count)]
    try:
        for holder in holders:
            holder.bind(("127.0.0.1", 0))
        return [int(holder.getsockname()[1]) for holder in holders]
    finally:
        for holder in holders:
            holder.close()


# Before Django reads its settings in pytest_configure.
for name in [name for name in os.environ if name.startswith("SHOUFU_") and name != "SHOUFU_MODELS"]:
    del os.environ[name]
os.environ.pop("DATABASE_URL", None)
os.environ.pop("NATS_URL", None)
os.environ["SHOUFU_DATA"] = str(DATA)
os.environ["DJANGO_SETTINGS_MODULE"] = "shoufu.runtime.settings"
for setting, number in zip(PORTS, free_ports(len(PORTS)), strict=True):
    os.environ[setting] = str(number)


def pytest_configure(config: pytest.Config) -> None:
    # Engines know no Django; their tests must run without it.
    if config.args and all("tests/engines" in arg for arg in config.args):
        return
    from shoufu.runtime import django

    django.setup()


def pytest_unconfigure() -> None:
    shutil.rmtree(DATA, ignore_errors=True)


@pytest.fixture(autouse=True)
def _language_of_its_own() -> Iterator[None]:
    """A request leaves its language to the thread that answered it: no test may hand it on to the next. Engines' tests
    know no Django."""
    yield
    translation = sys.modules.get("django.utils.translation")
    if translation is not None and sys.modules["django.conf"].settings.configured:
        translation.deactivate()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[object]:
    """The embedded PostgreSQL; ``shoufu.runtime.servers.postgres.Server``."""
    from shoufu.runtime import data, env
    from shoufu.runtime.servers import postgres

    server = postgres.start(data.prepare(), env.get("SHOUFU_PG_PORT"), tuning=FAST)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def nats_server() -> Iterator[object]:
    """The embedded NATS with its MQTT listener; ``shoufu.runtime.servers.nats.Server``."""
    from shoufu.runtime import data
    from shoufu.runtime.servers import nats

    server = nats.start(data.prepare(), nats.ports())
    yield server
    server.stop()


@pytest.fixture(scope="session")
def django_db_keepdb(postgres_server: object) -> bool:
    """Whether the test database has its tables already: those that `shoufu build` keeps, where they are current.
    Migrating costs a minute."""
    return databases.restored("test_shoufu")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(postgres_server: object) -> None:
    """pytest-django asks for this before it makes the test database: the server must run by then."""
    _empty_tables_quickly()


def _empty_tables_quickly() -> None:
    """After a transactional test Django truncates every table. That takes more than a second, deadlocks with a request
    that is still being answered, and insert-only tables refuse it. Delete what there is instead, once all is quiet."""
    from django.core.management.commands import flush
    from django.db import transaction
    from django.db.backends.postgresql.operations import DatabaseOperations

    from shoufu.kernel.observations.apps import _after_migrate

    def delete_rows(self: DatabaseOperations, sql_list: list[str]) -> None:
        _wait_for_other_sessions()
        with transaction.atomic(), self.connection.cursor() as cursor:
            # A replica asks neither triggers nor foreign keys.
            cursor.execute("set local session_replication_role = replica")
            for table in _tables_with_rows(cursor):
                cursor.execute(f'delete from "{table}"')

    DatabaseOperations.execute_sql_flush = delete_rows  # type: ignore[method-assign]
    # Content types and permissions are kept; the kinds of observations are the one other thing that a migration writes.
    flush.emit_post_migrate_signal = lambda *_, **__: _after_migrate()  # type: ignore[attr-defined]


KEPT_TABLES = ("django_migrations", "django_content_type", "auth_permission")


def _tables_with_rows(cursor: Any) -> list[str]:
    cursor.execute(
        """select relname from pg_class where relkind in ('r', 'p') and not relispartition
           and relnamespace = 'public'::regnamespace and relname <> all(%s)""",
        [list(KEPT_TABLES)],
    )
    tables = [name for (name,) in cursor.fetchall()]
    cursor.execute(" union all ".join(f"select '{name}' where exists (select from \"{name}\")" for name in tables))
    return [name for (name,) in cursor.fetchall()]


def _wait_for_other_sessions(longest: float = 10.0) -> None:
    """A browser that was closed leaves requests behind; what they still write must not reach the next test."""
    from django.db import connection

    until = time.monotonic() + longest
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute(
                """select exists (select from pg_stat_activity where datname = current_database()
                   and pid <> pg_backend_pid() and backend_type = 'client backend' and state <> 'idle')"""
            )
            row = cursor.fetchone()
        if row is None or not row[0]:
            return
        time.sleep(0.05)
    warnings.warn(
        "Another session is still at work on the test database: its rows may reach the next test.", stacklevel=1
    )


@pytest.fixture
def data_dir() -> Path:
    """The data directory of this test run."""
    return DATA
