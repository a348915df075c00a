"""Databases on the tests' own PostgreSQL."""

import psycopg

from shoufu.runtime.build import schema
from shoufu.runtime.servers import postgres


def restored(database: str) -> bool:
    """Make a database on the test server and fill it from the cache of tables; False where there is none."""
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        connection.execute(f"drop database if exists {database}")
        connection.execute(f"create database {database}")
    return schema.restore(postgres.address().dsn(database))
