"""Rows of days that are not archived yet, as the same columns, straight from PostgreSQL by ADBC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import msgspec
import pyarrow as pa

from shoufu.kernel.rules.rehearsal.frames import PREFIX, REST, Part, result_fields, table_schema
from shoufu.kernel.rules.spec import KindLike

# A value of the column's type, else null (and then it stays in the rest).
EXPRESSIONS: Mapping[pa.DataType, str] = {
    pa.float64(): "CASE WHEN jsonb_typeof({value}) = 'number' THEN ({text})::float8 END",
    pa.int64(): "CASE WHEN jsonb_typeof({value}) = 'number' AND ({text})::numeric % 1 = 0 "
    "THEN ({text})::numeric::int8 END",
    pa.bool_(): "CASE WHEN jsonb_typeof({value}) = 'boolean' THEN ({text})::bool END",
    pa.string(): "CASE WHEN jsonb_typeof({value}) = 'string' THEN {text} END",
}
QUERY = """
SELECT (extract(epoch FROM o.t) * 1000000)::int8 AS t, o.device, o.place, l.id IS NOT NULL AS late,
       uuid_send(o.id) AS id, d.code, o.foi, {columns}
       nullif(o.result - array_remove(ARRAY[{present}]::text[], NULL), '{{}}'::jsonb)::text AS rest
FROM obs o JOIN devices_device d ON d.id = o.device JOIN observations_observationkind k ON k.id = o.kind
LEFT JOIN rules_lateobservation l ON l.shard = o.shard AND l.t = o.t AND l.observation = o.id
WHERE k.code = $1 AND o.shard = $2 AND o.t >= $3::timestamptz AND o.t < $4::timestamptz
ORDER BY o.t, o.device, o.id
"""


def read_table(uri: str, code: str, kind: KindLike, shard: int, since: datetime, until: datetime) -> pa.Table:
    """Rows of one kind with since ≤ t < until in total order."""
    with adbc.connect(uri) as connection, connection.cursor() as cursor:
        cursor.execute(_query(kind), (code, shard, since.isoformat(), until.isoformat()))
        return _shaped(cursor.fetch_arrow_table(), kind)


def read_part(uri: str, code: str, kind: KindLike, shard: int, since: datetime, until: datetime) -> Part | None:
    """The same as a part; None where there are no rows."""
    table = read_table(uri, code, kind, shard, since, until)
    return Part.of_table(code, kind.schema, table) if table.num_rows else None


def kinds_between(uri: str, shard: int, since: datetime, until: datetime) -> list[str]:
    """The kinds that have rows in a span."""
    query = """
    SELECT k.code FROM observations_observationkind k WHERE EXISTS (
        SELECT FROM obs o WHERE o.kind = k.id AND o.shard = $1 AND o.t >= $2::timestamptz AND o.t < $3::timestamptz)
    ORDER BY k.code
    """
    with adbc.connect(uri) as connection, connection.cursor() as cursor:
        cursor.execute(query, (shard, since.isoformat(), until.isoformat()))
        return [row[0] for row in cursor.fetchall()]


def _query(kind: KindLike) -> str:
    columns, present = [], []
    for name, found in result_fields(kind.schema).items():
        literal = _literal(name)
        expression = EXPRESSIONS[found].format(value=f"(o.result -> {literal})", text=f"(o.result ->> {literal})")
        columns.append(f"{expression} AS {_identifier(PREFIX + name)}, ")
        present.append(f"CASE WHEN ({expression}) IS NOT NULL THEN {literal} END")
    return QUERY.format(columns="".join(columns), present=", ".join(present))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _identifier(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _shaped(table: pa.Table, kind: KindLike) -> pa.Table:
    """Exactly the columns of the archive, with the fields that did not fit their columns in the metadata."""
    schema = table_schema(kind)
    columns = [_cast(table.column(field.name), field.type) for field in schema]
    odd = _odd(table.column(REST).drop_null().to_pylist(), result_fields(kind.schema))
    return pa.table(columns, schema=schema.with_metadata({b"odd": msgspec.json.encode(odd)}))


def _cast(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_dictionary(wanted):
        return column.cast(pa.string()).dictionary_encode().cast(wanted)
    return column if column.type == wanted else column.cast(wanted)


def _odd(rests: Sequence[str], names: Mapping[str, Any]) -> list[str]:
    found: set[str] = set()
    for rest in rests:
        found |= msgspec.json.decode(rest).keys() & names.keys()
    return sorted(found)
