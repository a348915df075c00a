"""One embedded PostgreSQL and one NATS for the whole run, in a temporary data directory, started when asked for."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

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
def django_db_modify_db_settings(postgres_server: object) -> None:
    """pytest-django asks for this before it makes the test database: the server must run by then."""
    _flush_past_the_audit_log()


def _flush_past_the_audit_log() -> None:
    """Django empties all tables after a transactional test; the audit log's trigger refuses that, as it should."""
    from django.db.backends.postgresql.operations import DatabaseOperations

    flush = DatabaseOperations.execute_sql_flush

    def flush_all(self: DatabaseOperations, sql_list: list[str]) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute("set session_replication_role = replica")
        flush(self, sql_list)
        _truncate_unmanaged()
        with self.connection.cursor() as cursor:
            cursor.execute("set session_replication_role = default")

    DatabaseOperations.execute_sql_flush = flush_all  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: object) -> None:
    """The audit log refuses TRUNCATE, by which Django empties tables after a transactional test; tests may."""
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:  # type: ignore[attr-defined]
        for table in ("audit_auditentry", "audit_auditlink", "audit_auditroot"):
            cursor.execute(f"alter table {table} disable trigger audit_no_truncate")


@pytest.fixture
def data_dir() -> Path:
    """The data directory of this test run."""
    return DATA


def _truncate_unmanaged() -> None:
    """Tables without a managed model (the observation log) are none of Django's flush."""
    from django.apps import apps
    from django.db import connection

    tables = [model._meta.db_table for model in apps.get_models() if not model._meta.managed]
    existing = set(connection.introspection.table_names())
    wanted = [connection.ops.quote_name(name) for name in tables if name in existing]
    if wanted:
        with connection.cursor() as cursor:
            cursor.execute(f"truncate {', '.join(wanted)} cascade")
