"""Filling a database with millions of rows before it is measured."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

TUNING = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "1h",
    "shared_buffers": "512MB",
    "maintenance_work_mem": "512MB",
    "work_mem": "256MB",
    "autovacuum": "off",
}
"""For the server while it is filled; what is measured runs under the product's own settings."""

INDEXES = """
select i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid), c.conname, pg_get_constraintdef(c.oid)
from pg_index i left join pg_constraint c on c.conindid = i.indexrelid and c.contype in ('p', 'u')
where i.indrelid = %s::regclass
and not exists (select from pg_constraint f where f.conindid = i.indexrelid and f.contype = 'f')
"""


@contextmanager
def bare(table: str) -> Iterator[None]:
    """A table without its indexes, which are made again afterwards: sorting once is cheaper than finding a place for
    each of millions of rows."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("set session_replication_role = replica")  # no look at the device for each of millions of rows
        cursor.execute(INDEXES, [table])
        found = cursor.fetchall()
        for name, _definition, constraint, _rule in found:
            cursor.execute(f"alter table {table} drop constraint {constraint}" if constraint else f"drop index {name}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("set session_replication_role = default")
        for _name, definition, constraint, rule in found:
            # "on only" would leave the partitions without theirs.
            made = definition.replace(" ON ONLY ", " ON ")
            cursor.execute(f"alter table {table} add constraint {constraint} {rule}" if constraint else made)


def settle() -> None:
    """As a database that grew over a month: else autovacuum and the writing back of gigabytes run beside the pages."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("vacuum (analyze)")
        cursor.execute("checkpoint")
    os.sync()
