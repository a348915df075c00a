"""Every table and column that the database has, by its own catalogue and not by the models."""

from dataclasses import dataclass

from django.db import connection

# What cannot hold a name or a number of a person: times, truth values, fractions, small integers, random ids.
WITHOUT_TEXT = {
    "bool", "timestamp", "timestamptz", "date", "time", "timetz", "interval", "float4", "float8", "int2", "uuid",
    "xid", "xid8", "oid", "vector",
}  # fmt: skip
# Leaves only: a partitioned table itself holds nothing.
COLUMNS = """
SELECT n.nspname, c.relname, c.relkind, c.relispartition, a.attname, t.typname, a.atttypmod
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
WHERE c.relkind IN ('r', 'm', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg\\_%'
ORDER BY n.nspname, c.relname, a.attnum
"""


@dataclass(frozen=True)
class Column:
    """A column: its PostgreSQL type's name and, for texts with a limit, how many characters it takes."""

    name: str
    type: str
    limit: int | None = None


@dataclass(frozen=True)
class Table:
    """A table with its columns; `parent` is one that is partitioned, `part` a partition."""

    schema: str
    name: str
    parent: bool
    part: bool
    columns: tuple[Column, ...]

    @property
    def quoted(self) -> str:
        return f"{quote(self.schema)}.{quote(self.name)}"

    @property
    def texts(self) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if c.type not in WITHOUT_TEXT and c.type != "bytea")

    @property
    def bytes(self) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if c.type == "bytea")

    def has(self, column: str) -> bool:
        return any(found.name == column for found in self.columns)


def quote(name: str) -> str:
    return connection.ops.quote_name(name)


def tables() -> list[Table]:
    """Every table outside the system's own schemas, in a fixed order."""
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS)
        rows = cursor.fetchall()
    found: dict[tuple[str, str], tuple[bool, bool, list[Column]]] = {}
    for schema, name, kind, part, column, typed, modifier in rows:
        limit = modifier - 4 if typed in ("varchar", "bpchar") and modifier > 4 else None
        made = found.setdefault((schema, name), (kind == "p", bool(part), []))
        made[2].append(Column(column, typed, limit))
    return [Table(schema, name, parent, part, tuple(cols)) for (schema, name), (parent, part, cols) in found.items()]
