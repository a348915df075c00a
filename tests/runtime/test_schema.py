"""Tables taken from the cache are the tables that the migrations make."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from shoufu.runtime.build import ports, schema
from shoufu.runtime.data import Layout
from shoufu.runtime.servers import postgres
from shoufu.runtime.servers.postgres import Server


def migrated(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A server with a database as ``shoufu migrate`` makes it."""
    number = ports.free()
    monkeypatch.setenv("SHOUFU_DATA", str(folder))
    monkeypatch.setenv("SHOUFU_PG_PORT", str(number))
    server = postgres.start(Layout(folder), number, tuning=schema.FAST)
    with psycopg.connect(server.address.dsn("postgres"), autocommit=True) as connection:
        connection.execute("drop database shoufu")
    environment = dict(os.environ) | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-m", "shoufu", "migrate"], env=environment, check=True)
    return server


# PostgreSQL prints a restored expression with its casts in other places: names and types are compared, not texts.
CATALOGUE = (
    "select table_name, column_name, data_type, is_nullable, column_default, is_identity"
    " from information_schema.columns where table_schema = 'public' order by 1, 2",
    "select conrelid::regclass::text, conname, contype, convalidated from pg_constraint order by 1, 2",
    "select tablename, indexname from pg_indexes where schemaname = 'public' order by 1, 2",
    "select tgrelid::regclass::text, tgname, tgenabled from pg_trigger where not tgisinternal order by 1, 2",
    "select proname, md5(prosrc) from pg_proc where pronamespace = 'public'::regnamespace order by 1, 2",
    "select inhparent::regclass::text, inhrelid::regclass::text from pg_inherits order by 1, 2",
    "select typname, typtype from pg_type where typnamespace = 'public'::regnamespace order by 1",
    "select extname, extversion from pg_extension order by 1",
)
CONTENT = (
    "select app, name from django_migrations order by 1, 2",
    "select code, schema::text from observations_observationkind order by 1",
    "select app_label, model from django_content_type order by 1, 2",
)


def rows(server: Server, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(server.address.dsn()) as connection:
        return connection.execute(query).fetchall()


# Migrates twice, a minute or two each; the tests themselves stand on the cached tables, which `shoufu build` migrated.
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_cached_tables_equal_migrated_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOUFU_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    assert not schema.current()
    slow = migrated(tmp_path / "slow", monkeypatch)
    schema.make()
    assert schema.current()
    fast = migrated(tmp_path / "fast", monkeypatch)
    try:
        for query in (*CATALOGUE, *CONTENT):
            assert rows(fast, query) == rows(slow, query)
        assert rows(fast, "select count(*) from audit_auditentry where action = 'observations.sync_kinds'") != [(0,)]
    finally:
        slow.stop()
        fast.stop()


def test_file_that_does_not_fit_leaves_the_database_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOUFU_CACHE", str(tmp_path / "cache"))
    schema.path().parent.mkdir(parents=True)
    schema.path().write_text("create table half (x int);\nselect nonsense;\n")
    server = postgres.start(Layout(tmp_path / "data"), ports.free(), tuning=schema.FAST)
    try:
        assert schema.restore(server.address.dsn()) is False
        assert rows(server, "select count(*) from pg_tables where schemaname = 'public'") == [(0,)]
    finally:
        server.stop()
