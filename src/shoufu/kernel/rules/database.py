"""Connections of their own for reading the log beside Django's."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from django.db import connection


def connect() -> psycopg.Connection[Any]:
    """A connection that commits each statement, to the database Django uses."""
    return psycopg.connect(uri(), autocommit=True)


def uri() -> str:
    """The address of Django's database, as libpq and ADBC take it."""
    given = connection.settings_dict
    names = {"user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    options = {name: str(given[key]) for name, key in names.items() if given.get(key)}
    passed = {name: str(value) for name, value in given.get("OPTIONS", {}).items() if isinstance(value, str | int)}
    return f"postgresql:///{quote(str(given['NAME']))}?{urlencode(options | passed)}"
